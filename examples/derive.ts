/**
 * A derived token: the holder of an API token makes a narrower, short-lived one without asking a server.
 *
 *   npx tsx examples/derive.ts      (PORT=3000 for a port of your choice)
 *
 * It prints the calls to try with it.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createPostern, memoryStore } from 'postern';
import { guard, notFound } from 'postern/express';
import { derive } from 'postern/jwt';
import { onShutdown } from './shutdown.js';

// The server needs no option for derived tokens: every instance verifies them.
const postern = createPostern({ store: memoryStore() });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { developer: { scopes: ['models:write'] } },
});

const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (request, response) => {
  response.json({ models: [], calledBy: request.principal?.owner });
});
app.post('/models', guard(postern, { scope: 'models:write' }), (_request, response) => {
  response.status(201).json({});
});
app.use(notFound());

// The holder, on a laptop, in a browser tab or at the edge, makes a token for a worker that reads models for five minutes.
const narrow = await derive(token, { scopes: ['models:read'], methods: ['GET'], expiresIn: '5m' });

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models`;
  console.log(`API token:      curl -i -X POST ${url} -H "Authorization: Bearer ${token}"`);
  console.log(`allowed:        curl -i ${url} -H "Authorization: Bearer ${narrow}"`);
  console.log(`scope missing:  curl -i -X POST ${url} -H "Authorization: Bearer ${narrow}"`);
});

onShutdown(async () => {
  await new Promise((closed) => server.close(closed));
  await postern.close();
});
