import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { memoryStore, type PosternEvent } from 'postern';
import { accessTokens, derive, dpopProof, generateKeys, trustedIssuer } from 'postern/jwt';
import { controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { derivedKeyOf } from '../../src/base/derived-key.js';
import { API, ENCRYPTION_KEY, issueBoth, issuerWorld } from './support/access.js';
import { AUDIENCE, ISSUER, issuerKey, signed as signedBy } from './support/tokens.js';

const requirement = { scope: 'models:read' } as const;

/** A value in every printed form, with hidden properties and causes of errors. */
const shown = (value: unknown) =>
  inspect(value, { depth: 12, showHidden: true, getters: true, maxArrayLength: null, maxStringLength: null });

/** The parts of a secret that must not appear: a token as a whole, and the secret parts of a JWT. */
function traces(secret: string): string[] {
  const [, payload, signature] = secret.split('.');
  return payload === undefined || signature === undefined ? [secret] : [secret, signature];
}

describe('no secret of signed tokens', () => {
  test('is in events, errors, explanations or the store, in success and failure', async () => {
    const told: unknown[] = [];
    const written: unknown[] = [];
    const inner = memoryStore();
    for (const method of ['putEntry', 'insertTokens', 'replaceToken', 'recordUsage'] as const) {
      const write = inner[method].bind(inner) as (...all: unknown[]) => Promise<never>;
      inner[method] = ((...all: unknown[]) => {
        written.push(structuredClone(all));
        return write(...all);
      }) as never;
    }
    const store = controlledStore(inner);
    const clock = testClock();
    const idp = await issuerKey('ES256');
    let fails = false;
    const people = trustedIssuer({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwks: { keys: [idp.jwk] },
      principal: () => {
        if (fails) throw new Error('the directory is down');
        return { owner: 'ann', types: { developer: { scopes: ['models:read'] } } };
      },
    });
    const { signed } = issuerWorld();
    const { postern } = createTestPostern({
      store,
      clock,
      authenticators: [signed, people],
      onEvent: (event: PosternEvent) => told.push(event),
    });
    const { token, record } = await issueBoth({ postern });
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = (await exportJWK(privateKey)) as JWK & Record<string, unknown>;
    const { d, ...dpopKey } = key;

    const derived = await derive(token, { scopes: ['models:read'], methods: ['GET'], clock: clock.now });
    const access = (await signed.exchange(postern, token)).accessToken;
    const bound = (await signed.exchange(postern, token, { dpopKey })).accessToken;
    const foreign = await signedBy(idp);
    const proof = await dpopProof({ accessToken: bound, method: 'GET', url: `${API}/x`, key, clock: clock.now });
    const all = [token, derived, access, bound, foreign];

    const attempts = () =>
      Promise.all(
        all.flatMap((each) => [
          postern.authorize({ token: each, requirement, method: 'GET' }),
          postern.explain({ token: each, requirement, method: 'POST' }),
          postern.explain({ token: `${each.slice(0, -4)}AAAA`, requirement }),
          postern.authenticate(each),
          postern.authorize({ token: each, proof: { jwt: proof, target: '/x' }, method: 'GET', requirement }),
          signed.exchange(postern, each, { scopes: ['cluster:write'] }).catch((error: unknown) => error),
          signed.exchange(postern, `${each}x`).catch((error: unknown) => error),
          derive(each, { expiresIn: '1ms' }).catch((error: unknown) => error),
          derive(`${each}x`).catch((error: unknown) => error),
        ]),
      );
    told.push(await attempts());
    for (const method of ['findToken', 'findTokenByKeyId', 'findTokenByDigest', 'findEntry', 'putEntry'] as const) {
      store.fail(method, 'reject');
    }
    fails = true;
    clock.advance(120_000);
    told.push(await attempts());
    store.mend();
    await postern.tokens.revoke(record.id);
    told.push(await attempts());
    told.push(signed, people, postern, await signed.jwks());
    await postern.close();

    const text = shown(told);
    const kept = shown(written);
    expect(told.length).toBeGreaterThan(20);
    expect(kept).toContain('proof');
    const seed = (await derivedKeyOf(token))?.d as string;
    for (const secret of [...all, proof].flatMap(traces).concat(seed, d as string, ENCRYPTION_KEY)) {
      expect(text.includes(secret), `told: ${secret}`).toBe(false);
      expect(kept.includes(secret), `kept: ${secret}`).toBe(false);
    }
    // Digests are not in events, and private keys are not in clear in the store.
    const digest = createHash('sha256').update(token).digest('hex');
    expect([text.includes(digest), kept.includes(digest)]).toEqual([false, true]);
    expect(kept).not.toMatch(/"d"|\bd: '/);
  });

  test('is in errors about wrong options', async () => {
    const keys = await generateKeys();
    const secret = keys[0]?.d as string;
    const short = 'a secret of 31 characters, no m';
    const said: unknown[] = [];
    for (const options of [
      { issuer: 'x', audience: 'y', keys: [{ ...keys[0], x: 'AAAA', kty: 'oct' }] },
      { issuer: 'x', audience: 'y', keys: [{ ...keys[0], d: [secret] }] },
      { issuer: 'x', audience: 'y', keys: [...keys, ...keys] },
      { issuer: 'x', audience: 'y', keys, encryptionKey: ENCRYPTION_KEY },
      { issuer: 'x', audience: 'y', encryptionKey: short },
      { issuer: 'x', audience: 'y', encryptionKey: ENCRYPTION_KEY, [ENCRYPTION_KEY.slice(0, 5)]: 1 },
      { issuer: `https://me:${secret}@auth.example`, audience: 'y', keys: `${secret}` },
    ]) {
      try {
        said.push(accessTokens(options as never));
      } catch (error) {
        said.push(error);
      }
    }
    for (const jwks of [`https://me:${secret}@login.example/keys`, `http://login.example/keys?key=${secret}`]) {
      try {
        trustedIssuer({ issuer: ISSUER, audience: AUDIENCE, jwks, principal: () => null });
      } catch (error) {
        said.push(error);
      }
    }
    expect(said).toHaveLength(9);
    expect(said.every((each) => each instanceof Error)).toBe(true);
    const text = shown(said);
    expect([text.includes(secret), text.includes(short), text.includes(ENCRYPTION_KEY)]).toEqual([false, false, false]);
  });
});
