import express from 'express';
import fastify from 'fastify';
import { own } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard } from 'postern/grpc';
import { memoryRateLimiter } from 'postern/limits';
import { fastifyManagement, managementApi, toNodeHandler } from 'postern/management';
import { guard as nodeGuard } from 'postern/node';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { passagesOf } from '../../src/transports/once.js';
import * as grpc from './grpc/harness.js';
import { serve } from './support.js';

const LIMIT = 4;
const ANYONE = { authenticated: true } as const;
const READER = { scope: 'models:read' } as const;

async function setUp() {
  const { postern } = createTestPostern({ rateLimiter: memoryRateLimiter() });
  const { token, record } = await postern.tokens.create({
    name: 'x',
    types: { developer: { scopes: ['*'] } },
    rateLimit: { points: LIMIT, duration: '1h' },
  });
  return {
    postern,
    headers: { authorization: `Bearer ${token}` },
    token,
    /** The number of uses shown to the token's owner. */
    async uses() {
      await postern.flush();
      return (await postern.tokens.usage(record.id)).reduce((sum, { count }) => sum + count, 0);
    },
  };
}

/** The gRPC statuses of these tests. */
const HTTP_OF: Readonly<Record<number, number>> = { 0: 200, 8: 429 };

type Made = Awaited<ReturnType<typeof setUp>>;
type Call = () => Promise<number>;

const PATHS: Readonly<Record<string, (made: Made) => Promise<Call>>> = {
  'an application, a router and a route of Express': async ({ postern, headers }) => {
    const app = express();
    const router = express.Router();
    app.use(guard(postern, ANYONE));
    router.use(guard(postern, READER));
    router.get(
      '/x',
      guard(postern, () => Promise.resolve(READER)),
      (_request, response) => void response.send('x'),
    );
    app.use('/r', router);
    const port = await serve(app);
    return async () => (await fetch(`http://127.0.0.1:${port}/r/x`, { headers })).status;
  },
  'a guard of Express before the management API': async ({ postern, headers }) => {
    const app = express();
    app.use('/admin', guard(postern, ANYONE));
    app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
    const port = await serve(app);
    return async () => (await fetch(`http://127.0.0.1:${port}/admin/api/v1/current_org`, { headers })).status;
  },
  'a guard of Express before a fetch guard on node:http': async ({ postern, headers }) => {
    const app = express();
    app.use(guard(postern, ANYONE));
    app.use(toNodeHandler(fetchGuard(postern, READER, () => new Response('x'))));
    const port = await serve(app);
    return async () => (await fetch(`http://127.0.0.1:${port}/x`, { headers })).status;
  },
  'a guard of node:http before one of Express': async ({ postern, headers }) => {
    const app = express();
    app.get('/x', guard(postern, READER), (_request, response) => void response.send('x'));
    const port = await serve(nodeGuard(postern, ANYONE, (request, response) => app(request, response)));
    return async () => (await fetch(`http://127.0.0.1:${port}/x`, { headers })).status;
  },
  'a guard of Express before one of node:http': async ({ postern, headers }) => {
    const app = express();
    app.use(guard(postern, ANYONE));
    app.use((request, response) => nodeGuard(postern, READER, (_, out) => out.end('x'))(request, response));
    const port = await serve(app);
    return async () => (await fetch(`http://127.0.0.1:${port}/x`, { headers })).status;
  },
  'the Fastify plugin, and a guard of Express on the same request': async ({ postern, headers }) => {
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.addHook('preHandler', (request, reply, next) => {
      // Like @fastify/express, which gives middleware the raw request.
      const inner = guard(postern, READER) as unknown as (...args: unknown[]) => void;
      inner(request.raw, Object.assign(reply.raw, { set: () => {} }), next);
    });
    app.get('/x', { config: { requirement: ANYONE } }, () => 'x');
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    return async () => (await fetch(`${address}/x`, { headers })).status;
  },
  'a hook of Fastify before the management API': async ({ postern, headers }) => {
    const app = fastify();
    onTestFinished(() => app.close());
    app.addHook('onRequest', (request, reply, next) => {
      const outer = guard(postern, ANYONE) as unknown as (...args: unknown[]) => void;
      outer(request.raw, Object.assign(reply.raw, { set: () => {} }), next);
    });
    await app.register(fastifyManagement(managementApi(postern, { basePath: '/admin' })), { prefix: '/admin' });
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    return async () => (await fetch(`${address}/admin/api/v1/current_org`, { headers })).status;
  },
  'a fetch guard in another one, before the management API': async ({ postern, headers }) => {
    const api = managementApi(postern);
    const handler = fetchGuard(postern, ANYONE, fetchGuard(postern, READER, (request) => api(request)) as never);
    return async () => (await handler(new Request('http://x/api/v1/current_org', { headers }))).status;
  },
  'two guards of a gRPC server': async ({ postern, token }) => {
    const interceptors = [grpcGuard(postern, { '/a.B/': ANYONE }), grpcGuard(postern, { '/a.B/': READER })];
    const running = await grpc.startServer({ interceptors, echo: { '/a.B/C': 'unary' } });
    const client = grpc.insecure(running.address);
    onTestFinished(() => {
      client.close();
      running.close();
    });
    return async () => {
      const { code } = await grpc.call(client, { path: '/a.B/C', form: 'unary', metadata: grpc.bearer(token) });
      return HTTP_OF[code] ?? code;
    };
  },
};

describe('one request is charged and counted once', () => {
  test.each(Object.entries(PATHS))('by %s', async (_, start) => {
    const made = await setUp();
    const call = await start(made);
    const statuses: number[] = [];
    for (let i = 0; i < LIMIT + 2; i++) statuses.push(await call());
    expect(statuses).toEqual([...new Array(LIMIT).fill(200), 429, 429]);
    expect(await made.uses()).toBe(LIMIT);
  });
});

test('a request that is asked the same again keeps it once, and another question or credential beside it', async () => {
  const { postern, issue } = createTestPostern();
  const tokens = [(await issue({ scopes: ['models:read'] })).token, (await issue({ scopes: ['models:read'] })).token];
  const ask = (requirement: () => object) => fetchGuard(postern, requirement as never, () => new Response());
  const request = new Request('http://x/', { headers: { authorization: `Bearer ${tokens[0]}` } });
  const count = async (requirement: () => object) => {
    for (let i = 0; i < 3; i++) expect((await ask(requirement)(request)).status).toBe(200);
    return passagesOf(request).length;
  };
  expect(await count(() => ({ scope: ['models:read'] }))).toBe(1);
  expect(await count(() => ({ scope: ['models:read'], organization: own }))).toBe(2);
  expect(await count(() => ({ authenticated: true }))).toBe(3);
  request.headers.set('authorization', `Bearer ${tokens[1]}`);
  // The new credential is used, and then kept once.
  expect(await count(() => ({ authenticated: true }))).toBe(4);
});
