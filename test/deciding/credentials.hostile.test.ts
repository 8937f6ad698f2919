import { memoryStore } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { formatToken } from '../../src/domain/token-format.js';
import { refusal, thrown, verdict, withWrongChecksum } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

/** A valid token whose secret differs in one bit of the byte at `at`. */
function sibling(bytes: Uint8Array, at: number): string {
  return formatToken('pst', bytes.with(at, (bytes[at] as number) ^ 1));
}

describe('the cache key is the whole token', () => {
  test('a token that differs in one bit from a warm one is unknown', async () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index * 7);
    const { postern } = createTestPostern({ random: (length) => (length === 32 ? bytes : new Uint8Array(length)) });
    const { token } = await postern.tokens.create({ name: 'x', types });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    for (const at of [0, 15, 31]) {
      const other = sibling(bytes, at);
      expect(postern.tryAuthorize({ token: other, requirement })).toBeNull();
      expect(verdict(await postern.authorize({ token: other, requirement }))).toBe('token_unknown');
    }
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
  });

  test('a warm token is judged anew for each requirement', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    const ask = (scope: 'models:read' | 'models:write') =>
      verdict(postern.tryAuthorize({ token, requirement: { scope } }) as never);
    await postern.authenticate(token);
    expect([ask('models:read'), ask('models:write'), ask('models:read')]).toEqual([
      'allowed',
      'scope_missing',
      'allowed',
    ]);
  });

  test('imported tokens with the same secret part are cached separately', async () => {
    const { postern, store } = createTestPostern({
      importedTokens: [{ pattern: /^(\d+)\|(a{40})$/, secret: (match) => match[2] }],
    });
    await postern.authenticate(`1|${'a'.repeat(40)}`);
    await postern.authenticate(`2|${'a'.repeat(40)}`);
    expect(store.count('findTokenByDigest')).toBe(2);
  });
});

describe('a cached token', () => {
  test('ends to the millisecond at its expiry and at the end of its grace, and a clock set back does not revive it', async () => {
    const { postern, clock } = createTestPostern({ cache: { ttl: '1d' } });
    const expiring = await postern.tokens.create({ name: 'x', types, expiresIn: '1m' });
    const replaced = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.rotate(replaced.record.id, { grace: '1m' });
    for (const { token } of [expiring, replaced]) await postern.authenticate(token);
    const ask = (token: string) => verdict(postern.tryAuthorize({ token, requirement }) as never);
    clock.advance(59_999);
    expect([ask(expiring.token), ask(replaced.token)]).toEqual(['allowed', 'allowed']);
    clock.advance(1);
    expect([ask(expiring.token), ask(replaced.token)]).toEqual(['token_expired', 'token_revoked']);
    clock.advance(-59_000);
    expect((await postern.authenticate(expiring.token)).ok).toBe(false);
    expect((await postern.authenticate(replaced.token)).ok).toBe(false);
  });
});

describe('a read under way', () => {
  test.each(['before', 'after'] as const)(
    'that is held %s the store does not bring back a token revoked, deleted or updated meanwhile',
    async (where) => {
      for (const method of ['revoke', 'delete', 'update'] as const) {
        const { postern, store } = createTestPostern({ store: controlledStore(memoryStore(), { feed: false }) });
        const { token, record } = await postern.tokens.create({ name: 'x', types });
        const gate = store.hold('findTokenByDigest', where);
        const early = postern.authorize({ token, requirement });
        const held = await gate.next();
        gate.end();
        if (method === 'update') await postern.tokens.update(record.id, { types: { user: { endpoints: '*' } } });
        else await postern.tokens[method](record.id);
        held.release();
        await early;
        expect((await postern.authorize({ token, requirement })).allowed).toBe(false);
      }
    },
  );
});

