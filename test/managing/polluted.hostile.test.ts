import { createPostern, memoryStore } from 'postern';
import { accessTokens, generateKeys, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { keyServer } from '../jwt/support/key-server.js';
import { AUDIENCE, ISSUER, issuerKey, signed } from '../jwt/support/tokens.js';
import { jwt, vouch } from '../support/authenticator.js';
import { START, verdict } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

describe('an authenticator', () => {
  /** Takes every credential of its own form for Eve's. */
  const everyone = () => ({ accepts: () => true, authenticate: async () => vouch({ owner: 'eve' }) });

  test('is attached only where it, or its class, can be', async () => {
    const nobody = { accepts: () => true, authenticate: async () => 'token_unknown' as const };
    const decision = await polluted({ attach: everyone }, async () => {
      const postern = createPostern({ store: memoryStore(), authenticators: [nobody] });
      return postern.authorize({ token: jwt('a'), requirement });
    });
    expect(verdict(decision)).toBe('token_unknown');
  });

  test('of a class is attached, and closed, by the methods of that class', async () => {
    const close = vi.fn();
    class Signed {
      readonly #vouched = { ...everyone(), close };
      attach() {
        return this.#vouched;
      }
    }
    const stranger = vi.fn();
    const decision = await polluted({ attach: stranger, close: stranger }, async () => {
      const postern = createPostern({ store: memoryStore(), authenticators: [new Signed()] });
      const found = await postern.authorize({ token: jwt('a'), requirement });
      await postern.close();
      return found;
    });
    expect(verdict(decision)).toBe('allowed');
    expect([close.mock.calls.length, stranger.mock.calls.length]).toEqual([1, 0]);
  });

  test('that has nothing but what every object was given is refused', async () => {
    const made = polluted({ attach: everyone, ...everyone() }, () =>
      createPostern({ store: memoryStore(), authenticators: [{} as never] }),
    );
    await expect(made).rejects.toMatchObject({ code: 'option_invalid', path: 'authenticators.0' });
  });

  test('asks the issuer that it was given for keys, not an address that every object was given', async () => {
    const [good, evil] = await Promise.all([issuerKey('ES256'), issuerKey('ES256')]);
    const [ours, theirs] = await Promise.all([
      keyServer({ '/jwks': { keys: [good.jwk] } }),
      keyServer({ '/jwks': { keys: [evil.jwk] } }),
    ]);
    ours.answers.set('/.well-known/openid-configuration', { issuer: ours.origin, jwks_uri: `${ours.origin}/jwks` });
    const people = trustedIssuer({
      issuer: ours.origin,
      audience: AUDIENCE,
      principal: () => ({ owner: 'ann', types }),
    });
    const postern = createPostern({ store: memoryStore(), authenticators: [people], clock: () => START });
    const token = await signed(evil, { iss: ours.origin });
    const decision = await polluted({ url: `${theirs.origin}/jwks` }, () => postern.authorize({ token, requirement }));
    expect([verdict(decision), theirs.count('/jwks')]).toEqual(['token_unknown', 0]);
  });
});

test('a verifier fetches keys in the way that it was given, not in one that every object was given', async () => {
  const [good, evil] = await Promise.all([issuerKey('ES256'), issuerKey('ES256')]);
  const ours = await keyServer({ '/jwks': { keys: [good.jwk] } });
  const fetch = vi.fn(async () => Response.json({ keys: [evil.jwk] }));
  const decision = await polluted({ fetch, allowInsecureKeys: true }, async () => {
    const verifier = accessTokens.verifier({ issuer: ISSUER, audience: AUDIENCE, jwks: `${ours.origin}/jwks` });
    const { postern } = createTestPostern({ authenticators: [verifier] });
    return postern.authorize({ token: await signed(evil), requirement });
  });
  expect([decision.allowed, fetch.mock.calls.length]).toEqual([false, 0]);
  expect(ours.count('/jwks')).toBe(1);
});

test.each(['type', 'search', 'revoked', 'ownership', 'after', 'until', 'offset'])(
  'a leaver goes, whatever %s every object was given',
  async (key) => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', owner: 'ann', types });
    const after = { createdAt: 0, id: '0' };
    const values = {
      type: 'evil',
      search: 'evil',
      revoked: true,
      ownership: 'organization',
      after,
      until: after,
      offset: 9,
    };
    const revoked = await polluted({ [key]: values[key as keyof typeof values] }, () =>
      postern.tokens.revokeOwned({ owner: 'ann' }),
    );
    expect([revoked, verdict(await postern.authorize({ token, requirement }))]).toEqual([1, 'token_revoked']);
  },
);

test('a limiter that does not say that a call is allowed allows none', async () => {
  const consume = async () => ({ remaining: 1, resetIn: 1 }) as never;
  const { postern } = createTestPostern({ rateLimiter: { consume, peek: async () => null } });
  const { token } = await postern.tokens.create({ name: 'x', types, rateLimit: { points: 1, duration: '1m' } });
  const decision = await polluted({ allowed: true }, () => postern.authorize({ token, requirement }));
  expect(verdict(decision)).toBe('rate_limited');
});

test('what is known of a token is told and exchanged, whatever every object was given', async () => {
  const access = accessTokens({ issuer: ISSUER, audience: AUDIENCE, keys: await generateKeys() });
  const postern = createPostern({ store: memoryStore(), authenticators: [access] });
  onTestFinished(() => postern.close());
  const { token } = await postern.tokens.create({ name: 'x', types });
  const [told, exchanged] = await polluted({ allowed: false, reason: 'unavailable' }, async () => [
    await postern.introspect(token),
    await access.exchange(postern, token),
  ]);
  expect([told?.active, typeof exchanged?.accessToken]).toEqual([true, 'string']);
});
