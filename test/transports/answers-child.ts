import { createServer, request as httpRequest, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import { memoryStore } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { fastifyManagement, managementApi, toNodeHandler } from 'postern/management';
import type { Store } from 'postern/store';
import { createTestPostern } from 'postern/testing';

/** The number of requests of each kind to each host. */
const ROUNDS = 25;
/** Random numbers that are the same in each run. */
let seed = 1;
const chance = (below: number) => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % below;
};
const pause = () => new Promise((resolve) => setTimeout(resolve, chance(6)));

const inner = memoryStore();
const slowStore = new Proxy(inner, {
  get(target, property, receiver) {
    const value = Reflect.get(target, property, receiver);
    if (typeof value !== 'function' || property === 'subscribe' || property === 'close') return value;
    return async (...args: unknown[]) => {
      await pause();
      return value.apply(target, args);
    };
  },
}) as Store;
const { postern } = createTestPostern({ store: slowStore, cache: false, onEvent: () => {} });
const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
const api = managementApi(postern, { basePath: '/admin' });

/** Answers before the handler does, in one of the usual ways of timeouts. */
function timeout(response: ServerResponse): void {
  const way = chance(4);
  setTimeout(() => {
    if (response.headersSent || response.destroyed) return;
    if (way === 0) response.writeHead(503).end('timeout');
    if (way === 1) {
      response.writeHead(503, { 'content-length': '7' }).write('time');
      setTimeout(() => response.end('out'), 2);
    }
    if (way === 2) response.destroy();
  }, chance(6));
}

const brokenBody = () =>
  new Response(
    new ReadableStream({
      async pull(controller) {
        await pause();
        if (chance(2) === 0) controller.enqueue(new TextEncoder().encode('half of '));
        else controller.error(new Error('the body broke off'));
      },
    }),
  );

const throwsLate = async (_denial: unknown, _request: unknown, response: ServerResponse) => {
  response.writeHead(418).write('half of ');
  await pause();
  throw new Error('no template');
};

function onExpress(express: typeof express5): RequestListener {
  const app = express();
  app.use((_request, response, next) => {
    timeout(response);
    next();
  });
  app.use(toNodeHandler(api));
  app.use(
    '/broken',
    toNodeHandler(async () => brokenBody()),
  );
  app.use(
    '/rejects',
    toNodeHandler(() => pause().then(() => Promise.reject(new Error('no handler')))),
  );
  app.use('/guarded', guard(postern, { scope: 'models:read' }), (_request, response) => {
    if (!response.headersSent) response.send('reached');
  });
  app.use(
    '/denied',
    guard(postern, () => pause().then(() => null), { onDenied: throwsLate as never }),
  );
  app.use('/late', guard(postern, { scope: 'models:read' }), (_request, response) => {
    if (!response.headersSent) response.write('half of ');
    throw new Error('a handler failed after it had begun');
  });
  app.use('/throws', (request, response) => {
    // Middleware outside of a router, so nothing catches errors of its `next`.
    guard(postern, () => pause().then(() => ({ public: true })))(request, response, () => {
      throw new Error('next failed');
    });
  });
  // Express's own last handler waits for the body, and then writes into the answer of a timeout.
  app.use((_request, response) => {
    if (!response.headersSent) response.status(404).end();
  });
  app.use(((_error, _request, response, _next) => {
    if (response.headersSent) response.destroy();
    else response.status(500).send('failed');
  }) as express5.ErrorRequestHandler);
  return app;
}

const PATHS = [
  '/admin/api/v1/api_tokens',
  '/broken',
  '/rejects',
  '/guarded',
  '/denied',
  '/late',
  '/throws',
  '/nothing',
];

const onNode: RequestListener = (request, response) => {
  timeout(response);
  if (request.url === '/broken') void toNodeHandler(async () => brokenBody())(request, response);
  else if (request.url === '/rejects') void toNodeHandler(() => Promise.reject(new Error('no')))(request, response);
  else void toNodeHandler(api)(request, response);
};

async function listening(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

async function onFastify() {
  const app = fastify();
  app.addHook('onRequest', (_request, reply, next) => {
    timeout(reply.raw);
    next();
  });
  await app.register(posternPlugin, { postern, onDenied: () => (chance(2) === 0 ? undefined : Promise.reject(1)) });
  await app.register(fastifyManagement(api), { prefix: '/admin' });
  app.get('/guarded', { config: { requirement: { scope: 'models:read' } } }, () => 'reached');
  app.get('/denied', { config: { requirement: () => pause().then(() => null) } }, () => 'reached');
  app.get('/throws', { config: { requirement: () => pause().then(() => ({ public: true })) } }, () => 'reached');
  app.addHook('onRequest', (request, _reply, next) => {
    if (request.url === '/throws') throw new Error('a hook failed where Fastify does not catch it');
    next();
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.server.close() };
}

/** The parts of one answer, or `null` if the connection was cut. */
function call(port: number, path: string, method: string): Promise<string | null> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
    const request = httpRequest({ port, host: '127.0.0.1', path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', () => resolve(null));
      response.on('close', () => resolve(response.complete ? `${response.statusCode} ${text}` : null));
    });
    request.on('error', () => resolve(null));
    request.end(method === 'POST' ? '{"name":"x","types":{"developer":{"scopes":["models:read"]}}}' : undefined);
  });
}

/** A client that leaves in the middle of its own body or of the answer. */
function leave(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const head = `Host: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100`;
    socket.write(`POST ${path} HTTP/1.1\r\n${head}\r\n\r\n{"name":`);
    socket.on('error', () => {});
    socket.on('close', () => resolve());
    setTimeout(() => socket.destroy(), chance(8));
  });
}

const said = new Set<string>();
for (const server of [
  await listening(onNode),
  await listening(onExpress(express5)),
  await listening(onExpress(express4 as unknown as typeof express5)),
  await onFastify(),
]) {
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all(
      PATHS.flatMap((path) => [
        call(server.port, path, 'GET'),
        call(server.port, path, 'POST'),
        leave(server.port, path),
      ]),
    );
    for (const each of answers) if (typeof each === 'string') said.add(each.slice(0, 16));
  }
  server.close();
}
// Waits for everything under way.
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(JSON.stringify([...said]));
process.exit(0);
