import { createHash } from 'node:crypto';
import express from 'express';
import fastify from 'fastify';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { memoryStore } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { generateKeys } from 'postern/jwt';
import type { Store } from 'postern/store';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dpopProof, proofVerifier, thumbprintOf } from '../../src/jwt/dpop.js';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { refusal, START, verdict } from '../support/outcomes.js';
import { send } from '../transports/http-client.js';
import { serve } from '../transports/support.js';
import { API, claimsIn, issueBoth, issuerWorld } from './support/access.js';

const ORIGIN = 'https://api.acme.dev';
const TOKEN = jwt('bound');
const ATH = createHash('sha256').update(TOKEN).digest('base64url');
const NOW = START / 1000;

async function newKey(alg = 'ES256'): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg };
}

const publicOf = ({ d: _, ...rest }: JWK): JWK => rest;

/** A proof with any header and claims. */
async function proofWith(key: JWK, { header = {}, claims = {} }: { header?: object; claims?: object } = {}) {
  const { importJWK } = await import('jose');
  return new SignJWT({ jti: crypto.randomUUID(), htm: 'GET', htu: `${ORIGIN}/models`, iat: NOW, ath: ATH, ...claims })
    .setProtectedHeader({ alg: key.alg ?? 'ES256', typ: 'dpop+jwt', jwk: publicOf(key), ...header })
    .sign(await importJWK(key));
}

async function verifier(store: Pick<Store, 'findEntry' | 'putEntry'> = memoryStore()) {
  const key = await newKey();
  const jkt = await thumbprintOf(key as Record<string, unknown>);
  const verify = proofVerifier({ jkt, token: TOKEN, origins: [ORIGIN], store });
  const check = (jwtText: string | null, { method = 'GET', target = '/models', now = START } = {}) =>
    verify({ method, proof: { jwt: jwtText, target } }, now);
  return { key, jkt, verify, check };
}

