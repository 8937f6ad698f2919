export const host = 'NestJS 11';
export const how = 'a gRPC microservice, CommonJS; called by grpc-js';

const PROTO = `
syntax = "proto3";
package bento;
service Models {
  rpc List (Empty) returns (Answer);
  rpc Forgotten (Empty) returns (Answer);
  rpc Watch (Empty) returns (stream Answer);
}
message Empty {}
message Answer { string by = 1; }
`;

/** As the compiler of a Nest application writes it: CommonJS, decorators applied. */
const PROGRAM = `
require('reflect-metadata');
const assert = require('node:assert/strict');
const grpc = require('@grpc/grpc-js');
const { loadSync } = require('@grpc/proto-loader');
const { Controller, Module } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { GrpcMethod, Transport } = require('@nestjs/microservices');
const { NEVER } = require('rxjs');
const { Caller, PosternModule, Requires } = require('postern/nestjs');
const { createTestPostern } = require('postern/testing');

class Models {
  list(_message, _metadata, _call, principal) { return { by: principal.owner }; }
  forgotten() { return { by: 'reached' }; }
  watch() { return NEVER; }
}
Controller()(Models);
Caller()(Models.prototype, 'list', 3);
for (const [name, ...decorators] of [['list', Requires({ scope: 'models:read' })], ['watch', Requires({ scope: 'models:read' })], ['forgotten']]) {
  const rpc = name[0].toUpperCase() + name.slice(1);
  const descriptor = Object.getOwnPropertyDescriptor(Models.prototype, name);
  for (const decorate of [...decorators, GrpcMethod('Models', rpc)]) decorate(Models.prototype, name, descriptor);
}

async function main() {
  const { postern } = createTestPostern();
  class Application {}
  Module({ imports: [PosternModule.forRoot({ postern })], controllers: [Models] })(Application);
  const url = '127.0.0.1:' + (await freePort());
  const protoPath = require('node:path').join(__dirname, 'models.proto');
  const app = await NestFactory.createMicroservice(Application, {
    transport: Transport.GRPC,
    options: { url, package: 'bento', protoPath },
    logger: ['error'],
  });
  await app.listen();
  const { Models: Client } = grpc.loadPackageDefinition(loadSync(protoPath)).bento;
  const client = new Client(url, grpc.credentials.createInsecure());
  const bearer = (token) => {
    const metadata = new grpc.Metadata();
    if (token) metadata.set('authorization', 'Bearer ' + token);
    return metadata;
  };
  const call = (method, token) =>
    new Promise((done) => client[method]({}, bearer(token), (error, answer) => done(error ? grpc.status[error.code] : answer)));

  const made = await postern.tokens.create({ name: 'a', owner: 'ann', types: { developer: { scopes: ['models:read'] } } });
  assert.equal(await call('List'), 'UNAUTHENTICATED');
  assert.equal(await call('List', made.token.slice(0, -1) + '_'), 'UNAUTHENTICATED');
  assert.deepEqual(await call('List', made.token), { by: 'ann' });
  assert.equal(await call('Forgotten', made.token), 'PERMISSION_DENIED');
  const stream = client.Watch({}, bearer(made.token));
  const ended = new Promise((done) => stream.on('error', (error) => done(grpc.status[error.code])));
  stream.on('data', () => {});
  await call('List', made.token);
  await postern.tokens.revoke(made.record.id);
  assert.equal(await ended, 'UNAUTHENTICATED');
  assert.equal(await call('List', made.token), 'UNAUTHENTICATED');
  client.close();
  await app.close();
  console.log('all as expected');
}

const freePort = () =>
  new Promise((done) => {
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
`;

export async function run(context) {
  await context.write({ 'package.json': { private: true }, 'models.proto': PROTO, 'main.js': PROGRAM });
  const { stdout } = await context.node(['main.js'], { timeout: 60_000 });
  if (!stdout.includes('all as expected')) throw new Error(stdout);
  return [
    'UNAUTHENTICATED without a token and with a wrong one, allowed with a good one, PERMISSION_DENIED for an undeclared method; an open stream ended UNAUTHENTICATED once its token was revoked',
  ];
}
