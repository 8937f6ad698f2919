import { createServer } from 'node:http';
import express from 'express';
import { auth } from 'express-oauth2-jwt-bearer';
import { AUDIENCE, ISSUER, makeJwts } from '../lib/jwts.mjs';
import { load } from '../lib/postern.mjs';
import { ENDPOINT, HOT } from '../lib/tokens.mjs';
import { assertGuarded, BODY, posternWithTokens, serveVariant } from './serve-variant.mjs';

function listen(handler) {
  return new Promise((resolve, reject) => {
    const server = createServer(handler).listen(0, '127.0.0.1', () => resolve(server.address().port));
    server.on('error', reject);
  });
}

function application(...guards) {
  const app = express();
  // Elsewhere it prints the stack of what it refuses, and nothing of it is measured.
  app.set('env', 'test');
  app.get('/', ...guards, (_request, response) => response.json(BODY));
  return app;
}

async function guarded(app, credentials) {
  const port = await listen(app);
  await assertGuarded(port, credentials[0]);
  return { port, credentials };
}

await serveVariant({
  bare: async () => ({ port: await listen(application()) }),
  // What Express itself asks for any middleware.
  next: async () => ({ port: await listen(application((_request, _response, next) => next())) }),
  async guarded() {
    const { postern, credentials } = await posternWithTokens();
    const { guard } = await load('express');
    return guarded(application(guard(postern, ENDPOINT)), credentials);
  },
  async oauth2() {
    const { tokens, jwk } = makeJwts('RS256', HOT);
    const jwks = await listen((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: [jwk] }));
    });
    const options = { issuer: ISSUER, audience: AUDIENCE, jwksUri: `http://127.0.0.1:${jwks}/jwks.json` };
    return guarded(application(auth({ ...options, tokenSigningAlg: 'RS256' })), tokens);
  },
});
