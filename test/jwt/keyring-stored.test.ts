import { createHash } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { memoryStore } from 'postern';
import { accessTokens, generateKeys } from 'postern/jwt';
import type { Store } from 'postern/store';
import { controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';
import { AUTH, claimsIn, issueBoth, issuerWorld, KEPT } from './support/access.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ENTRY = createHash('sha256').update(AUTH).digest('base64url');
const requirement = { scope: 'models:read' } as const;

const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const entryOf = async (store: Store) => {
  const entry = await store.findEntry('signing_keys', ENTRY, START);
  if (entry === null) throw new Error('there is no entry');
  return entry;
};

/** Processes that share a store and its signing keys. */
async function processes(count: number, options: object = {}, store = controlledStore()) {
  const clock = testClock();
  const worlds = Array.from({ length: count }, () => issuerWorld(options, { store, clock }));
  const [first] = worlds as [World];
  const { token } = await issueBoth(first);
  const exchanges = worlds.map(
    ({ signed, postern }) =>
      async () =>
        (await signed.exchange(postern, token)).accessToken,
  );
  const asks = worlds.map(
    ({ postern }) =>
      async (accessToken: string) =>
        verdict(await postern.authorize({ token: accessToken, requirement })),
  );
  const published = async (index = 0) => (await worlds[index]?.signed.jwks())?.keys.map(({ kid }) => kid);
  return { first, worlds, exchanges, asks, published, store, clock, token };
}

type World = ReturnType<typeof issuerWorld>;
type Exchange = () => Promise<string>;
type Ask = (token: string) => Promise<string>;

describe('keys in the store', () => {
  it('are one key, however many processes begin at once', async () => {
    const { worlds, exchanges, store } = await processes(20);
    const tokens = await Promise.all(exchanges.map((exchange) => exchange()));
    const sets = await Promise.all(worlds.map(({ signed }) => signed.jwks()));
    expect(new Set(tokens.map(kidOf)).size).toBe(1);
    expect(new Set(sets.map((set) => JSON.stringify(set))).size).toBe(1);
    expect(sets[0]?.keys).toEqual([
      expect.objectContaining({ kid: kidOf(tokens[0] as string), alg: 'EdDSA', use: 'sig' }),
    ]);
    expect((await entryOf(store)).version).toBe(1);
  });

  it('hold nothing in clear: no private part, no public one, not even a name', async () => {
    const { first, store } = await processes(1, { algorithm: 'ES256' });
    const [key] = (await first.signed.jwks()).keys;
    const { value } = await entryOf(store);
    const clear = value
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join();
    expect(clear).toMatch(/^{"alg":"dir","enc":"A256GCM"},/);
    for (const part of [key?.kid, key?.x, key?.y, '"d"', 'kty']) expect(clear).not.toContain(part);
  });

  it('are opened by the same key as bytes or text, and by none of another issuer’s', async () => {
    const bytes = new TextEncoder().encode(KEPT.encryptionKey);
    const { published, store } = await processes(1);
    const kids = await published();
    const again = accessTokens({ ...KEPT, encryptionKey: bytes });
    createTestPostern({ store, authenticators: [again] }).postern;
    expect((await again.jwks()).keys.map(({ kid }) => kid)).toEqual(kids);
    // Moved by hand to another issuer's place, the entry is of no use there.
    const other = 'https://other.example';
    const id = createHash('sha256').update(other).digest('base64url');
    await store.putEntry({ ...(await entryOf(store)), id, version: 1 }, 0, START);
    const moved = accessTokens({ ...KEPT, issuer: other });
    createTestPostern({ store, authenticators: [moved] }).postern;
    expect(await refusal(moved.jwks())).toMatchObject({ code: 'option_invalid', path: 'encryptionKey' });
  });

  it('are left as they are by who has another encryption key, and no token passes there', async () => {
    const { exchanges, store, clock, token } = await processes(1);
    const accessToken = await (exchanges[0] as Exchange)();
    const before = await entryOf(store);
    const wrong = issuerWorld({ encryptionKey: 'w'.repeat(40) }, { store, clock });
    const { signed, postern } = wrong;
    for (const work of [() => signed.jwks(), () => signed.exchange(postern, token), () => signed.rotateKeys()]) {
      expect(await refusal(work())).toMatchObject({ code: 'option_invalid', path: 'encryptionKey' });
    }
    expect(await wrong.postern.authenticate(accessToken)).toMatchObject({
      ok: false,
      reason: 'unavailable',
      cause: 'issuer',
    });
    expect(await entryOf(store)).toEqual(before);
  });

  it('are sealed again under the first of several encryption keys', async () => {
    const { published, store, clock } = await processes(1);
    const kids = await published();
    const next = 'n'.repeat(40);
    const both = issuerWorld({ encryptionKey: [next, KEPT.encryptionKey] }, { store, clock });
    expect((await both.signed.jwks()).keys.map(({ kid }) => kid)).toEqual(kids);
    const alone = issuerWorld({ encryptionKey: next }, { store, clock });
    expect((await alone.signed.jwks()).keys.map(({ kid }) => kid)).toEqual(kids);
  });

  it.each([
    ['was spoilt by hand', '{"keys":[]}'],
    ['is empty', ''],
    ['is encrypted in another way', 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA'],
  ])('are unreadable, and are left, where the entry %s', async (_, value) => {
    const { first, store, published } = await processes(1);
    await published();
    const entry = await entryOf(store);
    await store.putEntry({ ...entry, value, version: 2 }, 1, START);
    const cold = issuerWorld({}, { store });
    expect((await refusal(cold.signed.jwks())).code).toBe('record_unreadable');
    expect((await refusal(first.signed.rotateKeys())).code).toBe('record_unreadable');
    expect((await entryOf(store)).value).toBe(value);
  });

  it('of a later version are unreadable, and are left', async () => {
    const { sealFor } = await import('../../src/jwt/seal.js');
    const seal = sealFor(AUTH, [new TextEncoder().encode(KEPT.encryptionKey)]);
    const value = await seal.seal(JSON.stringify({ longestLife: HOUR, keys: [], hsm: true }));
    const { signed, store } = issuerWorld();
    await store.putEntry({ kind: 'signing_keys', id: ENTRY, value, version: 1, expiresAt: null }, 0, START);
    expect((await refusal(signed.jwks())).code).toBe('record_unreadable');
    expect((await entryOf(store)).value).toBe(value);
  });

  it('begin again where the entry was deleted: its tokens end', async () => {
    const { first, exchanges, asks, store, clock } = await processes(1);
    const [exchange, ask] = [exchanges[0] as Exchange, asks[0] as Ask];
    const before = await exchange();
    await first.signed.rotateKeys();
    await store.deleteEntry('signing_keys', ENTRY, 2, START);
    clock.advance(60_000);
    const after = await exchange();
    expect(kidOf(after)).not.toBe(kidOf(before));
    expect([await ask(after), await ask(before)]).toEqual(['allowed', 'token_unknown']);
  });

  it('go on for an hour while the store is down, and then are a fault', async () => {
    const { exchanges, worlds, asks, store, clock } = await processes(2, {}, controlledStore());
    const [exchange, ask] = [exchanges[0] as Exchange, asks[1] as Ask];
    await worlds[1]?.signed.jwks();
    const tokens = [await exchange(), await exchange()] as const;
    expect(await ask(tokens[0])).toBe('allowed');
    store.fail('findEntry', 'reject');
    clock.advance(5 * 60_000);
    expect(await ask(tokens[1])).toBe('allowed');
    const fresh = await exchange();
    clock.advance(HOUR - 6 * 60_000);
    expect(kidOf(await exchange())).toBe(kidOf(fresh));
    clock.advance(2 * 60_000);
    expect(await refusal(exchange())).toMatchObject({ code: 'unavailable' });
    store.mend();
    expect(kidOf(await exchange())).toBe(kidOf(fresh));
  });

  it('are asked for seldom while the store is down', async () => {
    const { exchanges, store, clock } = await processes(1);
    const exchange = exchanges[0] as Exchange;
    await exchange();
    store.fail('findEntry', 'reject');
    clock.advance(60_000);
    const before = store.count('findEntry');
    for (let call = 0; call < 20; call++) await exchange();
    expect(store.count('findEntry') - before).toBe(1);
    clock.advance(5_000);
    for (let call = 0; call < 20; call++) await exchange();
    expect(store.count('findEntry') - before).toBe(2);
  });

  it('that were spoilt while they were known are a fault as soon as that is seen', async () => {
    const { exchanges, store, clock } = await processes(1);
    const exchange = exchanges[0] as Exchange;
    await exchange();
    await store.putEntry({ ...(await entryOf(store)), value: 'spoilt', version: 2 }, 1, START);
    clock.advance(60_000);
    expect((await refusal(exchange())).code).toBe('record_unreadable');
  });

  it('are never taken for unknown while they can not be read', async () => {
    const { exchanges, store, clock } = await processes(1);
    const accessToken = await (exchanges[0] as Exchange)();
    const cold = issuerWorld({}, { store, clock });
    store.fail('findEntry', 'reject');
    expect(await cold.postern.authenticate(accessToken)).toMatchObject({ ok: false, reason: 'unavailable' });
    store.mend();
    expect(await cold.postern.authenticate(accessToken)).toMatchObject({ ok: true });
  });

  it('that are not known cost one read a second, whatever comes', async () => {
    const { exchanges, worlds, store, clock } = await processes(1);
    const good = await (exchanges[0] as Exchange)();
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const forged = (kid: string) =>
      [
        Buffer.from(JSON.stringify({ ...decodeProtectedHeader(good), kid })).toString('base64url'),
        payload,
        signature,
      ].join('.');
    expect(header).not.toBe('');
    const before = store.count('findEntry');
    const flood = async (from: number) =>
      Promise.all(
        Array.from({ length: 500 }, async (_, index) => worlds[0]?.postern.authenticate(forged(`kid-${from + index}`))),
      );
    for (const answers of [await flood(0), await flood(500)]) {
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
        new Set(['{"ok":false,"reason":"token_unknown"}']),
      );
    }
    expect(store.count('findEntry') - before).toBe(1);
    clock.advance(1000);
    await flood(1000);
    expect(store.count('findEntry') - before).toBe(2);
  });
});

describe('a rotation', () => {
  it('publishes the next key before it signs, and the last one after', async () => {
    const { first, exchanges, asks, published, clock } = await processes(1, { overlap: '1d', maxExpiresIn: '1h' });
    const [exchange, ask] = [exchanges[0] as Exchange, asks[0] as Ask];
    const old = kidOf(await exchange());
    const { kid, signsFrom } = await first.signed.rotateKeys();
    expect(signsFrom).toEqual(new Date(START + DAY));
    expect(await published()).toEqual([old, kid]);
    clock.advance(DAY - 1);
    const last = await exchange();
    expect(kidOf(last)).toBe(old);
    clock.advance(1);
    expect(kidOf(await exchange())).toBe(kid);
    clock.advance(598_000);
    expect(await ask(last)).toBe('allowed');
    clock.advance(HOUR + 600_000);
    expect(await published()).toEqual([kid]);
  });

  it('that many ask for at once is one', async () => {
    const { worlds, published } = await processes(10);
    const rotated = await Promise.all(worlds.map(({ signed }) => signed.rotateKeys()));
    expect(new Set(rotated.map(({ kid }) => kid)).size).toBe(1);
    expect(await published(3)).toHaveLength(2);
  });

  it('comes by itself, once, whoever notices', async () => {
    const { worlds, exchanges, published, clock, store } = await processes(10, { rotateEvery: '30d', overlap: '1d' });
    const old = kidOf(await (exchanges[0] as Exchange)());
    clock.advance(29 * DAY);
    await Promise.all(worlds.map(({ signed }) => signed.jwks()));
    const kids = (await published()) as string[];
    expect([kids.length, kids[0]]).toEqual([2, old]);
    expect((await entryOf(store)).version).toBe(2);
    expect(new Set(await Promise.all(exchanges.map(async (exchange) => kidOf(await exchange()))))).toEqual(
      new Set([old]),
    );
    clock.advance(DAY);
    expect(new Set(await Promise.all(exchanges.map(async (exchange) => kidOf(await exchange()))))).toEqual(
      new Set([kids[1]]),
    );
  });

  it('withdraws what others may know: at once, and with all its tokens', async () => {
    const { first, exchanges, asks, published, clock } = await processes(2);
    const [exchange, elsewhere] = [exchanges[0] as Exchange, asks[1] as Ask];
    const [known, unseen] = [await exchange(), await exchange()];
    expect(await elsewhere(known)).toBe('allowed');
    const { kid, signsFrom } = await first.signed.rotateKeys({ withdraw: true });
    expect([signsFrom, await published()]).toEqual([new Date(START), [kid]]);
    const fresh = await exchange();
    expect(kidOf(fresh)).toBe(kid);
    expect(await elsewhere(fresh)).toBe('allowed');
    expect(await elsewhere(unseen)).toBe('token_unknown');
    clock.advance(60_000);
    expect(await elsewhere(known)).toBe('token_unknown');
  });

  it('lets the longest life that any process gives be over', async () => {
    const { published, store, clock, token } = await processes(1, { maxExpiresIn: '1h' });
    await published();
    const patient = issuerWorld({ maxExpiresIn: '12h' }, { store, clock });
    const { accessToken } = await patient.signed.exchange(patient.postern, token, { expiresIn: '12h' });
    await patient.signed.rotateKeys();
    clock.advance(DAY);
    const { accessToken: late } = await patient.signed.exchange(patient.postern, token, { expiresIn: '12h' });
    expect(kidOf(late)).not.toBe(kidOf(accessToken));
    clock.advance(11 * HOUR);
    expect(await published()).toContain(kidOf(accessToken));
  });

  it('is the application’s own business where the keys are', async () => {
    const { signed } = issuerWorld({ keys: await generateKeys() });
    expect(await refusal(signed.rotateKeys())).toMatchObject({ code: 'input_invalid', path: 'keys' });
    expect(await refusal(issuerWorld().signed.rotateKeys({ now: true } as object))).toMatchObject({
      code: 'option_unknown',
    });
  });
});

describe('a clock that jumps', () => {
  it('ahead by years and back loses no key, and no token', async () => {
    const clock = testClock();
    const wild = testClock();
    const store = memoryStore();
    const steady = issuerWorld({}, { store, clock });
    const jumping = issuerWorld({}, { store, clock: wild });
    const { token } = await issueBoth(steady);
    const { accessToken } = await steady.signed.exchange(steady.postern, token);
    for (const years of [10, 20]) {
      wild.set(new Date(START + years * 365 * DAY));
      await jumping.signed.jwks();
      wild.advance(2 * DAY);
      await jumping.signed.exchange(jumping.postern, token);
    }
    wild.set(new Date(START + 60_000));
    clock.set(new Date(START + 60_000));
    expect((await steady.signed.jwks()).keys.map(({ kid }) => kid)).toContain(kidOf(accessToken));
    expect(await steady.postern.authenticate(accessToken)).toMatchObject({ ok: true });
    const later = await steady.signed.exchange(steady.postern, token);
    expect(kidOf(later.accessToken)).toBe(kidOf(accessToken));
    // And goes on as if nothing had been.
    clock.set(new Date(START + 30 * DAY));
    const month = await steady.signed.exchange(steady.postern, token);
    expect(claimsIn(month.accessToken).iat).toBe(clock.now() / 1000);
    expect((await steady.signed.jwks()).keys.length).toBeLessThanOrEqual(8);
  });

  it('back keeps nobody from seeing what others changed', async () => {
    const { worlds, first, published, clock } = await processes(2);
    await published(1);
    clock.advance(-2 * HOUR);
    const { kid } = await first.signed.rotateKeys({ withdraw: true });
    expect([worlds.length, await published(1)]).toEqual([2, [kid]]);
  });

  it('back before the first key signs with it all the same', async () => {
    const clock = testClock();
    const { signed, store } = issuerWorld({}, { clock });
    const [key] = (await signed.jwks()).keys;
    const early = testClock(new Date(START - 3 * DAY));
    const other = issuerWorld({}, { store, clock: early });
    const { token } = await issueBoth(other);
    const { accessToken } = await other.signed.exchange(other.postern, token);
    expect(kidOf(accessToken)).toBe(key?.kid);
    expect(await other.postern.authenticate(accessToken)).toMatchObject({ ok: true });
  });
});

describe('jwks', () => {
  it('needs a store, or keys: it says so', async () => {
    const signed = accessTokens(KEPT);
    expect(await refusal(signed.jwks())).toMatchObject({ code: 'input_invalid', path: 'keys' });
    const { postern } = createTestPostern({ authenticators: [signed] });
    expect((await signed.jwks()).keys).toHaveLength(1);
    await postern.close();
    expect(await refusal(signed.jwks())).toMatchObject({ code: 'input_invalid', path: 'keys' });
  });

  it('of one that serves several stores has the keys of all of them', async () => {
    const signed = accessTokens(KEPT);
    for (let index = 0; index < 2; index++) createTestPostern({ authenticators: [signed] }).postern;
    expect((await signed.jwks()).keys).toHaveLength(2);
  });

  it('is served with a validator, and may be kept for much less than the overlap', async () => {
    const ask = (world: ReturnType<typeof issuerWorld>, method: string, headers = {}) =>
      world.signed.jwksHandler(new Request(`${AUTH}/.well-known/jwks.json`, { method, headers }));
    const world = issuerWorld({ overlap: '10m' });
    const answer = await ask(world, 'GET');
    expect(Object.fromEntries(answer.headers)).toEqual({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=150',
      'content-type': 'application/jwk-set+json',
      etag: expect.stringMatching(/^"[\w-]{22}"$/),
    });
    expect(await answer.json()).toEqual(await world.signed.jwks());
    const etag = answer.headers.get('etag') as string;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(world, 'GET', { 'if-none-match': known });
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    }
    expect((await ask(world, 'GET', { 'if-none-match': '"other"' })).status).toBe(200);
    const head = await ask(world, 'HEAD');
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', etag]);
    const post = await ask(world, 'POST');
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    await world.signed.rotateKeys();
    expect((await ask(world, 'GET', { 'if-none-match': etag })).status).toBe(200);
    expect((await ask(issuerWorld(), 'GET')).headers.get('cache-control')).toBe('public, max-age=300');
  });

  it('that can not be read is a 503 that nobody keeps', async () => {
    const store = controlledStore();
    store.fail('findEntry', 'reject');
    const { signed } = issuerWorld({}, { store });
    const answer = await signed.jwksHandler(new Request(`${AUTH}/.well-known/jwks.json`));
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('retry-after')]).toEqual([
      503,
      'no-store',
      '5',
    ]);
    expect(await answer.text()).toBe('');
  });
});
