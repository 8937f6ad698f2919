/**
 * Fetch-style handlers, here routed by Hono and served by `node:http`. On a runtime that serves fetch itself (Workers, Bun, Deno),
 * write `export default app` in place of everything from `createServer` on.
 *
 *   npx tsx examples/fetch.ts        (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { createPostern, memoryStore } from 'postern';
import { guard, notFound } from 'postern/fetch';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const summarize = guard(postern, { endpoint: 'summarizer' }, (_request, { principal }) =>
  Response.json({ summary: 'short', calledBy: principal?.owner }),
);
const listModels = guard(postern, { scope: 'models:read' }, () => Response.json({ models: [] }));
const createModel = guard(postern, { scope: 'models:write' }, () => Response.json({}, { status: 201 }));

const app = new Hono();
app.post('/summarizer', (context) => summarize(context.req.raw));
app.get('/models', (context) => listModels(context.req.raw));
app.post('/models', (context) => createModel(context.req.raw));
app.notFound(notFound());

const server = createServer(async ({ method = 'GET', url = '/', rawHeaders }, outgoing) => {
  // From `rawHeaders`, because Node drops a second Authorization from `headers`, and the guard must refuse that.
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  const response = await app.fetch(new Request(new URL(url, 'http://localhost'), { method, headers }));
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.end(Buffer.from(await response.arrayBuffer()));
});

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  console.log(`allowed:        curl -i -X POST ${url}/summarizer ${bearer}`);
  console.log(`scope missing:  curl -i -X POST ${url}/models ${bearer}`);
});

onShutdown(() => new Promise((closed) => server.close(closed)).then(() => postern.close()));
