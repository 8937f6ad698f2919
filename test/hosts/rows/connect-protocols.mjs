export const host = 'Connect';
export const how =
  'its own clients: gRPC over HTTP/2, gRPC-web and Connect, binary and JSON; every method guarded, every end told';

const PROGRAM = `
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, file_google_protobuf_wrappers, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { connectNodeAdapter, createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { guard, principalOf } from 'postern/connect';
import { createTestPostern } from 'postern/testing';

const type = '.google.protobuf.StringValue';
const method = ['List', 'Create', 'Forgotten'].map((name) => ({ name, inputType: type, outputType: type }));
method.push({ name: 'Watch', inputType: type, outputType: type, serverStreaming: true });
const wrappers = file_google_protobuf_wrappers.proto;
const proto = { name: 'bento.proto', package: 'bento', syntax: 'proto3', dependency: [wrappers.name], service: [{ name: 'Models', method }] };
const Models = createFileRegistry(create(FileDescriptorSetSchema, { file: [wrappers, proto] })).getService('bento.Models');

const { postern } = createTestPostern();
const guarded = guard(postern, {
  '/bento.Models/List': { scope: 'models:read' },
  '/bento.Models/Watch': { scope: 'models:read' },
  '/bento.Models/Create': { scope: 'models:write' },
});
const answer = (value) => create(StringValueSchema, { value });
const routes = (router) =>
  router.service(Models, {
    list: (_request, context) => answer('for ' + principalOf(context).owner),
    create: () => answer('reached'),
    forgotten: () => answer('reached'),
    async *watch(_request, context) {
      yield answer('first');
      await new Promise((done) => context.signal.addEventListener('abort', done));
    },
  });
const handler = connectNodeAdapter({ routes, interceptors: [guarded], requestGate: guarded.requestGate });
const listen = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done('http://127.0.0.1:' + server.address().port)));
const one = createServer(handler);
const two = createHttp2Server(handler);
const [http1, http2] = [await listen(one), await listen(two)];

const transports = {
  'gRPC': createGrpcTransport({ baseUrl: http2 }),
  'gRPC-web over HTTP/1.1': createGrpcWebTransport({ baseUrl: http1, httpVersion: '1.1' }),
  'gRPC-web over HTTP/2': createGrpcWebTransport({ baseUrl: http2, httpVersion: '2' }),
  'Connect, binary': createConnectTransport({ baseUrl: http1, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect, JSON': createConnectTransport({ baseUrl: http2, httpVersion: '2', useBinaryFormat: false }),
};
for (const [name, transport] of Object.entries(transports)) {
  const client = createClient(Models, transport);
  const made = await postern.tokens.create({ name, owner: 'ann', types: { developer: { scopes: ['models:read'] } } });
  const headers = { authorization: 'Bearer ' + made.token };
  const call = (method, given) =>
    client[method](answer('text'), { headers: given }).then(({ value }) => value, (error) => Code[ConnectError.from(error).code]);
  const seen = [
    await call('list', {}),
    await call('list', { authorization: 'Bearer nothing' }),
    await call('list', headers),
    await call('create', headers),
    await call('forgotten', headers),
  ];
  let ended = 'without an end';
  try {
    for await (const { value } of client.watch(answer('text'), { headers })) {
      seen.push(value);
      await postern.tokens.revoke(made.record.id);
    }
    ended = 'as if it were complete';
  } catch (error) {
    ended = Code[ConnectError.from(error).code];
  }
  seen.push(ended, await call('list', headers));
  const wanted = ['Unauthenticated', 'Unauthenticated', 'for ann', 'PermissionDenied', 'PermissionDenied', 'first', 'Unauthenticated', 'Unauthenticated'];
  assert.deepEqual(seen, wanted, name);
}
console.log(Object.keys(transports).join(', '));
process.exit();
`;

export async function run(context) {
  await context.write({ 'package.json': { type: 'module' }, 'main.js': PROGRAM });
  const { stdout } = await context.node(['main.js'], { timeout: 60_000 });
  return [
    `${stdout.trim()}: unauthenticated, allowed, permission_denied for a missing scope and for an undeclared method; an open stream ended unauthenticated once its token was revoked`,
  ];
}
