/**
 * Server-sent events that end with their token: revoked, expired, without the right, or their endpoint closed.
 *
 *   npx tsx examples/events.ts      (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it, in two terminals.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createPostern, memoryStore } from 'postern';
import { guard, leaseOf } from 'postern/express';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'clock', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['clock'] } },
  expiresIn: '10m',
});

const app = express();
app.get('/events', guard(postern, { endpoint: 'clock' }), (request, response) => {
  response.set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).flushHeaders();
  const send = () => response.write(`data: ${new Date().toISOString()}\n\n`);
  send();
  const timer = setInterval(send, 1_000);
  response.on('close', () => clearInterval(timer));

  // The decision of the guard was about the first byte. The lease keeps it up to date.
  const { signal } = leaseOf(request);
  signal.addEventListener('abort', () => {
    response.end(`event: goodbye\ndata: ${signal.reason.reason}\n\n`);
  });
});
app.delete('/token', guard(postern, { authenticated: true }), async (request, response) => {
  await postern.tokens.revoke(request.principal?.tokenId ?? '');
  response.sendStatus(204);
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  console.log(`a stream:       curl -N ${url}/events ${bearer}`);
  console.log(`its end:        curl -X DELETE ${url}/token ${bearer}`);
});

onShutdown(async () => {
  // Streams end with the instance; a server waits for them.
  await postern.close();
  await new Promise((closed) => server.close(closed));
});
