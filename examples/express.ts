/**
 * Express: a deployment and a resource, each behind its own requirement.
 *
 *   npx tsx examples/express.ts      (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createPostern, memoryStore } from 'postern';
import { guard, notFound } from 'postern/express';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const app = express();
// Before the body parser, so that bodies of refused calls are not read.
app.post('/summarizer', guard(postern, { endpoint: 'summarizer' }), express.json(), (request, response) => {
  response.json({ summary: 'short', calledBy: request.principal?.owner });
});
app.get('/models', guard(postern, { scope: 'models:read' }), (_request, response) => {
  response.json({ models: [] });
});
app.post('/models', guard(postern, { scope: 'models:write' }), express.json(), (_request, response) => {
  response.status(201).json({});
});
app.use(notFound());

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  console.log(`allowed:        curl -i -X POST ${url}/summarizer ${bearer}`);
  console.log(`allowed:        curl -i ${url}/models ${bearer}`);
  console.log(`scope missing:  curl -i -X POST ${url}/models ${bearer}`);
  console.log(`token missing:  curl -i -X POST ${url}/summarizer`);
});

onShutdown(async () => {
  await new Promise((closed) => server.close(closed));
  await postern.close();
});
