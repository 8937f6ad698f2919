import { memoryStore } from 'postern';
import { generateKeys } from 'postern/jwt';
import { testClock } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { refusal, START } from '../support/outcomes.js';
import { claimsIn, issueBoth, issuerWorld } from './support/access.js';
import { type Ask, type Exchange, entryOf, kidOf, processes } from './support/processes.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('a rotation of signing keys', () => {
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

  it('happens once for many concurrent requests', async () => {
    const { worlds, published } = await processes(10);
    const rotated = await Promise.all(worlds.map(({ signed }) => signed.rotateKeys()));
    expect(new Set(rotated.map(({ kid }) => kid)).size).toBe(1);
    expect(await published(3)).toHaveLength(2);
  });

  it('happens once by itself, in any process', async () => {
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

  it('with withdraw ends the old key and all its tokens at once', async () => {
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

  it('keeps the old key for the longest lifetime of any process', async () => {
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

  it('is refused if the application gives the keys', async () => {
    const { signed } = issuerWorld({ keys: await generateKeys() });
    expect(await refusal(signed.rotateKeys())).toMatchObject({ code: 'input_invalid', path: 'keys' });
    expect(await refusal(issuerWorld().signed.rotateKeys({ now: true } as object))).toMatchObject({
      code: 'option_unknown',
    });
  });
});

describe('a jump of the clock', () => {
  it('by years ahead and back loses no key and no token', async () => {
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
    // Everything works as before.
    clock.set(new Date(START + 30 * DAY));
    const month = await steady.signed.exchange(steady.postern, token);
    expect(claimsIn(month.accessToken).iat).toBe(clock.now() / 1000);
    expect((await steady.signed.jwks()).keys.length).toBeLessThanOrEqual(8);
  });

  it('back does not hide changes of other processes', async () => {
    const { worlds, first, published, clock } = await processes(2);
    await published(1);
    clock.advance(-2 * HOUR);
    const { kid } = await first.signed.rotateKeys({ withdraw: true });
    expect([worlds.length, await published(1)]).toEqual([2, [kid]]);
  });

  it('to before the first key still signs with that key', async () => {
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
