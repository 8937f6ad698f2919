export const host = 'ws, @fastify/websocket, Socket.IO';
export const how = 'guardUpgrade before ws, the plugin of Fastify, a middleware of Socket.IO; leases';

const SERVERS = `
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import fastifyWebsocket from '@fastify/websocket';
import fastify from 'fastify';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import WebSocket, { WebSocketServer } from 'ws';
import { createPostern, memoryStore } from 'postern';
import { leaseOf as fastifyLease, posternPlugin } from 'postern/fastify';
import { guardUpgrade, leaseOf } from 'postern/node';

const postern = createPostern({ store: memoryStore() });
const requirement = { scope: 'models:read' };
const create = async () => postern.tokens.create({ name: 'a', types: { developer: { scopes: ['models:read'] } } });
const headersOf = (token) => (token ? { headers: { authorization: 'Bearer ' + token } } : {});
const listen = async (server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
};

/** Refused without a token; open with one; closed by the server once the token is revoked. */
async function tryWebSocket(port) {
  const url = 'ws://127.0.0.1:' + port + '/live';
  const [, refused] = await once(new WebSocket(url), 'unexpected-response');
  assert.equal(refused.statusCode, 401);
  const { token, record } = await create();
  const socket = new WebSocket(url, headersOf(token));
  await once(socket, 'open');
  const closed = once(socket, 'close');
  await postern.tokens.revoke(record.id);
  await closed;
}

const wss = new WebSocketServer({ noServer: true });
const plain = createServer();
plain.on('upgrade', guardUpgrade(postern, requirement, (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (ws) => leaseOf(request).signal.addEventListener('abort', () => ws.close(1008)));
}));
await tryWebSocket(await listen(plain));

const app = fastify();
await app.register(posternPlugin, { postern });
await app.register(fastifyWebsocket);
app.get('/live', { websocket: true, config: { requirement } }, (ws, request) => {
  fastifyLease(request).signal.addEventListener('abort', () => ws.close(1008));
});
await app.listen({ port: 0, host: '127.0.0.1' });
await tryWebSocket(app.server.address().port);

// Socket.IO keeps its own upgrade handler: the decision comes in its middleware, on the request of the handshake.
const { readCredential } = await import('postern/http');
const ioServer = createServer();
const sockets = new Server(ioServer, { transports: ['websocket'] });
sockets.use(async (socket, next) => {
  const decision = await postern.authorize({ ...readCredential(socket.request), requirement });
  next(decision.allowed ? undefined : new Error(decision.reason));
});
const port = await listen(ioServer);
const connect = (token) => io('http://127.0.0.1:' + port, { transports: ['websocket'], reconnection: false, extraHeaders: headersOf(token).headers ?? {} });
const refused = connect();
await new Promise((resolve, reject) => {
  refused.once('connect', () => reject(new Error('let in without a token')));
  refused.once('connect_error', ({ message }) => (message === 'token_missing' ? resolve() : reject(new Error(message))));
});
const { token, record } = await create();
const allowed = connect(token);
await new Promise((resolve, reject) => allowed.once('connect', resolve).once('connect_error', reject));
await postern.tokens.revoke(record.id);
const late = connect(token);
await new Promise((resolve, reject) => {
  late.once('connect', () => reject(new Error('let in with a revoked token')));
  late.once('connect_error', ({ message }) => (message === 'token_revoked' ? resolve() : reject(new Error(message))));
});
process.exit(0);
`;

export async function run(context) {
  await context.write({ 'servers.mjs': SERVERS });
  await context.node(['servers.mjs'], { timeout: 60_000 });
  return [
    'ws and @fastify/websocket: 401 before the upgrade, open with a token, closed once it was revoked',
    'Socket.IO: its middleware refuses without a token and with a revoked one',
  ];
}
