/**
 * An access token that is bound to a key (DPoP, RFC 9449). It is useless to a thief, because each call needs a proof that only
 * the key's holder can make. A proof is good once.
 *
 *   npx tsx examples/dpop.ts      (PORT=3000 for a port of your choice)
 *
 * It makes the calls itself, because a proof is good for one call within one minute. Then it ends.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createPostern, memoryStore } from 'postern';
import { guard } from 'postern/express';
import { accessTokens, dpopProof, generateKeys } from 'postern/jwt';

// The server. A proof names the called address. It is compared with `audience`, never with a header of the request.
const port = Number(process.env.PORT ?? 0);
const app = express();
const server = app.listen(port, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const signed = accessTokens({ issuer: 'https://auth.acme.dev', audience: url, keys: await generateKeys() });
const postern = createPostern({ store: memoryStore(), authenticators: [signed] });
app.get(
  '/models',
  guard(postern, { scope: 'models:read' }),
  (_request, response) => void response.json({ models: [] }),
);
const { token } = await postern.tokens.create({ name: 'example', types: { developer: { scopes: ['models:read'] } } });

// The client makes a key pair, and gives its public half to the exchange.
const [key] = await generateKeys({ alg: 'ES256' });
if (key === undefined) throw new Error('no key');
const { d: _private, ...dpopKey } = key;
const { accessToken, tokenType } = await signed.exchange(postern, token, { dpopKey });
const proof = () => dpopProof({ accessToken, method: 'GET', url: `${url}/models`, key: { ...key } });
const call = async (what: string, headers: Record<string, string>) => {
  const { status } = await fetch(`${url}/models`, { headers });
  console.log(`${what.padEnd(28)} ${status}`);
};

const once = await proof();
await call('with its proof:', { authorization: `${tokenType} ${accessToken}`, dpop: once });
await call('the same proof again:', { authorization: `${tokenType} ${accessToken}`, dpop: once });
await call('a new proof:', { authorization: `${tokenType} ${accessToken}`, dpop: await proof() });
await call('the token alone:', { authorization: `${tokenType} ${accessToken}` });
await call('as a plain bearer token:', { authorization: `Bearer ${accessToken}` });

await new Promise((closed) => server.close(closed));
await postern.close();
