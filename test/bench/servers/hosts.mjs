import { createServer } from 'node:http';
import { create, createFileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, file_google_protobuf_wrappers, StringValueSchema } from '@bufbuild/protobuf/wkt';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { serve } from '@hono/node-server';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Hono } from 'hono';
import { load } from '../lib/postern.mjs';
import { ENDPOINT } from '../lib/tokens.mjs';
import { assertGuarded, BODY, posternWithTokens, serveVariant } from './serve-variant.mjs';

const ADDRESS = { port: 0, hostname: '127.0.0.1' };

function listen(handler) {
  return new Promise((resolve, reject) => {
    const server = createServer(handler).listen(0, ADDRESS.hostname, () => resolve(server.address().port));
    server.on('error', reject);
  });
}

function answer(_request, response) {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(BODY));
}

const inputType = '.google.protobuf.StringValue';

/** The service of Connect, without `buf generate`. */
function summarizeMethod() {
  const method = [{ name: 'Summarize', inputType, outputType: inputType }];
  const proto = {
    name: 'bench.proto',
    package: 'bench',
    syntax: 'proto3',
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [{ name: 'Bench', method }],
  };
  const files = create(FileDescriptorSetSchema, { file: [file_google_protobuf_wrappers.proto, proto] });
  return createFileRegistry(files).getService('bench.Bench').methods[0];
}

/** Each host: a server with its guard, or without one where `postern` is `null`. The result is its port. */
const HOSTS = {
  async node(postern) {
    const { guard } = await load('node');
    return listen(postern === null ? answer : guard(postern, ENDPOINT, answer));
  },
  async hono(postern) {
    const { guard } = await load('hono');
    const app = new Hono();
    const guards = postern === null ? [] : [guard(postern, ENDPOINT)];
    app.get('/', ...guards, (context) => context.json(BODY));
    return new Promise((resolve) => serve({ fetch: app.fetch, ...ADDRESS }, ({ port }) => resolve(port)));
  },
  async nest(postern) {
    const { PosternModule, Requires } = await load('nestjs');
    class Summarizer {
      summarize() {
        return BODY;
      }
    }
    const method = Object.getOwnPropertyDescriptor(Summarizer.prototype, 'summarize');
    Get()(Summarizer.prototype, 'summarize', method);
    Controller()(Summarizer);
    if (postern !== null) Requires(ENDPOINT)(Summarizer.prototype, 'summarize', method);
    class Application {}
    const imports = postern === null ? [] : [PosternModule.forRoot({ postern })];
    Module({ imports, controllers: [Summarizer] })(Application);
    const app = await NestFactory.create(Application, { logger: ['error'] });
    await app.listen(0, ADDRESS.hostname);
    return app.getHttpServer().address().port;
  },
  async connect(postern) {
    const { guard } = await load('connect');
    const routes = (router) => router.rpc(summarizeMethod(), () => create(StringValueSchema, { value: BODY.summary }));
    const guarded = postern === null ? null : guard(postern, { '/bench.Bench/Summarize': ENDPOINT });
    const guards = guarded === null ? {} : { interceptors: [guarded], requestGate: guarded.requestGate };
    return listen(connectNodeAdapter({ routes, ...guards }));
  },
};

/** Requests that are no `GET /`. */
const CALLS = {
  connect: { path: '/bench.Bench/Summarize', method: 'POST', body: '"x"', type: 'application/json' },
};

const variants = Object.entries(HOSTS).flatMap(([host, listenAs]) => [
  [`${host}-bare`, async () => ({ port: await listenAs(null), call: CALLS[host] })],
  [
    `${host}-guarded`,
    async () => {
      const { postern, credentials } = await posternWithTokens();
      const port = await listenAs(postern);
      await assertGuarded(port, credentials[0], CALLS[host]);
      return { port, credentials, call: CALLS[host] };
    },
  ],
]);

await serveVariant(Object.fromEntries(variants));
