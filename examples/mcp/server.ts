/**
 * Model Context Protocol: a server over streamable HTTP whose tools each need a scope of their own.
 *
 *   npx tsx examples/mcp/server.ts      (PORT=3000 for a port of your choice)
 *
 * It prints tokens to try with examples/mcp/client.ts: one that may search and publish; one exchanged for it, one derived from it and
 * one of another caller, which may search only.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import { createPostern, memoryStore, scopeAccess } from 'postern';
import { guard, leaseOf, notFound } from 'postern/express';
import { accessTokens, derive, metadataUrl, resourceMetadata } from 'postern/jwt';
import { onShutdown } from '../shutdown.js';
import { refuseWithScope } from './challenge.js';
import { requirementOf } from './requirement.js';
import { Sessions } from './sessions.js';

const app = express();
const server = createServer(app).listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const resource = `${issuer}/mcp`;

// Clients send their tokens to this server alone: its address is the audience.
const encryptionKey = crypto.getRandomValues(new Uint8Array(32));
const signed = accessTokens({ issuer, audience: resource, encryptionKey });
const postern = createPostern({
  store: memoryStore(),
  tokenTypes: { agent: scopeAccess({ tools: { search: [], publish: [] } }) },
  authenticators: [signed],
});

const options = { resourceMetadata: metadataUrl(resource) };
const metadata = resourceMetadata({
  resource,
  authorizationServers: [issuer],
  scopes: ['tools:search', 'tools:publish'],
});
app.use(new URL(metadataUrl(resource)).pathname, getRequestListener(metadata));

const sessions = new Sessions();
app.use(
  '/mcp',
  // Before the whole body is read: a stranger sends a small one at most.
  guard(postern, { authenticated: true }, { ...options, onDenied: refuseWithScope(options) }),
  express.json({ limit: '1mb' }),
  // The body is read once. The tools that are named here are the tools that run.
  guard(postern, (request) => requirementOf(request.method, request.body), options),
  (request, response) => {
    // A stream of events ends when its token does.
    leaseOf(request).signal.addEventListener('abort', () => response.end());
    return sessions.handle(request, response);
  },
);
app.use(notFound());

const { token } = await postern.tokens.create({
  name: 'agent',
  owner: 'you',
  types: { agent: { scopes: ['tools:search', 'tools:publish'] } },
});
const other = await postern.tokens.create({
  name: 'other',
  owner: 'me',
  types: { agent: { scopes: ['tools:search'] } },
});
const { accessToken } = await signed.exchange(postern, token, { scopes: ['tools:search'] });
const derived = await derive(token, { scopes: ['tools:search'], expiresIn: '1h' });
console.log(`API token:      npx tsx examples/mcp/client.ts ${resource} ${token}`);
console.log(`exchanged:      npx tsx examples/mcp/client.ts ${resource} ${accessToken}`);
console.log(`derived:        npx tsx examples/mcp/client.ts ${resource} ${derived}`);
console.log(`another caller: npx tsx examples/mcp/client.ts ${resource} ${other.token}`);

onShutdown(async () => {
  await sessions.close();
  await new Promise((closed) => server.close(closed));
  await postern.close();
});