describe('a proof of possession', () => {
  test.each(['ES256', 'EdDSA', 'RS256', 'PS256', 'ES384'])('with %s is accepted once', async (alg) => {
    const key = await newKey(alg);
    const jkt = await thumbprintOf(key as Record<string, unknown>);
    const verify = proofVerifier({ jkt, token: TOKEN, origins: [ORIGIN], store: memoryStore() });
    const proof = await dpopProof({
      accessToken: TOKEN,
      method: 'GET',
      url: `${ORIGIN}/models?x=1#y`,
      key: key as never,
      clock: () => START,
    });
    const presentation = { method: 'GET', proof: { jwt: proof, target: '/models?z=2' } };
    expect(await verify(presentation, START)).toBe(true);
    expect(await verify(presentation, START)).toBe(false);
    expect(await verify(presentation, START + 59_000)).toBe(false);
  });

  test('sent to two processes at the same time is accepted by one of them', async () => {
    const store = memoryStore();
    const { key, jkt, check } = await verifier(store);
    const other = proofVerifier({ jkt, token: TOKEN, origins: [ORIGIN], store });
    const proof = await proofWith(key);
    const answers = await Promise.all([
      check(proof),
      other({ method: 'GET', proof: { jwt: proof, target: '/models' } }, START),
      check(proof),
    ]);
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test.each<[string, { header?: object; claims?: object }]>([
    ['another typ', { header: { typ: 'JWT' } }],
    ['a private key in its jwk', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }],
    ['no jwk', { header: { jwk: undefined } }],
    ['another method', { claims: { htm: 'POST' } }],
    ['a method in lower case', { claims: { htm: 'get' } }],
    ['no method', { claims: { htm: undefined } }],
    ['another path', { claims: { htu: `${ORIGIN}/models/1` } }],
    ['another origin', { claims: { htu: 'https://evil.example/models' } }],
    ['http in place of https', { claims: { htu: 'http://api.acme.dev/models' } }],
    ['no htu', { claims: { htu: '/models' } }],
    ['another token', { claims: { ath: createHash('sha256').update('x').digest('base64url') } }],
    ['no ath', { claims: { ath: undefined } }],
    ['no jti', { claims: { jti: undefined } }],
    ['an empty jti', { claims: { jti: '' } }],
    ['a very long jti', { claims: { jti: 'x'.repeat(513) } }],
    ['a time beyond the tolerance', { claims: { iat: NOW + 6 } }],
    ['a time a minute ago', { claims: { iat: NOW - 60 } }],
    ['no time', { claims: { iat: undefined } }],
    ['a crit', { header: { crit: ['x'], x: 1 } }],
  ])('with %s is refused', async (_, parts) => {
    const { key, check } = await verifier();
    const forged = await proofWith(key, parts).catch(() => null);
    // `jose` refuses to make this proof.
    const text =
      forged ??
      `${Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'dpop+jwt', ...parts.header })).toString('base64url')}.e30.${'A'.repeat(86)}`;
    expect(await check(text)).toBe(false);
    expect(await check(await proofWith(key))).toBe(true);
  });

  test('within the tolerances is accepted', async () => {
    const { key, check } = await verifier();
    expect(await check(await proofWith(key, { claims: { iat: NOW + 5 } }))).toBe(true);
    expect(await check(await proofWith(key, { claims: { iat: NOW - 59 } }))).toBe(true);
  });

  test('of another key, or signed by another key than it shows, is refused', async () => {
    const { key, check } = await verifier();
    expect(await check(await proofWith(await newKey()))).toBe(false);
    expect(await check(await proofWith({ ...(await newKey()) }, { header: { jwk: publicOf(key) } }))).toBe(false);
  });

  test("that is refused does not use up its jti, so nobody can block another's proof", async () => {
    const { key, check } = await verifier();
    const claims = { jti: 'known' };
    expect(await check(await proofWith(await newKey(), { claims }))).toBe(false);
    expect(await check(await proofWith(key, { claims }))).toBe(true);
  });

  test.each(['//evil.example/models', 'https://evil.example/models', '/models/', '/%6Dodels', '/MODELS', ''])(
    'for /models is refused for the target %s on another host or path',
    async (target) => {
      const { key, check } = await verifier();
      expect(await check(await proofWith(key), { target })).toBe(target === 'https://evil.example/models');
    },
  );

  test('is refused as unavailable while the store is down', async () => {
    const store = controlledStore();
    store.fail('putEntry', 'reject');
    const { key, check } = await verifier(store);
    await expect(check(await proofWith(key))).rejects.toThrow();
  });

  test('is needed for each call, and for a known method', async () => {
    const { key, verify, check } = await verifier();
    expect(await check(null)).toBe(false);
    expect(await verify({ method: null, proof: { jwt: await proofWith(key), target: '/models' } }, START)).toBe(false);
    expect(await verify({ method: 'GET', proof: null }, START)).toBe(false);
  });
});

describe('over HTTP', () => {
  async function bound() {
    const key = await newKey();
    const jkt = await thumbprintOf(key as Record<string, unknown>);
    const store = memoryStore();
    const verify = proofVerifier({ jkt, token: TOKEN, origins: [ORIGIN], store });
    const { authenticator } = scripted(() => vouch({ prove: verify }));
    const { postern } = createTestPostern({ store, authenticators: [authenticator] });
    return { key, postern };
  }

  const requirement = { scope: 'models:read' } as const;
  const metadata = 'https://api.acme.dev/.well-known/oauth-protected-resource';
  type Started = (postern: Awaited<ReturnType<typeof bound>>['postern']) => Promise<number>;

  const servers: Record<string, Started> = {
    async express(postern) {
      const app = express();
      const inner = express.Router();
      inner.get('/models', guard(postern, requirement, { resourceMetadata: metadata }), (_request, response) => {
        response.send('reached');
      });
      // In a mounted application the address is that of the whole request.
      app.use('/v1', inner);
      return serve(app);
    },
    async fastify(postern) {
      const app = fastify();
      onTestFinished(() => app.close());
      await app.register(posternPlugin, { postern, resourceMetadata: metadata });
      app.get('/v1/models', { config: { requirement } }, () => 'reached');
      return Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port);
    },
    async fetch(postern) {
      const handle = fetchGuard(postern, requirement, () => new Response('reached'), { resourceMetadata: metadata });
      return serve(async (incoming, outgoing) => {
        const headers = new Headers();
        for (let i = 0; i < incoming.rawHeaders.length; i += 2)
          headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
        const response = await handle(
          new Request(`http://localhost${incoming.url}`, { headers, method: incoming.method ?? 'GET' }),
        );
        const body = await response.text();
        response.headers.set('content-length', String(body.length));
        outgoing.writeHead(response.status, [...response.headers].flat());
        outgoing.end(body);
      });
    },
  };

  test.each(Object.keys(servers))('%s accepts a token with its proof once, and neither one alone', async (name) => {
    const { key, postern } = await bound();
    const port = await (servers[name] as Started)(postern);
    const proof = () =>
      dpopProof({
        accessToken: TOKEN,
        method: 'GET',
        url: `${ORIGIN}/v1/models`,
        key: key as never,
        clock: () => START,
      });
    const call = (...headers: [string, string][]) => send(port, { path: '/v1/models?page=2', headers });
    const authorization: [string, string] = ['Authorization', `DPoP ${TOKEN}`];
    const once = await proof();

    expect(await call(authorization, ['DPoP', once])).toMatchObject({ status: 200, body: 'reached' });
    const replayed = await call(authorization, ['DPoP', once]);
    expect(replayed.status).toBe(401);
    expect(replayed.headers['www-authenticate']).toBe(
      `DPoP realm="postern", error="invalid_dpop_proof", resource_metadata="${metadata}"`,
    );
    expect(JSON.parse(replayed.body)).toMatchObject({ status: 401, code: 'proof_invalid' });

    const bearer = await call(['Authorization', `Bearer ${TOKEN}`], ['DPoP', await proof()]);
    expect([bearer.status, JSON.parse(bearer.body).code]).toEqual([401, 'token_unknown']);
    expect((await call(authorization)).status).toBe(401);
    expect((await call(authorization, ['DPoP', await proof()], ['DPoP', await proof()])).status).toBe(401);
    expect((await call(['Authorization', `dpop ${TOKEN}`], ['dpop', await proof()])).status).toBe(200);
    expect((await call(['Authorization', `DPoP ${TOKEN}, Bearer x`], ['DPoP', await proof()])).status).toBe(400);
    expect((await call(['Authorization', 'DPoP'], ['DPoP', await proof()])).status).toBe(400);
    expect((await call(['Authorization', `Basic x, Bearer ${TOKEN}`])).status).toBe(400);
    const missing = await call();
    expect([missing.status, missing.headers['www-authenticate']]).toEqual([
      401,
      `Bearer realm="postern", scope="models:read", resource_metadata="${metadata}"`,
    ]);
  });
});

