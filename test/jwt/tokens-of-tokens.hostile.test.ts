import { createHash } from 'node:crypto';
import { accessTokens, derive, generateKeys } from 'postern/jwt';
import { memoryRateLimiter } from 'postern/limits';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';
import { API, AUTH, issueBoth, issuerWorld } from './support/access.js';

describe('a derived or exchanged token', () => {
  test("can not change another token's grants, limits or lifetime", async () => {
    const world = issuerWorld({}, { rateLimiter: memoryRateLimiter() });
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world, { types: { developer: { scopes: ['*'] } } });
    const { record } = await postern.tokens.create({
      name: 'thief',
      owner: 'mallory',
      rateLimit: { points: 1, duration: '1h' },
      types: { developer: { scopes: ['models:read'] } },
    });
    for (const each of [
      await derive(token, { clock: clock.now }),
      (await signed.exchange(postern, token)).accessToken,
    ]) {
      const found = await postern.authenticate(each);
      if (!found.ok) throw new Error(found.reason);
      const theirs = postern.as(found.principal).tokens;
      const types = { developer: { scopes: ['models:read', 'iam:write'] } } as const;
      for (const change of [{ types }, { rateLimit: null }, { quota: null }, { expiresAt: null }]) {
        expect(await refusal(theirs.update(record.id, change as never))).toMatchObject({ code: 'issuance_forbidden' });
      }
      for (const change of [
        theirs.update(record.id, { description: 'seen' }),
        theirs.revoke(record.id),
        theirs.delete(record.id),
      ]) {
        expect(await refusal(change)).toMatchObject({ code: 'issuance_forbidden' });
      }
    }
    expect((await postern.tokens.get(record.id))?.types).toEqual({ developer: { scopes: ['models:read'] } });
  });
});

describe('an imported token that begins like a JWT', () => {
  test.each([0, 1])('is looked up with %d authenticators', async (authenticators) => {
    const clock = testClock();
    const signed = accessTokens({ issuer: AUTH, audience: API, keys: await generateKeys() });
    const { postern } = createTestPostern({
      clock,
      authenticators: authenticators === 0 ? [] : [signed],
      importedTokens: [{ pattern: /^[A-Za-z0-9]{40}$/ }],
    });
    const old = `eyJ${'a'.repeat(37)}`;
    const digest = createHash('sha256').update(old).digest('hex');
    await postern.tokens.import({ name: 'old', digest, types: { developer: { scopes: ['models:read'] } } });
    const ask = async (token: string) =>
      verdict(await postern.authorize({ token, requirement: { scope: 'models:read' } }));
    expect([await ask(old), await ask(`${old.slice(0, -1)}b`)]).toEqual(['allowed', 'token_unknown']);
  });
});
