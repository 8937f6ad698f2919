import { connect, createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import { serve as serveHono } from '@hono/node-server';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import { posternPlugin } from 'postern/fastify';
import { fastifyManagement, type ManagementOptions, managementApi, toNodeHandler } from 'postern/management';
import { describe, expect, onTestFinished, test } from 'vitest';
import { send } from '../transports/http-client.js';
import { serve } from '../transports/support.js';
import { world } from './world.js';

const TOKENS = '/admin/api/v1/api_tokens';

type Made = Awaited<ReturnType<typeof mounted>>['made'];

/** The API below `/admin` of an application with other routes and a session of its own. */
async function mounted(start: (api: ReturnType<typeof managementApi>, made: Made) => Promise<number>) {
  const sources: unknown[] = [];
  const made = { ...(await world()), sources };
  const options: ManagementOptions = {
    basePath: '/admin',
    identify: (_, source) => {
      sources.push(source);
      return (source as { person?: { owner: string; types: object } } | undefined)?.person ?? null;
    },
  };
  const port = await start(managementApi(made.postern, options), made);
  return { made, port };
}

const STARTS = {
  'node:http': (api) => serve((request, response) => void toNodeHandler(api)(request, response)),
  'express 5': (api) => startExpress(express5, api),
  'express 4': (api) => startExpress(express4 as unknown as typeof express5, api),
  'express 5, after its body parsers': (api) =>
    startExpress(express5, api, [express5.json(), express5.urlencoded({ extended: true })]),
  fastify: async (api, { postern }) => {
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    await app.register(fastifyManagement(api), { prefix: '/admin' });
    app.get('/else', { config: { requirement: { public: true } } }, () => ({ else: true }));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return (app.server.address() as AddressInfo).port;
  },
  hono: (api) =>
    new Promise<number>((resolve) => {
      const app = new Hono();
      app.all('/admin/*', ({ req }) => api(req.raw));
      app.get('/else', (context) => context.json({ else: true }));
      const server = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port));
      onTestFinished(() => void server.close());
    }),
} satisfies Record<string, (api: ReturnType<typeof managementApi>, made: Made) => Promise<number>>;

async function startExpress(
  express: typeof express5,
  api: ReturnType<typeof managementApi>,
  before: express5.RequestHandler[] = [],
) {
  const app = express();
  for (const each of before) app.use(each);
  // The application's session, which a middleware puts on the request.
  app.use((request, _response, next) => {
    if (request.headers.cookie === 'sid=ada') {
      Object.assign(request, { person: { owner: 'ada', types: { developer: { scopes: ['models:read'] } } } });
    }
    next();
  });
  app.use(toNodeHandler(api));
  app.get('/else', (_request, response) => void response.json({ else: true }));
  app.get('/admin/own', (_request, response) => void response.json({ else: true }));
  return serve(app);
}

describe.each(Object.entries(STARTS))('%s', (name, start) => {
  test('serves the API at its path', async () => {
    const { made, port } = await mounted(start);
    const url = `http://127.0.0.1:${port}`;
    const headers = { 'x-yatai-api-token': made.tokens.admin?.token as string };
    const body = JSON.stringify({ name: 'ünï', types: { developer: { scopes: ['models:read'] } } });
    const created = await fetch(url + TOKENS, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    });
    const token = (await created.json()) as { uid: string; name: string; token: string };
    expect([created.status, token.name]).toEqual([200, 'ünï']);
    const listed = await fetch(`${url}${TOKENS}?count=1`, { headers });
    expect(await listed.json()).toMatchObject({ total: 8, items: [{ uid: token.uid }] });
    const form = new URLSearchParams({ token: token.token });
    const introspected = await fetch(`${url}/admin/oauth/introspect`, { method: 'POST', headers, body: form });
    expect(await introspected.json()).toMatchObject({ active: true, client_id: token.uid });
    expect((await fetch(`${url}${TOKENS}/${token.uid}`, { method: 'DELETE', headers })).status).toBe(200);

    expect((await fetch(url + TOKENS)).status).toBe(401);
    expect((await fetch(url + TOKENS, { method: 'PUT', headers })).headers.get('allow')).toBe('GET, POST, HEAD');
    const head = await fetch(url + TOKENS, { method: 'HEAD', headers });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const wrongType = { ...headers, 'content-type': 'application/xml' };
    expect((await fetch(url + TOKENS, { method: 'POST', headers: wrongType, body: '<x/>' })).status).toBe(415);
    const large = { ...headers, 'content-type': 'application/json' };
    const tooLarge = await fetch(url + TOKENS, {
      method: 'POST',
      headers: large,
      body: JSON.stringify({ name: 'x'.repeat(70_000) }),
    });
    expect([tooLarge.status, await tooLarge.text()]).toEqual([413, expect.stringContaining('body_too_large')]);
  });

  test('refuses two credentials, also if Node would hide one', async () => {
    const { made, port } = await mounted(start);
    const bearer = ['Authorization', `Bearer ${made.tokens.admin?.token}`] as const;
    expect((await send(port, { path: TOKENS, headers: [bearer, bearer] })).status).toBe(400);
    const raw = ['X-Yatai-Api-Token', made.tokens.admin?.token as string] as const;
    expect((await send(port, { path: TOKENS, headers: [raw, raw] })).status).toBe(400);
  });

  test('leaves other paths to the application', async () => {
    const { port } = await mounted(start);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return [response.status, await response.text()];
    };
    if (name !== 'node:http') expect(await get('/else')).toEqual([200, '{"else":true}']);
    if (name.startsWith('express')) expect(await get('/admin/own')).toEqual([200, '{"else":true}']);
    expect((await get('/admin/nothing'))[0]).toBe(404);
  });

  test("records the caller's address in the audit", async () => {
    const { made, port } = await mounted(start);
    const headers = [['X-Yatai-Api-Token', made.tokens.admin?.token as string]] as const;
    const path = `${TOKENS}/${made.tokens.shared?.id}`;
    expect((await send(port, { method: 'DELETE', path, headers, from: '127.0.0.3' })).status).toBe(200);
    const { items } = await made.postern.audit.list({ type: 'token.deleted' });
    // A `Request` has no address, so the application gives it by `clientAddress`.
    expect(items[0]?.from).toBe(name === 'hono' ? null : '127.0.0.3');
  });
});

