import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import {
  discoverOAuthProtectedResourceMetadata,
  discoverOAuthServerInfo,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import express from 'express';
import { createPostern, memoryStore, type Postern } from 'postern';
import { guard } from 'postern/express';
import { metadataUrl, resourceMetadata, trustedIssuer } from 'postern/jwt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimedScopes } from '../../src/jwt/claimed-scopes.js';
import { CLIENT, type OidcServer, startOidc } from './support/oidc.js';

let server: Server;
let oidc: OidcServer;
let postern: Postern;
/** The MCP server, the audience of the tokens. */
let resource: string;

beforeAll(async () => {
  const app = express();
  server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  resource = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  oidc = await startOidc({ resource, scopes: ['models:read', 'models:write'] });
  postern = createPostern({
    store: memoryStore(),
    authenticators: [
      trustedIssuer({
        issuer: oidc.issuer,
        audience: resource,
        principal: (claims) => {
          const scopes = claimedScopes(claims, ['models:read', 'models:write']);
          return scopes.length === 0 ? null : { owner: claims.sub, types: { developer: { scopes } } };
        },
      }),
    ],
  });

  const metadata = resourceMetadata({
    resource,
    authorizationServers: [oidc.issuer],
    scopes: ['models:read', 'models:write'],
  });
  app.use(new URL(metadataUrl(resource)).pathname, getRequestListener(metadata));
  const options = { resourceMetadata: metadataUrl(resource) };
  app.get('/mcp/admin', guard(postern, { scope: 'iam:write' }, options));
  app.post('/mcp', guard(postern, { scope: 'models:read' }, options), async (request, response) => {
    // Without sessions, each request gets a server of its own.
    const mcp = new McpServer({ name: 'models', version: '1.0.0' });
    mcp.registerTool('whoami', { description: 'Who calls' }, () => ({
      content: [{ type: 'text', text: String(request.principal?.owner) }],
    }));
    const transport = new StreamableHTTPServerTransport();
    response.on('close', () => void mcp.close());
    await mcp.connect(transport as Transport);
    await transport.handleRequest(request, response);
  });
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await oidc.down();
  await postern.close();
});

it('the MCP SDK finds the authorization server by the challenge and the metadata', async () => {
  const refused = await fetch(resource, { method: 'POST' });
  expect(refused.status).toBe(401);
  const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused);
  expect(String(resourceMetadataUrl)).toBe(metadataUrl(resource));
  const metadata = await discoverOAuthProtectedResourceMetadata(resource, {
    resourceMetadataUrl: metadataUrl(resource),
  });
  expect(metadata).toMatchObject({ resource, authorization_servers: [oidc.issuer] });
  const info = await discoverOAuthServerInfo(resource, { resourceMetadataUrl: new URL(metadataUrl(resource)) });
  expect(info.authorizationServerUrl).toBe(oidc.issuer);
  expect(info.authorizationServerMetadata?.token_endpoint).toBe(`${oidc.issuer}/token`);
});

it('the MCP SDK finds the metadata at the path of RFC 9728 without a challenge', async () => {
  expect(await discoverOAuthProtectedResourceMetadata(resource)).toMatchObject({ resource });
});

it('an MCP client that got its token by itself is let in', async () => {
  const before = oidc.count('/token');
  const client = await connect('models:read');
  expect(await client.callTool({ name: 'whoami' })).toMatchObject({ content: [{ type: 'text', text: CLIENT.id }] });
  expect(oidc.count('/token')).toBe(before + 1);
  await client.close();
});

it('an MCP client is told the missing scope, so that it can ask for it', async () => {
  const token = await oidc.token('models:read');
  const response = await fetch(`${resource}/admin`, { headers: { Authorization: `Bearer ${token}` } });
  expect(response.status).toBe(403);
  expect(extractWWWAuthenticateParams(response)).toEqual({
    resourceMetadataUrl: new URL(metadataUrl(resource)),
    scope: 'iam:write',
    error: 'insufficient_scope',
  });
});

async function connect(scope: string): Promise<Client> {
  const authProvider = new ClientCredentialsProvider({
    clientId: CLIENT.id,
    clientSecret: CLIENT.secret,
    expectedIssuer: oidc.issuer,
    scope,
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }) as Transport);
  return client;
}
