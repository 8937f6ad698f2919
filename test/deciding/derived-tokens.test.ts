import { createHash, generateKeyPairSync, hkdfSync, sign as nodeSign } from 'node:crypto';
import { memoryStore } from 'postern';
import { derive } from 'postern/jwt';
import type { NewSecret } from 'postern/store';
import { controlledStore, createTestPostern, type TestPosternOptions } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, refusal, START, verdict } from '../support/outcomes.js';

const HOUR = 3_600_000;

/** A token of every kind of grant, and what is derived from it by the same clock. */
async function world(options: TestPosternOptions = {}) {
  const made = createTestPostern(options);
  const { postern, clock } = made;
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'other', access: 'protected' });
  const { token, record } = await postern.tokens.create({
    name: 'parent',
    owner: 'ann',
    types: { user: { endpoints: ['summarizer', 'other'] }, developer: { scopes: ['models:write', 'iam:*'] } },
    expiresIn: '1d',
  });
  const narrow = (given: Parameters<typeof derive>[1] = {}, from = token) =>
    derive(from, { clock: clock.now, ...given });
  const ask = async (text: string, requirement: Attempt['requirement'], more: Partial<Attempt> = {}) =>
    verdict(await postern.authorize({ token: text, requirement, ...more }));
  return { ...made, token, record, narrow, ask };
}

const json = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString());

/** The same key by other means than the library's: Node's own HKDF and Ed25519. */
function keyOf(token: string) {
  const seed = hkdfSync('sha256', token, '', 'postern derived token, Ed25519 seed, version 1', 32);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.from(seed)]);
  return { key: pkcs8, format: 'der', type: 'pkcs8' } as const;
}

/** Signs whatever it is given with a token's own key. */
function forge(token: string, header: string, claims: unknown): string {
  const signed = [header, JSON.stringify(claims)].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return `${signed}.${nodeSign(null, Buffer.from(signed), keyOf(token)).toString('base64url')}`;
}

