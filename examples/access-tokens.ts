/**
 * Access tokens: one server exchanges API tokens for short-lived JWTs; another one accepts them by the first one's public keys
 * alone. Here both run in one process, and share nothing but an address.
 *
 *   npx tsx examples/access-tokens.ts        (PORT=3000 for a port of your choice)
 *
 * It prints an access token and the calls to try with it.
 */
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { createPostern, isPosternError, memoryStore } from 'postern';
import { guard, notFound } from 'postern/express';
import { accessTokens } from 'postern/jwt';
import { onShutdown } from './shutdown.js';

const issuer = 'https://auth.acme.dev';
const audience = 'https://api.acme.dev';

// The issuer: it has the store, and keeps its signing keys there, encrypted. It rotates them by itself.
const signed = accessTokens({ issuer, audience, encryptionKey: crypto.getRandomValues(new Uint8Array(32)) });
const postern = createPostern({ store: memoryStore(), authenticators: [signed] });
const { token } = await postern.tokens.create({
  name: 'example',
  owner: 'you',
  types: { developer: { scopes: ['models:write'] } },
});
const auth = express();
auth.get('/.well-known/jwks.json', async (_request, response) => {
  response.set('Cache-Control', 'public, max-age=300').json(await signed.jwks());
});
auth.post('/token', express.json(), async (request, response) => {
  try {
    response
      .set('Cache-Control', 'no-store')
      .json(await signed.exchange(postern, request.body?.token, { scopes: ['models:read'] }));
  } catch (error) {
    if (!isPosternError(error)) throw error;
    response.status(error.code === 'unavailable' ? 503 : 400).json({ error: error.code, message: error.message });
  }
});
const authUrl = await listen(auth, 0);

// The API, elsewhere: no database, only the address of the keys.
const verifier = accessTokens.verifier({ issuer, audience, jwks: `${authUrl}/.well-known/jwks.json` });
const api = createPostern({ store: memoryStore(), authenticators: [verifier] });
const app = express();
app.get('/models', guard(api, { scope: 'models:read' }), (request, response) => {
  response.json({ models: [], calledBy: request.principal?.owner });
});
app.post('/models', guard(api, { scope: 'models:write' }), (_request, response) => {
  response.status(201).json({});
});
app.use(notFound());
const apiUrl = await listen(app, Number(process.env.PORT ?? 0));

const { accessToken } = await signed.exchange(postern, token, { scopes: ['models:read'] });
console.log(`exchange:       curl -i ${authUrl}/token -H "Content-Type: application/json" -d '{"token":"${token}"}'`);
console.log(`allowed:        curl -i ${apiUrl}/models -H "Authorization: Bearer ${accessToken}"`);
console.log(`scope missing:  curl -i -X POST ${apiUrl}/models -H "Authorization: Bearer ${accessToken}"`);

function listen(server: Express, port: number): Promise<string> {
  return new Promise((resolve) => {
    const listening = server.listen(port, '127.0.0.1', () => {
      resolve(`http://127.0.0.1:${(listening.address() as AddressInfo).port}`);
    });
    onShutdown(() => new Promise((closed) => listening.close(closed)));
  });
}