describe('an exchanged token bound to a key (RFC 9449)', () => {
  async function exchanging() {
    const made = issuerWorld();
    const { token } = await issueBoth(made);
    return { ...made, exchange: (asked: object) => made.signed.exchange(made.postern, token, asked) };
  }

  test('is accepted once for each proof by that key, and refused without a proof', async () => {
    const { exchange, postern, clock } = await exchanging();
    const [key] = await generateKeys({ alg: 'ES256' });
    const { d, ...dpopKey } = key as NonNullable<typeof key>;
    const { accessToken, tokenType } = await exchange({ dpopKey });
    expect([tokenType, claimsIn(accessToken).cnf]).toEqual(['DPoP', { jkt: dpopKey.kid }]);
    const requirement = { scope: 'models:read' } as const;
    const ask = async (jwt: string | null) =>
      verdict(
        await postern.authorize({
          token: accessToken,
          method: 'GET',
          requirement,
          ...(jwt !== null && { proof: { jwt, target: '/models?page=2' } }),
        }),
      );
    const prove = (url: string, by: object) =>
      dpopProof({ accessToken, method: 'GET', url, key: by as Record<string, unknown>, clock: clock.now });
    expect(await ask(null)).toBe('token_unknown');
    const proof = await prove(`${API}/models`, { ...dpopKey, d });
    expect([await ask(proof), await ask(proof)]).toEqual(['allowed', 'proof_invalid']);
    expect(await ask(await prove('https://elsewhere.example/models', { ...dpopKey, d }))).toBe('proof_invalid');
    const [other] = await generateKeys({ alg: 'ES256' });
    expect(await ask(await prove(`${API}/models`, other as object))).toBe('proof_invalid');
  });

  test('needs a public key, and can not be exchanged', async () => {
    const { exchange, signed, postern } = await exchanging();
    const [key] = await generateKeys();
    const refused = await refusal(exchange({ dpopKey: key }));
    expect(refused).toMatchObject({ code: 'input_invalid', path: 'dpopKey' });
    expect(refused.message).not.toContain(key?.d as string);
    const { d, ...dpopKey } = key as NonNullable<typeof key>;
    const { accessToken } = await exchange({ dpopKey });
    expect((await refusal(signed.exchange(postern, accessToken))).code).toMatch(/^(input_invalid|token_unknown)$/);
  });
});