describe('a derived token', () => {
  test('is a JWT whose key the store knows the public half of, by its thumbprint, and nothing else', async () => {
    const store = controlledStore();
    const insert = store.insertToken;
    let kept: NewSecret | undefined;
    store.insertToken = (...args) => {
      kept = args[1];
      return insert(...args);
    };
    const { token, narrow } = await world({ store });
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

  test('may do what it names and its parent holds, and nothing more', async () => {
    const { narrow, ask } = await world();
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

  test('naming scopes names no endpoint, and the other way round; naming neither is all that the parent holds', async () => {
    const { narrow, ask } = await world();
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

  test("shows its parent's id, owner and organization, and what it may do itself", async () => {
    const { postern, narrow, record } = await world();
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

  test('is judged by what its parent holds now', async () => {
    const { postern, narrow, ask, record } = await world();
    const token = await narrow({ scopes: ['models:write', 'bentos:read'] });
    expect(await ask(token, { scope: 'models:write' })).toBe('allowed');
    await postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read', 'bentos:read'] } } });
    expect(await ask(token, { scope: 'models:write' })).toBe('scope_missing');
    expect(await ask(token, { scope: 'models:read' })).toBe('allowed');
    expect(await ask(token, { scope: 'bentos:read' })).toBe('allowed');
  });

  test('of a parent that reaches all endpoints reaches those it names; a name that comes back is another for a parent that named it', async () => {
    const { postern, narrow, ask, token } = await world();
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

  test('ends by its own clock to the millisecond, and with its parent however that ends', async () => {
    const { postern, clock, narrow, ask, record, token } = await world();
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

  test('ends with the secret that it was derived from: a rotation with a grace, then without', async () => {
    const { postern, clock, narrow, ask, record, token } = await world();
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

  test('is good for its methods only, and for none where the call does not say its method', async () => {
    const { narrow, ask } = await world();
    const token = await narrow({ scopes: ['models:read'], endpoints: ['other'], methods: ['GET', '/bento.S/M'] });
    expect(await ask(token, { scope: 'models:read' }, { method: 'GET' })).toBe('allowed');
    expect(await ask(token, { scope: 'models:read' }, { method: '/bento.S/M' })).toBe('allowed');
    expect(await ask(token, { scope: 'models:read' }, { method: 'get' })).toBe('scope_missing');
    expect(await ask(token, { endpoint: 'other' }, { method: 'POST' })).toBe('endpoint_not_granted');
    expect(await ask(token, { authenticated: true }, { method: 'POST' })).toBe('scope_missing');
    expect(await ask(token, { scope: 'models:read' })).toBe('scope_missing');
  });

  test('makes and changes nothing, whatever it holds', async () => {
    const { postern, narrow, record } = await world();
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

  test('can not derive, and an imported token can not until it is rotated', async () => {
    const { narrow } = await world();
    expect((await refusal(derive(await narrow()))).code).toBe('input_invalid');
    expect((await refusal(derive('1|abcdefghijklmnopqrstuvwxyzabcdefghijklmnop'))).code).toBe('input_invalid');
  });

  test("its uses are counted for its parent, and its limits are its parent's", async () => {
    const calls: string[] = [];
    const rateLimiter = {
      async consume(key: string) {
        calls.push(key);
        return { allowed: calls.length < 2, remaining: 0, resetIn: 1000 };
      },
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

describe('what it costs', () => {
  test('one read of the parent, however many tokens are derived from it and whoever asks at once; then none', async () => {
    const { store, postern, narrow, ask } = await world();
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

  test('a foreign JWT, or one that only looks like ours, reads nothing', async () => {
    const { store, token, ask } = await world();
    store.calls.clear();
    const header = '{"alg":"EdDSA","typ":"at+jwt","kid":"x"}';
    expect(await ask(forge(token, header, {}), { authenticated: true })).toBe('token_unknown');
    expect(store.count()).toBe(0);
  });

  test('while the store is down nothing is known: unavailable, not unknown', async () => {
    const { store, narrow, ask } = await world();
    const token = await narrow();
    store.fail('findTokenByKeyId', 'reject');
    expect(await ask(token, { authenticated: true })).toBe('unavailable');
    store.mend();
    expect(await ask(token, { authenticated: true })).toBe('allowed');
  });
});

describe('forged ones', () => {
  const now = START / 1000;
  const good = { jti: 'x', iat: now, exp: now + 60 };
  const headerOf = (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}"}`;

  async function forgers() {
    const made = await world();
    const kid = json((await made.narrow()).split('.')[0]).kid as string;
    return { ...made, kid };
  }

  test('the forger makes good ones: what follows is refused for its one fault', async () => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), good), { authenticated: true })).toBe('allowed');
  });

  test.each([
    ['no exp', { jti: 'x', iat: now }],
    ['no iat', { jti: 'x', exp: now + 60 }],
    ['no jti', { iat: now, exp: now + 60 }],
    ['an exp that is a text', { ...good, exp: String(now + 60) }],
    ['an exp with a fraction', { ...good, exp: now + 60.5 }],
    ['an exp beyond all dates', { ...good, exp: 1e300 }],
    ['an iat beyond the tolerance', { ...good, iat: now + 6 }],
    ['a claim that is not understood', { ...good, cnf: { jkt: 'x' } }],
    ['scopes as a list', { ...good, scope: ['models:read'] }],
    ['endpoints as a text', { ...good, endpoints: 'summarizer' }],
    ['endpoints that are no ids', { ...good, endpoints: ['../x'] }],
    ['methods as a text', { ...good, methods: 'GET' }],
    ['no object', [good]],
    ['null', null],
  ])('%s', async (_, claims) => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), claims), { authenticated: true })).toBe('token_unknown');
  });

  test('an iat within the tolerance is taken, and an exp that is now is over', async () => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), { ...good, iat: now + 5 }), { authenticated: true })).toBe('allowed');
    expect(await ask(forge(token, headerOf(kid), { ...good, exp: now }), { authenticated: true })).toBe(
      'token_expired',
    );
  });

  test.each([
    ['another alg', (kid: string) => `{"alg":"none","typ":"derived+jwt","kid":"${kid}"}`],
    ['another typ', (kid: string) => `{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`],
    ['another order', (kid: string) => `{"typ":"derived+jwt","alg":"EdDSA","kid":"${kid}"}`],
    ['a crit', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","crit":["x"]}`],
    ['a jwk', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","jwk":{}}`],
    ['white space', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}" }`],
    ['a kid twice', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","kid":"${kid}"}`],
    ['a kid that is none', () => '{"alg":"EdDSA","typ":"derived+jwt","kid":"x"}'],
  ])('a header with %s', async (_, header) => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, header(kid), good), { authenticated: true })).toBe('token_unknown');
  });

  test("another key's signature, the public half as a key, and a kid that is nobody's", async () => {
    const { ask, token, kid, postern } = await forgers();
    const other = await postern.tokens.create({ name: 'other', types: { developer: { scopes: ['*'] } } });
    expect(await ask(forge(other.token, headerOf(kid), good), { authenticated: true })).toBe('token_unknown');
    const nobody = Buffer.alloc(32, 7).toString('base64url');
    expect(await ask(forge(token, headerOf(nobody), good), { authenticated: true })).toBe('token_unknown');
  });

  test('aliases of a good one: padding, white space, unused bits, more parts', async () => {
    const { ask, narrow } = await forgers();
    const token = await narrow();
    const last = token.at(-1) as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes leave 4 bits of the last character unused.
    const alias = token.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(Buffer.from(alias.split('.')[2] as string, 'base64url')).toEqual(
      Buffer.from(token.split('.')[2] as string, 'base64url'),
    );
    for (const each of [alias, `${token}=`, `${token}==`, `${token}.`, `${token}.x`, `${token}\n`]) {
      expect(await ask(each, { authenticated: true })).toBe('token_unknown');
    }
  });

  test('a text of other characters with the same low bytes is another text', async () => {
    const { ask, narrow } = await forgers();
    const token = await narrow();
    expect(await ask(token, { authenticated: true })).toBe('allowed');
    const twin = String.fromCharCode(token.charCodeAt(0) + 256) + token.slice(1);
    expect(await ask(twin, { authenticated: true })).toBe('token_unknown');
    const inside = token.slice(0, 100) + String.fromCharCode(token.charCodeAt(100) + 256) + token.slice(101);
    expect(await ask(inside, { authenticated: true })).toBe('token_unknown');
  });

  test('whoever can write to the store puts no key of his own there under a pepper', async () => {
    const store = memoryStore();
    const { postern } = createTestPostern({ store, pepper: 'a pepper of 32 characters, or so' });
    const { record } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicKey.export({ format: 'jwk' }).x as string;
    const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest();
    const token = await store.findToken(record.id);
    if (token === null) throw new Error('no token');
    const secret = { digest: 'a'.repeat(64), pepper: null, createdAt: START, endsAt: null };
    const change = {
      id: 'c'.repeat(22),
      type: 'token.rotated',
      at: START,
      actor: { kind: 'application' },
      from: null,
      organization: 'default',
      subject: record.id,
      before: null,
      after: null,
    } as const;
    const key = { id: thumbprint.toString('hex'), publicKey: x };
    expect(
      await store.replaceToken(
        { ...token, version: 2 },
        1,
        { secret: { ...secret, key }, othersEndAt: START + HOUR, at: START },
        change,
      ),
    ).toBe(true);
    const signed = [headerOf(thumbprint.toString('base64url')), JSON.stringify(good)]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    const forged = `${signed}.${nodeSign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(verdict(await postern.authorize({ token: forged, requirement: { authenticated: true } }))).toBe(
      'token_unknown',
    );
  });

  test('a public key that was changed in the store is a fault of that record, and lets nobody in', async () => {
    const store = controlledStore();
    const { narrow, ask, postern } = await world({ store, pepper: 'a pepper of 32 characters, or so' });
    const token = await narrow();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicKey.export({ format: 'jwk' }).x as string;
    store.answer('findTokenByKeyId', (real) => ({ ...(real as object), publicKey: x }));
    const [header] = token.split('.');
    const signed = `${header}.${Buffer.from(JSON.stringify(good)).toString('base64url')}`;
    const forged = `${signed}.${nodeSign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(await ask(forged, { authenticated: true })).toBe('internal_error');
    expect((await postern.authenticate(forged)).ok).toBe(false);
  });
});
