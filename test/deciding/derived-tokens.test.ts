import { createHash } from 'node:crypto';
import { derive } from 'postern/jwt';
import type { NewSecret } from 'postern/store';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { derivingWorld, forge, json } from '../support/derived.js';
import { refusal, START, verdict } from '../support/outcomes.js';

const HOUR = 3_600_000;

describe('a derived token', () => {
  test('is a JWT, and the store keeps only its public key and thumbprint', async () => {
    const store = controlledStore();
    const insert = store.insertTokens;
    let kept: NewSecret | undefined;
    store.insertTokens = (tokens) => {
      kept = tokens[0]?.secret;
      return insert(tokens);
    };
    const { token, narrow } = await derivingWorld({ store });
    const [header, payload] = (await narrow({ scopes: ['models:read'] })).split('.');
    const { kid } = json(header);
    expect(json(header)).toEqual({
      alg: 'EdDSA',
      typ: 'derived+jwt',
      kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    });
    expect(json(payload)).toEqual({
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
      iat: START / 1000,
      exp: START / 1000 + 300,
      scope: 'models:read',
    });
    const x = kept?.key?.publicKey;
    const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest();
    expect(kid).toBe(thumbprint.toString('base64url'));
    expect(kept?.key?.id).toBe(thumbprint.toString('hex'));
    expect(JSON.stringify(kept)).not.toContain(token);
  });

  test('is allowed exactly the grants that it names and its parent holds', async () => {
    const { narrow, ask } = await derivingWorld();
    const token = await narrow({
      scopes: ['models:read', 'bentos:write', 'iam:*'],
      endpoints: ['summarizer', 'nowhere'],
    });
    expect(await ask(token, { scope: 'models:read' })).toBe('allowed');
    expect(await ask(token, { scope: ['iam:read', 'iam:write'] })).toBe('allowed');
    expect(await ask(token, { scope: 'models:write' })).toBe('scope_missing');
    expect(await ask(token, { scope: 'bentos:read' })).toBe('scope_missing');
    expect(await ask(token, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await ask(token, { endpoint: 'other' })).toBe('endpoint_not_granted');
    expect(await ask(token, { endpoint: 'nowhere' })).toBe('endpoint_unknown');
    expect(await ask(token, { authenticated: true })).toBe('allowed');
  });

  test("with scopes only reaches no endpoint, with endpoints only has no scope, and with neither has all of its parent's", async () => {
    const { narrow, ask } = await derivingWorld();
    const scopes = await narrow({ scopes: ['models:write'] });
    expect([await ask(scopes, { scope: 'models:read' }), await ask(scopes, { endpoint: 'other' })]).toEqual([
      'allowed',
      'endpoint_not_granted',
    ]);
    const endpoints = await narrow({ endpoints: '*' });
    expect([await ask(endpoints, { scope: 'models:read' }), await ask(endpoints, { endpoint: 'other' })]).toEqual([
      'scope_missing',
      'allowed',
    ]);
    const none = await narrow({ scopes: [], endpoints: [] });
    expect([await ask(none, { scope: 'models:read' }), await ask(none, { endpoint: 'other' })]).toEqual([
      'scope_missing',
      'endpoint_not_granted',
    ]);
    const all = await narrow();
    expect([await ask(all, { scope: 'iam:write' }), await ask(all, { endpoint: 'other' })]).toEqual([
      'allowed',
      'allowed',
    ]);
  });

  test("has a principal with its parent's id, owner and organization, and its own grants", async () => {
    const { postern, narrow, record } = await derivingWorld();
    const answer = await postern.authenticate(await narrow({ scopes: ['models:write'] }));
    expect(answer).toMatchObject({
      ok: true,
      principal: {
        tokenId: record.id,
        owner: 'ann',
        organization: 'default',
        types: { developer: { scopes: ['models:write'] }, user: { endpoints: [] } },
        grants: { scopes: ['models:write', 'models:read'], endpoints: [] },
      },
    });
  });

  test('loses a scope when its parent loses it, and gains it with its parent', async () => {
    const { postern, narrow, ask, record } = await derivingWorld();
    const token = await narrow({ scopes: ['models:write', 'bentos:read'] });
    expect(await ask(token, { scope: 'models:write' })).toBe('allowed');
    await postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read', 'bentos:read'] } } });
    expect(await ask(token, { scope: 'models:write' })).toBe('scope_missing');
    expect(await ask(token, { scope: 'models:read' })).toBe('allowed');
    expect(await ask(token, { scope: 'bentos:read' })).toBe('allowed');
  });

  test('reaches only its named endpoints, and not a new endpoint of a name that its parent was granted', async () => {
    const { postern, narrow, ask, token } = await derivingWorld();
    const all = await postern.tokens.create({ name: 'all', types: { user: { endpoints: '*' } } });
    const one = await narrow({ endpoints: ['other'] }, all.token);
    const bound = await narrow({ endpoints: ['other'] }, token);
    expect([await ask(one, { endpoint: 'other' }), await ask(one, { endpoint: 'summarizer' })]).toEqual([
      'allowed',
      'endpoint_not_granted',
    ]);
    await postern.endpoints.delete('other');
    await postern.endpoints.create({ id: 'other', access: 'protected' });
    expect(await ask(bound, { endpoint: 'other' })).toBe('endpoint_not_granted');
  });

  test('ends to the millisecond at its expiry, and with its parent by expiry, revocation or deletion', async () => {
    const { postern, clock, narrow, ask, record, token } = await derivingWorld();
    const short = await narrow({ expiresIn: '10s' });
    clock.advance(9_999);
    expect(await ask(short, { authenticated: true })).toBe('allowed');
    clock.advance(1);
    expect(await ask(short, { authenticated: true })).toBe('token_expired');
    clock.set(new Date(START));
    expect(await ask(short, { authenticated: true })).toBe('token_expired');
    const long = await narrow({ expiresIn: '30d' });
    clock.set(new Date(START + 24 * HOUR - 1));
    expect(await ask(long, { authenticated: true })).toBe('allowed');
    clock.set(new Date(START + 24 * HOUR));
    expect(await ask(long, { authenticated: true })).toBe('token_expired');
    const other = await postern.tokens.create({ name: 'other', types: { developer: { scopes: ['models:read'] } } });
    const child = await narrow({ expiresIn: '1d' }, other.token);
    expect(await ask(child, { authenticated: true })).toBe('allowed');
    await postern.tokens.revoke(other.record.id);
    expect(await ask(child, { authenticated: true })).toBe('token_revoked');
    await postern.tokens.delete(other.record.id);
    expect(await ask(child, { authenticated: true })).toBe('token_unknown');
    expect([record.id, token].every(Boolean)).toBe(true);
  });

  test('is revoked when the secret that it was derived from ends after its grace', async () => {
    const { postern, clock, narrow, ask, record, token } = await derivingWorld();
    const before = await narrow({ expiresIn: '2h' });
    const { token: next } = await postern.tokens.rotate(record.id, { grace: '1h' });
    const after = await narrow({ expiresIn: '2h' }, next);
    expect([await ask(before, { authenticated: true }), await ask(after, { authenticated: true })]).toEqual([
      'allowed',
      'allowed',
    ]);
    clock.advance(HOUR);
    expect([await ask(before, { authenticated: true }), await ask(after, { authenticated: true })]).toEqual([
      'token_revoked',
      'allowed',
    ]);
    expect(await ask(token, { authenticated: true })).toBe('token_revoked');
  });

  test('with methods is refused for any other method, and for a call without one', async () => {
    const { narrow, ask } = await derivingWorld();
    const token = await narrow({ scopes: ['models:read'], endpoints: ['other'], methods: ['GET', '/bento.S/M'] });
    expect(await ask(token, { scope: 'models:read' }, { method: 'GET' })).toBe('allowed');
    expect(await ask(token, { scope: 'models:read' }, { method: '/bento.S/M' })).toBe('allowed');
    expect(await ask(token, { scope: 'models:read' }, { method: 'get' })).toBe('scope_missing');
    expect(await ask(token, { endpoint: 'other' }, { method: 'POST' })).toBe('endpoint_not_granted');
    expect(await ask(token, { authenticated: true }, { method: 'POST' })).toBe('scope_missing');
    expect(await ask(token, { scope: 'models:read' })).toBe('scope_missing');
  });

  test('can create and change nothing', async () => {
    const { postern, narrow, record } = await derivingWorld();
    const answer = await postern.authenticate(await narrow());
    if (!answer.ok) throw new Error(answer.reason);
    const hers = postern.as(answer.principal);
    const types = { developer: { scopes: ['models:read'] } } as const;
    expect((await refusal(hers.tokens.create({ name: 'x', types }))).code).toBe('issuance_forbidden');
    expect((await refusal(hers.tokens.rotate(record.id))).code).toBe('issuance_forbidden');
    expect((await refusal(hers.tokens.update(record.id, { expiresAt: null }))).code).toBe('issuance_forbidden');
    for (const change of [hers.tokens.update(record.id, { name: 'renamed' }), hers.tokens.revoke(record.id)]) {
      expect((await refusal(change)).code).toBe('issuance_forbidden');
    }
  });

  test('can not be derived from, and neither can an imported token', async () => {
    const { narrow } = await derivingWorld();
    expect((await refusal(derive(await narrow()))).code).toBe('input_invalid');
    expect((await refusal(derive('1|abcdefghijklmnopqrstuvwxyzabcdefghijklmnop'))).code).toBe('input_invalid');
  });

  test('is charged to the limits of its parent', async () => {
    const calls: string[] = [];
    const rateLimiter = {
      async consume(key: string) {
        calls.push(key);
        return { allowed: calls.length < 2, remaining: 0, resetIn: 1000 };
      },
      peek: async () => null,
    };
    const { postern, clock } = createTestPostern({ rateLimiter });
    const { token, record } = await postern.tokens.create({
      name: 'limited',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points: 1, duration: '1m' },
    });
    const child = await derive(token, { clock: clock.now });
    expect(verdict(await postern.authorize({ token, requirement: { scope: 'models:read' } }))).toBe('allowed');
    expect(verdict(await postern.authorize({ token: child, requirement: { scope: 'models:read' } }))).toBe(
      'rate_limited',
    );
    expect(calls).toEqual([`rate:${record.id}:1`, `rate:${record.id}:1`]);
  });
});

