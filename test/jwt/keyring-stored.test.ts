import { createHash } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { accessTokens } from 'postern/jwt';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { refusal, START } from '../support/outcomes.js';
import { AUTH, issuerWorld, KEPT } from './support/access.js';
import { type Ask, ENTRY, type Exchange, entryOf, kidOf, processes } from './support/processes.js';

const HOUR = 3_600_000;

describe('signing keys in the store', () => {
  it('are one key, also for many processes that start at the same time', async () => {
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

  it('are stored without any clear text, also of the public half and the name', async () => {
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

  it('are opened by the same encryption key as bytes or text, and not for another issuer', async () => {
    const bytes = new TextEncoder().encode(KEPT.encryptionKey);
    const { published, store } = await processes(1);
    const kids = await published();
    const again = accessTokens({ ...KEPT, encryptionKey: bytes });
    createTestPostern({ store, authenticators: [again] }).postern;
    expect((await again.jwks()).keys.map(({ kid }) => kid)).toEqual(kids);
    // The entry is copied by hand to another issuer, where it can not be opened.
    const other = 'https://other.example';
    const id = createHash('sha256').update(other).digest('base64url');
    await store.putEntry({ ...(await entryOf(store)), id, version: 1 }, 0, START);
    const moved = accessTokens({ ...KEPT, issuer: other });
    createTestPostern({ store, authenticators: [moved] }).postern;
    expect(await refusal(moved.jwks())).toMatchObject({ code: 'option_invalid', path: 'encryptionKey' });
  });

  it('are left alone by a process with another encryption key, which refuses their tokens', async () => {
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
    ['was damaged by hand', '{"keys":[]}'],
    ['is empty', ''],
    ['is encrypted in another way', 'eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.AA.AA.AA.AA'],
  ])('are unreadable and left alone if the entry %s', async (_, value) => {
    const { first, store, published } = await processes(1);
    await published();
    const entry = await entryOf(store);
    await store.putEntry({ ...entry, value, version: 2 }, 1, START);
    const cold = issuerWorld({}, { store });
    expect((await refusal(cold.signed.jwks())).code).toBe('record_unreadable');
    expect((await refusal(first.signed.rotateKeys())).code).toBe('record_unreadable');
    expect((await entryOf(store)).value).toBe(value);
  });

  it('of a later version are unreadable and left alone', async () => {
    const { sealFor } = await import('../../src/jwt/seal.js');
    const seal = sealFor(AUTH, [new TextEncoder().encode(KEPT.encryptionKey)]);
    const value = await seal.seal(JSON.stringify({ longestLife: HOUR, keys: [], hsm: true }));
    const { signed, store } = issuerWorld();
    await store.putEntry({ kind: 'signing_keys', id: ENTRY, value, version: 1, expiresAt: null }, 0, START);
    expect((await refusal(signed.jwks())).code).toBe('record_unreadable');
    expect((await entryOf(store)).value).toBe(value);
  });

  it('start again if the entry was deleted, which ends the tokens', async () => {
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

  it('work for an hour while the store is down, and are unavailable after that', async () => {
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

  it('are read seldom while the store is down', async () => {
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

  it('that were damaged make tokens unavailable at the next read', async () => {
    const { exchanges, store, clock } = await processes(1);
    const exchange = exchanges[0] as Exchange;
    await exchange();
    await store.putEntry({ ...(await entryOf(store)), value: 'spoilt', version: 2 }, 1, START);
    clock.advance(60_000);
    expect((await refusal(exchange())).code).toBe('record_unreadable');
  });

  it('make tokens unavailable, never unknown, while they can not be read', async () => {
    const { exchanges, store, clock } = await processes(1);
    const accessToken = await (exchanges[0] as Exchange)();
    const cold = issuerWorld({}, { store, clock });
    store.fail('findEntry', 'reject');
    expect(await cold.postern.authenticate(accessToken)).toMatchObject({ ok: false, reason: 'unavailable' });
    store.mend();
    expect(await cold.postern.authenticate(accessToken)).toMatchObject({ ok: true });
  });

  it('cost at most one read a second for unknown kids', async () => {
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

describe('jwks', () => {
  it('throws without a store and without keys', async () => {
    const signed = accessTokens(KEPT);
    expect(await refusal(signed.jwks())).toMatchObject({ code: 'input_invalid', path: 'keys' });
    const { postern } = createTestPostern({ authenticators: [signed] });
    expect((await signed.jwks()).keys).toHaveLength(1);
    await postern.close();
    expect(await refusal(signed.jwks())).toMatchObject({ code: 'input_invalid', path: 'keys' });
  });

  it('of an issuer with several stores has the keys of all', async () => {
    const signed = accessTokens(KEPT);
    for (let index = 0; index < 2; index++) createTestPostern({ authenticators: [signed] }).postern;
    expect((await signed.jwks()).keys).toHaveLength(2);
  });

  it('is served with a validator, and may be cached for much less than the overlap', async () => {
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

  it('that can not be read is an uncached 503', async () => {
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
