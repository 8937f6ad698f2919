import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import type { Postern } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { fastifyManagement, managementApi, toNodeHandler } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { send } from './http-client.js';
import { serve } from './support.js';

type Tamper = (request: IncomingMessage) => void;
type Host = (postern: Postern, tamper: Tamper) => Promise<number>;

const GUARDED = '/guarded';
const MANAGED = '/admin/api/v1/api_tokens';

const HOSTS: Readonly<Record<string, Host>> = {
  'Express 5': (postern, tamper) => onExpress(express5, postern, tamper),
  'Express 4': (postern, tamper) => onExpress(express4 as unknown as typeof express5, postern, tamper),
  async Fastify(postern, tamper) {
    const app = fastify();
    onTestFinished(() => app.close());
    app.addHook('onRequest', async (request) => tamper(request.raw));
    await app.register(posternPlugin, { postern });
    await app.register(fastifyManagement(managementApi(postern, { basePath: '/admin' })), { prefix: '/admin' });
    app.get(GUARDED, { config: { requirement: { authenticated: true } } }, () => 'reached');
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as { port: number }).port;
  },
};

function onExpress(express: typeof express5, postern: Postern, tamper: Tamper): Promise<number> {
  const app = express();
  app.use((request, _response, next) => {
    tamper(request);
    next();
  });
  app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
  app.get(GUARDED, guard(postern, { authenticated: true }), (_request, response) => void response.send('reached'));
  return serve(app);
}

async function setUp() {
  const { postern } = createTestPostern();
  const make = async () => (await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } })).token;
  return { postern: postern as Postern, token: await make(), other: await make() };
}

type Header = readonly [name: string, value: string];
interface Case {
  readonly sent: (token: string, other: string) => readonly Header[];
  readonly tamper: (request: IncomingMessage, token: string) => void;
  readonly status: number;
}

const bearer = (token: string): Header => ['Authorization', `Bearer ${token}`];

/** Changes of one header by middleware or clients, and the answer of every reader of it. */
const CASES: Readonly<Record<string, Case>> = {
  'a header that nobody touched': { sent: (token) => [bearer(token)], tamper: () => {}, status: 200 },
  'a header that middleware deleted': {
    sent: (token) => [bearer(token)],
    tamper: (request) => void delete request.headers.authorization,
    status: 401,
  },
  'a header that middleware made undefined': {
    sent: (token) => [bearer(token)],
    tamper: (request) => {
      request.headers.authorization = undefined;
    },
    status: 401,
  },
  'two headers, of which middleware deleted what Node kept': {
    sent: (token, other) => [bearer(token), bearer(other)],
    tamper: (request) => void delete request.headers.authorization,
    status: 401,
  },
  'two headers': { sent: (token, other) => [bearer(token), bearer(other)], tamper: () => {}, status: 400 },
  'two headers, of which middleware changed what Node kept': {
    sent: (_token, other) => [bearer(other), bearer(other)],
    tamper: (request, token) => {
      request.headers.authorization = `Bearer ${token}`;
    },
    status: 400,
  },
  'a header that middleware made out of something else': {
    sent: () => [['Cookie', 'sid=1']],
    tamper: (request, token) => {
      request.headers.authorization = `Bearer ${token}`;
    },
    status: 200,
  },
  'a credential that middleware took away': {
    sent: (token) => [bearer(token)],
    tamper: (request) => {
      request.headers.authorization = 'Bearer x';
    },
    status: 401,
  },
  'a header in another case that only middleware can make': {
    sent: () => [],
    tamper: (request, token) => {
      request.headers.Authorization = `Bearer ${token}`;
    },
    status: 401,
  },
  'a header between blanks': {
    sent: () => [],
    tamper: (request, token) => {
      request.headers.authorization = `\t Bearer ${token} \n`;
    },
    status: 200,
  },
  'no raw headers, as in serverless adapters': {
    sent: (token) => [bearer(token)],
    tamper: (request) => {
      request.rawHeaders = [];
    },
    status: 200,
  },
  'a runtime that knows no raw headers': {
    sent: (token) => [bearer(token)],
    tamper: (request) => void delete (request as Partial<IncomingMessage>).rawHeaders,
    status: 200,
  },
  'a list of values, as some adapters have it': {
    sent: (token) => [bearer(token)],
    tamper: (request, token) => {
      (request.headers as Record<string, unknown>).authorization = [`Bearer ${token}`, `Bearer ${token}`];
    },
    status: 400,
  },
};

describe.each(Object.entries(HOSTS))('on %s', (_, host) => {
  test.each(Object.entries(CASES))('a guard and the management API read a header alike: %s', async (_name, each) => {
    const { postern, token, other } = await setUp();
    const port = await host(postern, (request) => each.tamper(request, token));
    const headers = each.sent(token, other);
    const guarded = await send(port, { path: GUARDED, headers });
    const managed = await send(port, { path: MANAGED, headers });
    expect([guarded.status, managed.status]).toEqual([each.status, each.status]);
  });
});

test.each([
  ['takes away', 'sent', undefined, 401],
  ['replaces', 'sent', 'Bearer x', 401],
  ['sets', 'not sent', 'Bearer {token}', 200],
  ['makes a list of', 'sent', 'Bearer {token}, Bearer {token}', 400],
] as const)(
  'a Fastify hook that %s the credential in request.headers counts for both',
  async (_, sent, value, status) => {
    const { postern, token } = await setUp();
    const app = fastify();
    onTestFinished(() => app.close());
    app.addHook('onRequest', async (request) => {
      request.headers = { ...request.headers, authorization: value?.replaceAll('{token}', token) };
    });
    await app.register(posternPlugin, { postern });
    await app.register(fastifyManagement(managementApi(postern, { basePath: '/admin' })), { prefix: '/admin' });
    app.get(GUARDED, { config: { requirement: { authenticated: true } } }, () => 'reached');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as { port: number };
    const headers = sent === 'sent' ? [bearer(token)] : [];
    const guarded = await send(port, { path: GUARDED, headers });
    const managed = await send(port, { path: MANAGED, headers });
    expect([guarded.status, managed.status]).toEqual([status, status]);
  },
);

test('a request made by a serverless adapter reaches the guard and the management API', async () => {
  const { postern, token } = await setUp();
  const app = express5();
  app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
  app.get(GUARDED, guard(postern, { authenticated: true }), (_request, response) => void response.send('reached'));
  const invoke = (url: string) =>
    new Promise<number>((resolve) => {
      // Like `serverless-http`: headers and an address on a request without a socket.
      const request = Object.assign(new IncomingMessage(new Socket()), {
        method: 'GET',
        url,
        headers: { authorization: `Bearer ${token}`, host: 'localhost' },
      });
      const response = new ServerResponse(request);
      response.end = (() => {
        resolve(response.statusCode);
        return response;
      }) as typeof response.end;
      app(request as express5.Request, response as express5.Response);
    });
  expect([await invoke(GUARDED), await invoke(MANAGED)]).toEqual([200, 200]);
});
