import { memoryStore } from 'postern';
import { accessTokens, derive, type VerifierOptions } from 'postern/jwt';
import type { Store } from 'postern/store';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { START, verdict } from '../support/outcomes.js';
import { API, AUTH, issueBoth, issuerWorld } from './support/access.js';

const requirement = { scope: 'models:read' } as const;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

/** An instance whose only signed token is vouched for with these values. */
function vouching(values: object) {
  const { authenticator, seen } = scripted(() => vouch(values));
  const { postern, clock } = createTestPostern({ authenticators: [authenticator] });
  const attempt = { token: jwt('odd'), requirement };
  const ask = async () => verdict(await postern.authorize(attempt));
  const explained = async () => verdict((await postern.explain(attempt)).decision);
  return { ask, explained, clock, seen };
}

describe('an authenticator that vouches with odd times', () => {
  test.each<[string, object]>([
    ['a date that is none', { endsAt: new Date(Number.NaN) }],
    ['no end', { endsAt: undefined }],
    ['a number for an end', { endsAt: START + HOUR }],
    ['a text for an end', { endsAt: '2030-01-01' }],
    ['a trust that is no number', { trustedFor: Number.NaN }],
    ['a trust in the past', { trustedFor: -1 }],
    ['a trust without an end', { trustedFor: Number.POSITIVE_INFINITY }],
  ])('%s is a fault, and never an allow', async (_, values) => {
    const { ask, explained } = vouching(values);
    expect([await ask(), await ask(), await explained()]).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  test('an end that is null is never', async () => {
    const { ask, explained, clock } = vouching({ endsAt: null });
    expect([await ask(), await explained()]).toEqual(['allowed', 'allowed']);
    clock.advance(100 * YEAR);
    expect(await ask()).toBe('allowed');
  });

  test.each([0, -1, -8.64e15, START])('an end at %d is over, and is explained', async (end) => {
    const { ask, explained } = vouching({ endsAt: new Date(end) });
    expect([await ask(), await explained()]).toEqual(['token_expired', 'token_expired']);
  });

  test('without any trust it is asked each time', async () => {
    const { ask, seen } = vouching({ trustedFor: 0 });
    expect([await ask(), await ask(), await ask()]).toEqual(['allowed', 'allowed', 'allowed']);
    expect(seen).toHaveLength(3);
  });
});

describe('a clock that is set back', () => {
  test('revives no signed token: none that was remembered, and none that is new', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world);
    const make = async () => [
      await derive(token, { expiresIn: '1m', clock: clock.now }),
      (await signed.exchange(postern, token, { expiresIn: '1m' })).accessToken,
    ];
    const [seen, unseen] = [await make(), await make()];
    const asked = (tokens: string[]) =>
      Promise.all(tokens.map(async (each) => verdict(await postern.authorize({ token: each, requirement }))));
    expect(await asked(seen)).toEqual(['allowed', 'allowed']);
    clock.advance(60_000);
    expect(await asked(seen)).toEqual(['token_expired', 'token_expired']);
    clock.advance(-HOUR);
    // Those that nobody has seen yet were made ahead of this clock.
    const late = ['token_unknown', 'token_unknown'];
    expect(await asked([...seen, ...unseen])).toEqual(['token_expired', 'token_expired', ...late]);
    clock.advance(HOUR - 30_000);
    expect(await asked([...seen, ...unseen])).toEqual(Array(4).fill('token_expired'));
  });
});

describe('a signing key that is withdrawn', () => {
  test('is believed for a minute at most, by a process that read it and a token just before', async () => {
    const store = memoryStore();
    const clock = testClock();
    const [here, elsewhere] = [issuerWorld({}, { store, clock }), issuerWorld({}, { store, clock })];
    const { token } = await issueBoth(here);
    const exchange = async () => (await here.signed.exchange(here.postern, token)).accessToken;
    const [first, second] = [await exchange(), await exchange()];
    const ask = async (each: string) => verdict(await elsewhere.postern.authorize({ token: each, requirement }));
    // It reads the keys now, and the other token when what it knows is as old as it may get.
    expect(await ask(first)).toBe('allowed');
    await here.signed.rotateKeys({ withdraw: true });
    clock.advance(29_999);
    expect(await ask(second)).toBe('allowed');
    clock.advance(30_001);
    expect([await ask(first), await ask(second)]).toEqual(['token_unknown', 'token_unknown']);
  });
});

describe('a parent that is deleted', () => {
  async function verified(parents: NonNullable<VerifierOptions['parents']>) {
    const world = issuerWorld();
    const { token, record } = await issueBoth(world);
    const { accessToken } = await world.signed.exchange(world.postern, token);
    const jwks = await world.signed.jwks();
    const verifying = (store: Store) => {
      const verifier = accessTokens.verifier({ issuer: AUTH, audience: API, jwks, parents });
      const { postern } = createTestPostern({ store, clock: world.clock, authenticators: [verifier] });
      return async () => verdict(await postern.authorize({ token: accessToken, requirement }));
    };
    return { ...world, record, verifying };
  }

  test('ends its tokens for a verifier that has seen it in its store, and no other store is asked for it', async () => {
    const { postern, store, record, verifying, clock } = await verified('if-known');
    const [shared, apart] = [verifying(store), verifying(memoryStore())];
    expect([await shared(), await apart()]).toEqual(['allowed', 'allowed']);
    await postern.tokens.delete(record.id);
    expect([await shared(), await apart()]).toEqual(['token_revoked', 'allowed']);
    // Not only until what it knew of that is forgotten.
    clock.advance(6_000);
    expect([await shared(), await shared(), await apart()]).toEqual(['token_revoked', 'token_revoked', 'allowed']);
  });

  test('ends them also for a verifier that verifies them anew meanwhile', async () => {
    const world = issuerWorld();
    const { postern, signed, store, clock } = world;
    const { token, record } = await issueBoth(world);
    const { accessToken } = await signed.exchange(postern, token);
    const verifier = accessTokens.verifier({
      issuer: AUTH,
      audience: API,
      jwks: 'https://auth.example/jwks.json',
      maxAge: '20s',
      cooldown: '10s',
      fetch: async () => Response.json(await signed.jwks()),
    });
    const { postern: other } = createTestPostern({ store, clock, authenticators: [verifier] });
    const ask = async () => verdict(await other.authorize({ token: accessToken, requirement }));
    expect(await ask()).toBe('allowed');
    clock.advance(20_000);
    expect(await ask()).toBe('allowed');
    await postern.tokens.delete(record.id);
    clock.advance(20_000);
    expect([await ask(), await ask()]).toEqual(['token_revoked', 'token_revoked']);
  });

  test('ends them for every verifier that requires it, seen or not', async () => {
    const { postern, store, record, verifying } = await verified('required');
    const [shared, late] = [verifying(store), verifying(store)];
    expect(await shared()).toBe('allowed');
    await postern.tokens.delete(record.id);
    expect([await shared(), await late()]).toEqual(['token_revoked', 'token_revoked']);
  });
});
