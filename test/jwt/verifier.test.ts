import express from 'express';
import fastify from 'fastify';
import { memoryStore } from 'postern';
import { guard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { accessTokens, generateKeys, type VerifierOptions } from 'postern/jwt';
import type { Store } from 'postern/store';
import { createTestPostern, type TestClock } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { thrown, verdict } from '../support/outcomes.js';
import { serve } from '../transports/support.js';
import { API, AUTH, issueBoth, issuerWorld, serveJwks } from './support/access.js';

const HOUR = 3_600_000;
const requirement = { scope: 'models:read' } as const;

/** Another process, by default without the issuer's store. */
function verifying(options: Partial<VerifierOptions> & Pick<VerifierOptions, 'jwks'>, clock: TestClock, store?: Store) {
  const verifier = accessTokens.verifier({ issuer: AUTH, audience: API, ...options });
  const { postern } = createTestPostern({ store: store ?? memoryStore(), clock, authenticators: [verifier] });
  const ask = async (token: string, needed: object = requirement) =>
    verdict(await postern.authorize({ token, requirement: needed as typeof requirement }));
  return { postern, ask };
}

async function issuing(options: object = {}) {
  const world = issuerWorld(options);
  const { token, record } = await issueBoth(world);
  const exchange = async (asked: object = {}) => (await world.signed.exchange(world.postern, token, asked)).accessToken;
  return { ...world, token, record, exchange };
}

describe('a verifier with the JWKS only', () => {
  it('has the principal and the decisions of the API token', async () => {
    const { signed, postern, token, exchange, clock } = await issuing();
    const { url } = await serveJwks(signed);
    const accessToken = await exchange();
    for (const jwks of [url, new URL(url), await signed.jwks()]) {
      const other = verifying({ jwks }, clock);
      for (const id of ['summarizer', 'other']) {
        await other.postern.endpoints.create({ id, access: 'protected' });
        if (id === 'other') await postern.endpoints.create({ id, access: 'protected' }).catch(() => {});
      }
      const [there, here] = [await other.postern.authenticate(accessToken), await postern.authenticate(token)];
      if (!there.ok || !here.ok) throw new Error('no principal');
      expect({ ...there.principal, endsAt: null }).toEqual({ ...here.principal });
      for (const needed of [
        { scope: 'models:write' },
        { scope: 'cluster:read' },
        { scope: 'models:read', organization: 'another' },
        { endpoint: 'summarizer' },
        { endpoint: 'other' },
        { endpoint: 'missing' },
      ]) {
        const decision = await other.postern.authorize({
          token: accessToken,
          requirement: needed as typeof requirement,
        });
        const same = await postern.authorize({ token, requirement: needed as typeof requirement });
        expect(verdict(decision), JSON.stringify(needed)).toBe(verdict(same));
      }
    }
  });

  it('has the narrowed grants of an exchange', async () => {
    const { signed, exchange, clock } = await issuing();
    const other = verifying({ jwks: await signed.jwks() }, clock);
    await other.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const accessToken = await exchange({ endpoints: ['summarizer'] });
    expect(await other.ask(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await other.ask(accessToken)).toBe('scope_missing');
  });

  it('guards Express, with keys from a real socket', async () => {
    const { signed, exchange, clock } = await issuing();
    const { url, state } = await serveJwks(signed);
    const { postern } = verifying({ jwks: url }, clock);
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const app = express();
    app.get('/models', guard(postern, requirement), (request, response) => void response.json(request.principal));
    app.post('/models', guard(postern, { scope: 'cluster:write' }), (_request, response) => void response.json({}));
    app.post('/summarize', guard(postern, { endpoint: 'summarizer' }), (_request, response) => void response.json({}));
    const port = await serve(app);
    const call = async (method: string, path: string, token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers });
      return {
        status: response.status,
        challenge: response.headers.get('www-authenticate'),
        body: await response.json(),
      };
    };
    const accessToken = await exchange();
    expect(await call('GET', '/models', accessToken)).toMatchObject({ status: 200, body: { owner: 'zoe' } });
    expect(await call('POST', '/summarize', accessToken)).toMatchObject({ status: 200 });
    expect(await call('POST', '/models', accessToken)).toMatchObject({ status: 403 });
    const forged = `${accessToken.slice(0, -8)}AAAAAAAA`;
    const refused = await call('GET', '/models', forged);
    expect([refused.status, refused.challenge]).toEqual([
      401,
      'Bearer realm="postern", error="invalid_token", scope="models:read"',
    ]);
    expect(state.requests).toBe(1);
    clock.advance(600_000);
    expect(await call('GET', '/models', accessToken)).toMatchObject({ status: 401, body: { code: 'token_expired' } });
  });

  it('guards Fastify, and answers an outage of the key server with 503', async () => {
    const { signed, exchange, clock } = await issuing({ algorithm: 'ES256' });
    const { url, state } = await serveJwks(signed);
    state.down = true;
    const { postern } = verifying({ jwks: url }, clock);
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.get('/models', { config: { requirement } }, (request) => request.principal);
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const call = async (token: string) =>
      (await fetch(`${address}/models`, { headers: { authorization: `Bearer ${token}` } })).status;
    const accessToken = await exchange();
    expect([await call(accessToken), await call(accessToken)]).toEqual([503, 503]);
    expect(state.requests).toBe(1);
    state.down = false;
    clock.advance(30_000);
    expect(await call(accessToken)).toBe(200);
    // Cached keys still serve during an outage.
    state.down = true;
    clock.advance(11 * 60_000);
    expect(await call(await exchange())).toBe(200);
  });

  it('accepts tokens for any of its audiences', async () => {
    const { signed, exchange, clock } = await issuing();
    const jwks = await signed.jwks();
    const accessToken = await exchange();
    const ask = (audience: string | string[]) => verifying({ jwks, audience }, clock).ask(accessToken);
    expect(await ask(['https://a.example', API])).toBe('allowed');
    expect(await ask(['https://a.example'])).toBe('token_unknown');
    expect(await ask(`${API}/`)).toBe('token_unknown');
  });

  it('leaves tokens of other issuers to other authenticators', async () => {
    const { signed, exchange, clock } = await issuing();
    const other = verifying({ jwks: await signed.jwks(), issuer: 'https://other.example' }, clock);
    expect(await other.ask(await exchange())).toBe('token_unknown');
  });

  it('accepts a withdrawn key until its fetched keys are old', async () => {
    const { signed, exchange, clock } = await issuing();
    const { url } = await serveJwks(signed);
    const { ask } = verifying({ jwks: url, maxAge: '5m' }, clock);
    const accessToken = await exchange({ expiresIn: '1h' });
    expect(await ask(accessToken)).toBe('allowed');
    await signed.rotateKeys({ withdraw: true });
    clock.advance(5 * 60_000 - 1);
    expect(await ask(accessToken)).toBe('allowed');
    clock.advance(1);
    expect(await ask(accessToken)).toBe('token_unknown');
    expect(await ask(await exchange())).toBe('allowed');
  });
});