describe('timing', () => {
  test('the store is asked for digests of fixed length only, so no part of a token is compared', async () => {
    const store = controlledStore();
    const asked: string[] = [];
    const find = store.findTokenByDigest;
    store.findTokenByDigest = (digests) => {
      asked.push(...digests);
      return find(digests);
    };
    const pepper = [
      { id: 'a', key: 'a key of more than 16 characters' },
      { id: 'none', key: null },
    ];
    const { postern } = createTestPostern({ store, pepper, importedTokens: [{ pattern: /^old_\w+$/ }] });
    const { token } = await postern.tokens.create({ name: 'x', types });
    for (const text of [token, 'old_1', `old_${'x'.repeat(400)}`]) await postern.authenticate(text);
    expect(asked).toHaveLength(6);
    for (const digest of asked) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('rotation', () => {
  test('refuses an expired or revoked token, and its grace ends with the old expiry at the latest', async () => {
    const { postern, clock } = createTestPostern();
    const short = await postern.tokens.create({ name: 'x', types, expiresIn: '1m' });
    const revoked = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.revoke(revoked.record.id);
    await postern.tokens.rotate(short.record.id, { grace: '365d' });
    clock.advance(60_000);
    expect((await postern.authenticate(short.token)).ok).toBe(false);
    expect((await refusal(postern.tokens.rotate(short.record.id, { grace: '1h' }))).code).toBe('token_expired');
    expect((await refusal(postern.tokens.rotate(revoked.record.id, { grace: '1h' }))).code).toBe('token_revoked');
  });
});

describe('a principal', () => {
  test('can not create, update or rotate beyond its own grants, nor name another owner or organization', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', owner: 'ada', types });
    const mighty = await postern.tokens.create({ name: 'mighty', types: { developer: { scopes: ['*'] } } });
    const outcome = await postern.authenticate(token);
    if (!outcome.ok) throw new Error(outcome.reason);
    const mine = postern.as(outcome.principal);
    const more = { developer: { scopes: ['models:write'] } } as const;
    expect((await refusal(mine.tokens.create({ name: 'y', types: more }))).code).toBe('scope_missing');
    expect((await refusal(mine.tokens.update(outcome.principal.tokenId, { types: more }))).code).toBe('scope_missing');
    expect((await refusal(mine.tokens.rotate(mighty.record.id))).code).toBe('scope_missing');
    expect((await refusal(mine.tokens.create({ name: 'y', types, owner: 'eve' }))).code).toBe('owner_forbidden');
    expect((await refusal(mine.tokens.create({ name: 'y', types, organization: 'other' }))).code).toBe(
      'organization_forbidden',
    );
  });
});

describe('token ids and secrets', () => {
  test('never contain the separator (2,000 tokens)', async () => {
    const { postern } = createTestPostern();
    for (let i = 0; i < 2_000; i++) {
      const { token, record } = await postern.tokens.create({ name: 'x', types });
      expect(token.split('_')).toHaveLength(2);
      expect(record.id).toMatch(/^[0-9A-Za-z]{22}$/);
      if (i % 20 === 0) expect((await postern.authenticate(token)).ok).toBe(true);
    }
  });
});

describe('a pattern for imported tokens', () => {
  test('with a g flag gives each call the same answer, and without an anchor is refused', async () => {
    const { postern } = createTestPostern({ importedTokens: [{ pattern: /^old_[a-z]+$/g }], cache: false });
    const digest = 'ef'.repeat(32);
    await postern.tokens.import({ name: 'x', types, digest });
    const verdicts = [];
    for (let i = 0; i < 4; i++) verdicts.push((await postern.authenticate('old_abc')).ok);
    expect(new Set(verdicts).size).toBe(1);
    expect((await postern.authenticate(`old_${'a'.repeat(8_000)}`)).ok).toBe(false);
    const anchored = thrown(() => createTestPostern({ importedTokens: [{ pattern: /old_[a-z]+/ }] }).postern);
    expect(anchored.code).toBe('option_invalid');
  });
});

describe('a hostile credential', () => {
  test.each([
    ["' OR 1=1 --"],
    ["pst_'; DROP TABLE tokens; --"],
    ['pst_%'],
    ['__proto__'],
    ['constructor'],
    ['{"$ne":null}'],
    ['pst_\u0000'],
    ['../../etc/passwd'],
    ['\u202epst_'],
    [`pst_${'_'.repeat(49)}`],
    [`pst_${'%'.repeat(49)}`],
    ['x'.repeat(100_000)],
  ])('%j is refused without a read', async (token) => {
    const { postern, store } = createTestPostern();
    expect((await postern.authenticate(token)).ok).toBe(false);
    expect((await postern.authorize({ token, requirement })).allowed).toBe(false);
    expect(store.count()).toBe(0);
  });

  test('in place of an endpoint name or a token id costs no read', async () => {
    const { postern, store } = createTestPostern();
    for (const text of ["' OR 1=1 --", '%', '_', '__proto__', '../x', 'a\u0000b', '']) {
      await postern.authorize({ requirement: { endpoint: text } });
      if (text === '__proto__' || text === '_') continue;
      await postern.tokens.get(text);
      await postern.endpoints.get(text);
    }
    expect(store.count()).toBe(0);
  });

  test('with a wrong checksum costs no read', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    const before = store.count();
    await postern.authenticate(withWrongChecksum(token));
    expect(store.count()).toBe(before);
  });
});