describe('a call with a derived token', () => {
  test('costs one read of the parent for 20 concurrent tokens, and none later', async () => {
    const { store, postern, narrow, ask } = await derivingWorld();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => narrow({ scopes: ['models:read'] })));
    await ask('', { endpoint: 'other' });
    store.calls.clear();
    expect(await Promise.all(tokens.map((token) => ask(token, { scope: 'models:read' })))).toEqual(
      tokens.map(() => 'allowed'),
    );
    expect(store.count()).toBe(1);
    expect(store.count('findTokenByKeyId')).toBe(1);
    for (const token of tokens) {
      expect(postern.tryAuthorize({ token, requirement: { scope: 'models:read' } })?.allowed).toBe(true);
    }
    expect(store.count()).toBe(1);
  });

  test('costs no read for a JWT of another type', async () => {
    const { store, token, ask } = await derivingWorld();
    store.calls.clear();
    const header = '{"alg":"EdDSA","typ":"at+jwt","kid":"x"}';
    expect(await ask(forge(token, header, {}), { authenticated: true })).toBe('token_unknown');
    expect(store.count()).toBe(0);
  });

  test('is unavailable while the store is down', async () => {
    const { store, narrow, ask } = await derivingWorld();
    const token = await narrow();
    store.fail('findTokenByKeyId', 'reject');
    expect(await ask(token, { authenticated: true })).toBe('unavailable');
    store.mend();
    expect(await ask(token, { authenticated: true })).toBe('allowed');
  });
});
