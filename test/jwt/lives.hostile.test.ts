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

/** An instance whose only signed token gets this answer. */
function vouching(values: object) {
  const { authenticator, seen } = scripted(() => vouch(values));
  const { postern, clock } = createTestPostern({ authenticators: [authenticator] });
  const attempt = { token: jwt('odd'), requirement };
  const ask = async () => verdict(await postern.authorize(attempt));
  const explained = async () => verdict((await postern.explain(attempt)).decision);
  return { ask, explained, clock, seen };
}

describe('an authenticator', () => {
  test.each<[string, object]>([
    ['an invalid date as end', { endsAt: new Date(Number.NaN) }],
    ['no end', { endsAt: undefined }],
    ['a number as end', { endsAt: START + HOUR }],
    ['a text as end', { endsAt: '2030-01-01' }],
    ['a trustedFor of NaN', { trustedFor: Number.NaN }],
    ['a trustedFor in the past', { trustedFor: -1 }],
    ['an infinite trustedFor', { trustedFor: Number.POSITIVE_INFINITY }],
  ])('that answers with %s makes the call unavailable, never allowed', async (_, values) => {
    const { ask, explained } = vouching(values);
    expect([await ask(), await ask(), await explained()]).toEqual(['unavailable', 'unavailable', 'unavailable']);
  });

  test('that answers with an end of null makes a token that never ends', async () => {
    const { ask, explained, clock } = vouching({ endsAt: null });
    expect([await ask(), await explained()]).toEqual(['allowed', 'allowed']);
    clock.advance(100 * YEAR);
    expect(await ask()).toBe('allowed');
  });

  test.each([0, -1, -8.64e15, START])(
    'that answers with an end at %d makes an expired token, also in explain',
    async (end) => {
      const { ask, explained } = vouching({ endsAt: new Date(end) });
      expect([await ask(), await explained()]).toEqual(['token_expired', 'token_expired']);
    },
  );

  test('that answers with a trustedFor of zero is asked at each call', async () => {
    const { ask, seen } = vouching({ trustedFor: 0 });
    expect([await ask(), await ask(), await ask()]).toEqual(['allowed', 'allowed', 'allowed']);
    expect(seen).toHaveLength(3);
  });
});

describe('a clock that is set back', () => {
  test('does not revive a signed token, cached or new', async () => {
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
    // New tokens were made ahead of this clock.
    const late = ['token_unknown', 'token_unknown'];
    expect(await asked([...seen, ...unseen])).toEqual(['token_expired', 'token_expired', ...late]);
    clock.advance(HOUR - 30_000);
    expect(await asked([...seen, ...unseen])).toEqual(Array(4).fill('token_expired'));
  });
});

describe('a withdrawn signing key', () => {
  test('is trusted for a minute at most by a process that read it just before', async () => {
    const store = memoryStore();
    const clock = testClock();
    const [here, elsewhere] = [issuerWorld({}, { store, clock }), issuerWorld({}, { store, clock })];
    const { token } = await issueBoth(here);
    const exchange = async () => (await here.signed.exchange(here.postern, token)).accessToken;
    const [first, second] = [await exchange(), await exchange()];
    const ask = async (each: string) => verdict(await elsewhere.postern.authorize({ token: each, requirement }));
    // This reads the keys now, and the other token when the cached keys are as old as they may be.
    expect(await ask(first)).toBe('allowed');
    await here.signed.rotateKeys({ withdraw: true });
    clock.advance(29_999);
    expect(await ask(second)).toBe('allowed');
    clock.advance(30_001);
    expect([await ask(first), await ask(second)]).toEqual(['token_unknown', 'token_unknown']);
  });
});

describe('a deleted parent', () => {
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

  test('ends its tokens for a verifier that saw it in its own store, and only that store is asked', async () => {
    const { postern, store, record, verifying, clock } = await verified('if-known');
    const [shared, apart] = [verifying(store), verifying(memoryStore())];
    expect([await shared(), await apart()]).toEqual(['allowed', 'allowed']);
    await postern.tokens.delete(record.id);
    expect([await shared(), await apart()]).toEqual(['token_revoked', 'allowed']);
    // This holds also after the cached parent has expired.
    clock.advance(6_000);
    expect([await shared(), await shared(), await apart()]).toEqual(['token_revoked', 'token_revoked', 'allowed']);
  });

  test('ends its tokens for a verifier that verifies them anew meanwhile', async () => {
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

  test('ends its tokens for every verifier that requires it, seen or not', async () => {
    const { postern, store, record, verifying } = await verified('required');
    const [shared, late] = [verifying(store), verifying(store)];
    expect(await shared()).toBe('allowed');
    await postern.tokens.delete(record.id);
    expect([await shared(), await late()]).toEqual(['token_revoked', 'token_revoked']);
  });
});
