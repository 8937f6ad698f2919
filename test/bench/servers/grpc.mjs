import grpc from '@grpc/grpc-js';
import { load } from '../lib/postern.mjs';
import { ENDPOINT } from '../lib/tokens.mjs';
import { posternWithTokens, serveVariant } from './serve-variant.mjs';

const PATH = '/bench.Summarizer/Summarize';
const bytes = (value) => value;

/** Unary, messages as bytes: what a schema costs is no part of a guard. */
const METHOD = {
  path: PATH,
  requestStream: false,
  responseStream: false,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};
const ANSWER = Buffer.from('a short text');

function listen(interceptors) {
  const server = new grpc.Server({ interceptors });
  server.addService({ summarize: METHOD }, { summarize: (_call, callback) => callback(null, ANSWER) });
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

/** @throws Error where the guard does not tell a good token from a bad one: h2load would not see it */
async function assertGuarded(port, token) {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const code = (credential) =>
    new Promise((resolve) => {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', `Bearer ${credential}`);
      client.makeUnaryRequest(PATH, bytes, bytes, Buffer.from('x'), metadata, (error) => resolve(error?.code ?? 0));
    });
  const codes = [await code(token), await code(token.slice(0, -1))];
  client.close();
  if (codes[0] !== grpc.status.OK || codes[1] !== grpc.status.UNAUTHENTICATED) {
    throw new Error(`the guarded gRPC server answers ${codes.join(', ')}, not 0, 16`);
  }
}

await serveVariant({
  bare: async () => ({ port: await listen([]) }),
  // What grpc-js itself asks for any interceptor, whatever it does.
  idle: async () => ({ port: await listen([(_method, call) => new grpc.ServerInterceptingCall(call)]) }),
  async guarded() {
    const { postern, credentials } = await posternWithTokens();
    const { guard } = await load('grpc');
    const port = await listen([guard(postern, { [PATH]: ENDPOINT })]);
    await assertGuarded(port, credentials[0]);
    return { port, credentials };
  },
});