it('no token is refused while keys rotate for 100 days, also in a second process and by a slow verifier', async () => {
  const world = await issuing({ rotateEvery: '7d', overlap: '1d', maxExpiresIn: '12h' });
  const { signed, clock, store, exchange } = world;
  const second = issuerWorld({ rotateEvery: '7d', overlap: '1d', maxExpiresIn: '12h' }, { store, clock });
  const { url, state } = await serveJwks(second.signed);
  const { ask } = verifying({ jwks: url, cooldown: '12h', maxAge: '12h' }, clock);
  const kids = new Set<string>();
  let alive: { token: string; until: number }[] = [];
  for (let step = 0; step < 400; step++) {
    const token = await exchange({ expiresIn: '12h' });
    alive = [...alive.filter(({ until }) => until > clock.now()), { token, until: clock.now() + 12 * HOUR }];
    for (const each of alive) {
      expect(await ask(each.token), `step ${step}`).toBe('allowed');
      expect(await second.postern.authenticate(each.token), `step ${step}`).toMatchObject({ ok: true });
    }
    const { keys } = await signed.jwks();
    for (const { kid } of keys) kids.add(kid);
    expect(keys.length).toBeLessThanOrEqual(3);
    clock.advance(6 * HOUR);
  }
  expect(kids.size).toBeGreaterThanOrEqual(100 / 7);
  expect(kids.size).toBeLessThanOrEqual(100 / 7 + 2);
  expect(state.requests).toBeLessThanOrEqual(201);
});

