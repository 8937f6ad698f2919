/**
 * gRPC: requirements by method. A method that declares none is refused.
 *
 *   npx tsx examples/grpc.ts         (PORT=50051 for a port of your choice)
 *
 * It prints a token and the calls to try with it (`grpc-client.ts` makes them). Messages are JSON here, so that no generated
 * code is needed, and there is no TLS; `npm run demo` has a server with TLS.
 */
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { createPostern, memoryStore } from 'postern';
import { guard, principalOf } from 'postern/grpc';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({ name: 'example', types: { user: { endpoints: ['summarizer'] } } });

const guarded = guard(postern, {
  '/bento.Summarizer/Summarize': { endpoint: 'summarizer' },
  '/bento.Models/': { scope: 'models:read' },
});
const server = new Server({ interceptors: [guarded] });
server.addService(
  { Summarize: unary('/bento.Summarizer/Summarize'), List: unary('/bento.Models/List') },
  {
    Summarize(call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) {
      done(null, { summary: 'short', calledWith: principalOf(call)?.tokenId });
    },
    List(_call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) {
      done(null, { models: [] });
    },
  },
);

server.bindAsync(`127.0.0.1:${process.env.PORT ?? 0}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  const client = `npx tsx examples/grpc-client.ts 127.0.0.1:${port}`;
  console.log(`allowed:        ${client} /bento.Summarizer/Summarize ${token}`);
  console.log(`scope missing:  ${client} /bento.Models/List ${token}`);
  console.log(`token missing:  ${client} /bento.Summarizer/Summarize`);
});

function unary(path: string) {
  const write = (value: unknown) => Buffer.from(JSON.stringify(value));
  const read = (bytes: Buffer) => JSON.parse(bytes.toString());
  const codec = {
    requestSerialize: write,
    requestDeserialize: read,
    responseSerialize: write,
    responseDeserialize: read,
  };
  return { path, requestStream: false, responseStream: false, ...codec };
}

onShutdown(async () => {
  await new Promise((closed) => server.tryShutdown(closed));
  await postern.close();
});
