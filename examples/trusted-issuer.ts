/**
 * Tokens of an identity provider (OpenID Connect), beside API tokens, on one route.
 *
 *   npx tsx examples/trusted-issuer.ts      (PORT=3000 for a port of your choice)
 *
 * A provider of a few lines stands in for yours. It prints the calls to try with tokens of both kinds.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createPostern, memoryStore } from 'postern';
import { guard, notFound } from 'postern/express';
import { trustedIssuer } from 'postern/jwt';
import { onShutdown } from './shutdown.js';

const AUDIENCE = 'https://api.example';
const listening = async (app: express.Express, port = 0) => {
  const server = app.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

// The stand-in: metadata, keys, and a token as its token endpoint would issue it.
const { publicKey, privateKey } = await generateKeyPair('ES256');
const login = express();
const provider = await listening(login);
const jwk = { ...(await exportJWK(publicKey)), kid: '2026', alg: 'ES256' };
login.get('/jwks', (_request, response) => void response.json({ keys: [jwk] }));
const metadata = { issuer: provider.url, jwks_uri: `${provider.url}/jwks` };
login.get('/.well-known/openid-configuration', (_request, response) => void response.json(metadata));
const claims = { iss: provider.url, aud: AUDIENCE, sub: 'you', groups: ['readers'] };
const signing = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: '2026', typ: 'at+jwt' });
const accessToken = await signing.setExpirationTime('1h').sign(privateKey);
const issuer = trustedIssuer({
  issuer: provider.url,
  audience: AUDIENCE,
  // The application maps the provider's groups to rights. A caller in none of them is nobody.
  principal: ({ sub, groups }) => {
    const reads = Array.isArray(groups) && groups.includes('readers');
    return reads ? { owner: sub, types: { developer: { scopes: ['models:read'] } } } : null;
  },
});
const postern = createPostern({ store: memoryStore(), authenticators: [issuer] });
const { token } = await postern.tokens.create({ name: 'example', types: { developer: { scopes: ['models:read'] } } });
const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (request, response) => {
  response.json({ models: [], calledBy: request.principal?.owner });
});
app.post('/models', guard(postern, { scope: 'models:write' }), (_request, response) => void response.json({}));
app.use(notFound());
const { server, url } = await listening(app, Number(process.env.PORT ?? 0));
console.log(`allowed:        curl -i ${url}/models -H "Authorization: Bearer ${accessToken}"`);
console.log(`API token:      curl -i ${url}/models -H "Authorization: Bearer ${token}"`);
console.log(`scope missing:  curl -i -X POST ${url}/models -H "Authorization: Bearer ${accessToken}"`);

onShutdown(async () => {
  await Promise.all([server, provider.server].map((each) => new Promise((closed) => each.close(closed))));
  await postern.close();
});