test("identify gets Express's own request", async () => {
  const { made, port } = await mounted(STARTS['express 5']);
  const get = async (cookie: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/admin/api/v1/auth/current`, { headers: { cookie } });
    return response.status === 200 ? ((await response.json()) as { name: string }).name : response.status;
  };
  expect([await get('sid=ada'), await get('sid=eve')]).toEqual(['ada', 401]);
  expect(made.sources).toHaveLength(2);
});

test("identify gets Fastify's own request", async () => {
  const { made, port } = await mounted(STARTS.fastify);
  await fetch(`http://127.0.0.1:${port}/admin/api/v1/auth/current`);
  expect(made.sources).toEqual([expect.objectContaining({ raw: expect.anything(), id: expect.any(String) })]);
});

test('the API works behind an Express router that removes part of the path', async () => {
  const made = await world();
  const app = express5();
  app.use('/admin', toNodeHandler(managementApi(made.postern, { basePath: '/admin' })));
  const port = await serve(app);
  const headers = { 'x-yatai-api-token': made.tokens.admin?.token as string };
  expect((await fetch(`http://127.0.0.1:${port}${TOKENS}`, { headers })).status).toBe(200);
});

test('HTTP/2 requests work, and a second credential is refused', async () => {
  const made = await world();
  const handler = toNodeHandler(managementApi(made.postern));
  const server = createHttp2Server((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    client.close();
    server.close();
  });
  const call = (headers: Record<string, string | string[]>, body?: string) =>
    new Promise<{ status: unknown; text: string }>((resolve, reject) => {
      const stream = client.request(headers);
      let status: unknown;
      let text = '';
      stream.on('response', (answer) => {
        status = answer[':status'];
      });
      stream.on('data', (chunk) => {
        text += String(chunk);
      });
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, text }));
      stream.end(body);
    });
  const path = { ':path': '/api/v1/api_tokens' };
  const token = made.tokens.admin?.token as string;
  const json = JSON.stringify({ name: 'h2', scopes: ['api'] });
  const credential = { 'x-yatai-api-token': token, 'content-type': 'application/json' };
  const created = await call({ ...path, ':method': 'POST', ...credential }, json);
  expect([created.status, JSON.parse(created.text).name]).toEqual([200, 'h2']);
  expect((await call({ ...path, 'x-yatai-api-token': [token, token] })).status).toBe(400);
  expect((await call({ ...path, ':method': 'POST', ...credential }, 'x'.repeat(70_000))).status).toBe(413);
});

test('answers on Fastify pass the hooks of the instance', async () => {
  const made = await world();
  const app = fastify({ requestIdHeader: 'x-request-id' });
  onTestFinished(() => app.close());
  await app.register(cors, { origin: 'https://a.example' });
  const seen: unknown[] = [];
  app.addHook('onSend', async (request, reply, payload) => {
    seen.push(payload);
    reply.header('x-request-id', request.id);
  });
  await app.register(fastifyManagement(managementApi(made.postern, { basePath: '/admin' })), { prefix: '/admin' });
  for (const [url, status] of [
    [TOKENS, 401],
    ['/admin/', 200],
  ] as const) {
    const answer = await app.inject({ url, headers: { origin: 'https://a.example', 'x-request-id': 'r1' } });
    expect(answer).toMatchObject({
      statusCode: status,
      headers: { 'access-control-allow-origin': 'https://a.example', 'x-request-id': 'r1' },
    });
    expect(answer.rawPayload.equals(seen.at(-1) as Buffer)).toBe(true);
  }
});

describe.each([
  ['express 4', express4 as unknown as typeof express5],
  ['express 5', express5],
])('behind the API in %s', (_, express) => {
  async function application() {
    const made = await world();
    const app = express();
    app.use(toNodeHandler(managementApi(made.postern, { basePath: '/admin' })));
    app.get('/else', (_request, response) => void response.json({ else: true }));
    app.post('/else', express.json({ limit: '10mb' }), (request, response) => {
      response.json({ length: request.body.text.length });
    });
    return `http://127.0.0.1:${await serve(app)}`;
  }

  test.each([10, 100_000, 2_000_000])('the application gets bodies of %i bytes whole', async (length) => {
    const url = await application();
    const response = await fetch(`${url}/else`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: 'x'.repeat(length) }),
    });
    expect([response.status, await response.json()]).toEqual([200, { length }]);
  });

  test('the application answers HEAD like GET', async () => {
    const url = await application();
    expect((await fetch(`${url}/else`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${url}/admin/nothing`, { method: 'HEAD' })).status).toBe(404);
  });
});
