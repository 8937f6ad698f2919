/**
 * Your own authenticator: session tokens that an application issued before it used postern, beside API tokens.
 *
 *   npx tsx examples/authenticator.ts      (PORT=3000 for a port of your choice)
 *
 * The sessions are JWTs under a shared secret (HS256). It prints the calls to try.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import { type Authenticator, createPostern, memoryStore } from 'postern';
import { guard, notFound } from 'postern/express';
import { onShutdown } from './shutdown.js';

const SECRET = crypto.getRandomValues(new Uint8Array(32));
const ROLES: Record<string, string[]> = { reader: ['models:read'], editor: ['models:write'] };

const sessions: Authenticator = {
  // By form alone: nothing in the token is verified yet.
  accepts: (token) => decodeProtectedHeader(token).typ === 'session+jwt',
  async authenticate(token, now) {
    try {
      const options = { algorithms: ['HS256'], typ: 'session+jwt', requiredClaims: ['sub', 'exp'] };
      const { payload } = await jwtVerify(token, SECRET, { ...options, currentDate: new Date(now) });
      const { sub = null, exp = 0, role } = payload;
      const scopes = Object.hasOwn(ROLES, String(role)) ? ROLES[String(role)] : undefined;
      if (scopes === undefined) return 'token_unknown';
      // Without `mayIssue` it makes no API tokens: they would outlive the session.
      return { types: { developer: { scopes } }, owner: sub, endsAt: new Date(exp * 1000) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return 'token_expired';
      if (error instanceof errors.JOSEError) return 'token_unknown';
      throw error;
    }
  },
};

const postern = createPostern({ store: memoryStore(), authenticators: [sessions] });
const { token } = await postern.tokens.create({ name: 'example', types: { developer: { scopes: ['models:read'] } } });
const signing = new SignJWT({ sub: 'you', role: 'reader' }).setProtectedHeader({ alg: 'HS256', typ: 'session+jwt' });
const session = await signing.setExpirationTime('1h').sign(SECRET);

const app = express();
app.get('/models', guard(postern, { scope: 'models:read' }), (request, response) => {
  response.json({ models: [], calledBy: request.principal?.owner });
});
app.post('/models', guard(postern, { scope: 'models:write' }), (_request, response) => void response.json({}));
app.use(notFound());
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
console.log(`allowed:        curl -i ${url}/models -H "Authorization: Bearer ${session}"`);
console.log(`API token:      curl -i ${url}/models -H "Authorization: Bearer ${token}"`);
console.log(`scope missing:  curl -i -X POST ${url}/models -H "Authorization: Bearer ${session}"`);

onShutdown(async () => {
  await new Promise((closed) => server.close(closed));
  await postern.close();
});