describe('a verifier with parents', () => {
  it('of the same store refuses a token once its parent is revoked there', async () => {
    const { signed, postern, exchange, record, store, clock } = await issuing();
    const shared = verifying({ jwks: await signed.jwks() }, clock, store);
    const apart = verifying({ jwks: await signed.jwks() }, clock);
    const unchecked = verifying({ jwks: await signed.jwks(), parents: 'unchecked' }, clock, store);
    const accessToken = await exchange();
    const asked = async () => [
      await shared.ask(accessToken),
      await apart.ask(accessToken),
      await unchecked.ask(accessToken),
    ];
    expect(await asked()).toEqual(['allowed', 'allowed', 'allowed']);
    await postern.tokens.revoke(record.id);
    expect(await asked()).toEqual(['token_revoked', 'allowed', 'allowed']);
    clock.advance(600_000);
    expect((await asked()).slice(1)).toEqual(['token_expired', 'token_expired']);
  });

  it('of the same store reaches only the endpoint that was granted, not a new one of its name', async () => {
    const { signed, postern, exchange, store, clock } = await issuing();
    const shared = verifying({ jwks: await signed.jwks() }, clock, store);
    const accessToken = await exchange();
    expect(await shared.ask(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
    await postern.endpoints.delete('summarizer');
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    expect(await shared.ask(accessToken, { endpoint: 'summarizer' })).toBe('endpoint_not_granted');
  });

  it('that requires them refuses a token whose parent is not in its store', async () => {
    const { signed, exchange, store, clock } = await issuing();
    const jwks = await signed.jwks();
    const accessToken = await exchange();
    expect(await verifying({ jwks, parents: 'required' }, clock).ask(accessToken)).toBe('token_revoked');
    const shared = verifying({ jwks, parents: 'required' }, clock, store);
    expect(await shared.ask(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
  });
});

describe('accessTokens.verifier', () => {
  it.each<[string, object, string]>([
    ['no issuer', { issuer: undefined }, 'issuer'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['an empty list of audiences', { audience: [] }, 'audience'],
    ['an audience that is empty in a list', { audience: [API, ''] }, 'audience.1'],
    ['no keys', { jwks: undefined }, 'jwks'],
    ['keys over plain http', { jwks: 'http://auth.example/jwks.json' }, 'jwks'],
    ['an address with a password', { jwks: 'https://a:b@auth.example/jwks.json' }, 'jwks'],
    ['a set without keys', { jwks: { keys: [] } }, 'jwks'],
    ['a set without signing keys', { jwks: { keys: [{ kty: 'oct', k: 'AAAA', alg: 'HS256' }] } }, 'jwks'],
    ['invalid parents', { parents: 'maybe' }, 'parents'],
    ['an invalid maxAge', { maxAge: 'long' }, 'maxAge'],
    ['a cool-down beyond maxAge', { cooldown: '1h' }, 'cooldown'],
  ])('refuses %s', async (_, options, path) => {
    const jwks = { keys: (await generateKeys()).map(({ d, ...jwk }) => jwk) };
    const all = { issuer: AUTH, audience: API, jwks, ...options };
    expect(thrown(() => accessTokens.verifier(all as VerifierOptions))).toMatchObject({ code: 'option_invalid', path });
  });

  it('refuses unknown options, also a secret and a list of algorithms', async () => {
    const jwks = { keys: (await generateKeys()).map(({ d, ...jwk }) => jwk) };
    for (const unknown of ['algorithms', 'secret', 'keys']) {
      const all = { issuer: AUTH, audience: API, jwks, [unknown]: ['HS256'] };
      expect(thrown(() => accessTokens.verifier(all))).toMatchObject({ code: 'option_unknown', path: unknown });
    }
  });

  it('refuses private keys', async () => {
    const keys = await generateKeys();
    const all = { issuer: AUTH, audience: API, jwks: { keys } };
    expect(thrown(() => accessTokens.verifier(all))).toMatchObject({ code: 'option_invalid', path: 'jwks' });
  });
});
