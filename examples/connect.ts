/**
 * Connect, on `node:http`: requirements by method, the same for gRPC, gRPC-web and Connect. Its service would come from
 * `buf generate`; here a schema of the well-known types takes its place.
 *
 *   npx tsx examples/connect.ts      (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, createFileRegistry, type DescMethodUnary, type DescService } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, file_google_protobuf_wrappers, StringValueSchema } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { createPostern, memoryStore } from 'postern';
import { guard, principalOf } from 'postern/connect';
import { onShutdown } from './shutdown.js';

const inputType = '.google.protobuf.StringValue';
const names = ['Summarize', 'CreateModel'];
const method = names.map((name) => ({ name, inputType, outputType: inputType }));
const service = [{ name: 'Bento', method }];
const dependency = [file_google_protobuf_wrappers.proto.name];
const proto = { name: 'bento.proto', package: 'bento', syntax: 'proto3', dependency, service };
const files = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, proto] });
const bento = createFileRegistry(files).getService('bento.Bento') as DescService;
const [summarize, createModel] = bento.methods as DescMethodUnary[];

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const guarded = guard(postern, {
  '/bento.Bento/Summarize': { endpoint: 'summarizer' },
  '/bento.Bento/CreateModel': { scope: 'models:write' },
});
const routes = (router: ConnectRouter) =>
  router
    .rpc(summarize as DescMethodUnary, (_request, context) =>
      create(StringValueSchema, { value: `short, for ${principalOf(context)?.owner}` }),
    )
    .rpc(createModel as DescMethodUnary, () => ({}));
const server = createServer(
  connectNodeAdapter({ routes, interceptors: [guarded], requestGate: guarded.requestGate }),
).listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bento.Bento`;
  const json = `-H "Content-Type: application/json" -d '"text"'`;
  console.log(`allowed:        curl -i ${url}/Summarize ${json} -H "Authorization: Bearer ${token}"`);
  console.log(`scope missing:  curl -i ${url}/CreateModel ${json} -H "Authorization: Bearer ${token}"`);
});

onShutdown(() => new Promise((closed) => server.close(closed)).then(() => postern.close()));
