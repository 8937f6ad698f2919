/**
 * Access tokens: one server exchanges API tokens for short-lived JWTs. Another accepts them with only the first one's public keys.
 * Here both run in one process, and share only an address.
 *
 *   npx tsx examples/access-tokens.ts        (PORT=3000 for a port of your choice)
 *
 * It prints an access token and the calls to try with it.
 */
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { createPostern, isPosternError, memoryStore } from 'postern';
import { guard } from 'postern/express';
import { accessTokens } from 'postern/jwt';
import { onShutdown } from './shutdown.js';

const names = { issuer: 'https://auth.acme.dev', audience: 'https://api.acme.dev' };

// The issuer keeps its signing keys in the store, encrypted under this key. Keep this key secret.
const signed = accessTokens({ ...names, encryptionKey: crypto.getRandomValues(new Uint8Array(32)) });
const postern = createPostern({ store: memoryStore(), authenticators: [signed] });
const grants = { developer: { scopes: ['models:write'] } } as const;
const { token } = await postern.tokens.create({ name: 'example', owner: 'you', types: grants });

const auth = express();
auth.get('/.well-known/jwks.json', async (_request, response) => {
  response.set('Cache-Control', 'public, max-age=300').json(await signed.jwks());
});
auth.post('/token', express.json(), async (request, response) => {
  try {
    const exchanged = await signed.exchange(postern, request.body?.token, { scopes: ['models:read'] });
    response.set('Cache-Control', 'no-store').json(exchanged);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    response.status(error.code === 'unavailable' ? 503 : 400).json({ code: error.code, detail: error.message });
  }
});
const authUrl = await listen(auth, 0);

// The API knows only the address of the keys. It has no database.
const verifier = accessTokens.verifier({ ...names, jwks: `${authUrl}/.well-known/jwks.json` });
const api = createPostern({ store: memoryStore(), authenticators: [verifier] });
const app = express();
app.get('/models', guard(api, { scope: 'models:read' }), (request, response) => {
  response.json({ models: [], calledBy: request.principal?.owner });
});
app.post('/models', guard(api, { scope: 'models:write' }), (_request, response) => void response.status(201).json({}));
const apiUrl = await listen(app, Number(process.env.PORT ?? 0));

const { accessToken } = await signed.exchange(postern, token, { scopes: ['models:read'] });
console.log(`exchange:       curl -i ${authUrl}/token -H "Content-Type: application/json" -d '{"token":"${token}"}'`);
console.log(`allowed:        curl -i ${apiUrl}/models -H "Authorization: Bearer ${accessToken}"`);
console.log(`scope missing:  curl -i -X POST ${apiUrl}/models -H "Authorization: Bearer ${accessToken}"`);

async function listen(server: Express, port: number): Promise<string> {
  const listening = server.listen(port, '127.0.0.1');
  await new Promise((resolve) => listening.once('listening', resolve));
  onShutdown(async () => void listening.close());
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}
