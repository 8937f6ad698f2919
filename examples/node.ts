/**
 * `node:http` without a framework: requests, and the handshake of a WebSocket.
 *
 *   npx tsx examples/node.ts         (PORT=3000 for a port of your choice)
 *
 * It prints a token and the calls to try with it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPostern, memoryStore } from 'postern';
import { guard, guardUpgrade, notFound } from 'postern/node';
import { WebSocketServer } from 'ws';
import { onShutdown } from './shutdown.js';

const postern = createPostern({ store: memoryStore() });
await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
});

const json = (response: ServerResponse, body: unknown) =>
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));

const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  'POST /summarizer': guard(postern, { endpoint: 'summarizer' }, (_request, response, { principal }) =>
    json(response, { summary: 'short', calledBy: principal?.owner }),
  ),
  'GET /models': guard(postern, { scope: 'models:read' }, (_request, response) => json(response, { models: [] })),
  'POST /models': guard(postern, { scope: 'models:write' }, (_request, response) => json(response, {})),
};
const elsewhere = notFound();
const server = createServer((request, response) => {
  (routes[`${request.method} ${request.url}`] ?? elsewhere)(request, response);
});

const sockets = new WebSocketServer({ noServer: true });
const upgrade = guardUpgrade(postern, { endpoint: 'summarizer' }, (request, socket, head, { principal }) =>
  sockets.handleUpgrade(request, socket, head, (open) => open.send(`hello ${principal?.owner}`)),
);
server.on('upgrade', upgrade);

server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const bearer = `-H "Authorization: Bearer ${token}"`;
  console.log(`allowed:        curl -i -X POST ${url}/summarizer ${bearer}`);
  console.log(`scope missing:  curl -i -X POST ${url}/models ${bearer}`);
  console.log(`WebSocket:      npx wscat -c ${url.replace('http', 'ws')} ${bearer}`);
});

onShutdown(async () => {
  for (const open of sockets.clients) open.terminate();
  await new Promise((closed) => server.close(closed));
  await postern.close();
});
