import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

describe('an expiry', () => {
  test('of null never ends, undefined changes nothing, and the epoch is refused as past', async () => {
    const { postern, clock } = createTestPostern();
    const never = await postern.tokens.create({ name: 'x', types, expiresAt: null });
    const limited = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    await postern.tokens.update(limited.record.id, { expiresAt: undefined, name: 'y' });
    expect((await refusal(postern.tokens.create({ name: 'x', types, expiresAt: new Date(0) }))).code).toBe(
      'expiry_past',
    );
    expect((await refusal(postern.tokens.create({ name: 'x', types, expiresIn: 0 }))).code).toBe('expiry_past');
    expect(never.record.expiresAt).toBeNull();
    clock.advance(3_600_000);
    expect((await postern.authenticate(never.token)).ok).toBe(true);
    expect(await postern.authenticate(limited.token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test.each([[undefined], [Number.NaN], ['']])('that is stored as %s is an internal error', async (expiresAt) => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    store.answer('findTokenByDigest', (real) => {
      const found = real as { token: object };
      return { ...found, token: { ...found.token, expiresAt } };
    });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
  });
});

describe('Unicode', () => {
  test('organizations and owners that only look alike are different ones', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types, organization: 'caf\u00e9', owner: 'Ada' });
    const ask = async (organization: string) =>
      verdict(await postern.authorize({ token, requirement: { ...requirement, organization } }));
    expect(await ask('caf\u00e9')).toBe('allowed');
    for (const lookalike of ['cafe\u0301', 'CAF\u00c9', 'caf\u00e9 ', 'caf\u00e9\u200b', 'с\u0430f\u00e9'])
      expect(await ask(lookalike)).toBe('scope_missing');
    expect(await postern.tokens.revokeOwned({ owner: 'ada', organization: 'caf\u00e9' })).toBe(0);
  });

  test('bidirectional and control characters are escaped in errors and explanations', async () => {
    const { postern } = createTestPostern();
    const hostile = 'safe\u202egnp.exe\u001b[2J\u0007';
    const error = await refusal(postern.tokens.create({ name: 'x', types: { user: { endpoints: [hostile] } } }));
    const { steps } = await postern.explain({ requirement: { endpoint: hostile } });
    const unknown = await refusal(postern.tokens.create({ name: 'x', types, [hostile]: 1 } as never));
    const scope = await refusal(postern.authorize({ requirement: { scope: hostile } as never }));
    for (const text of [error.message, steps.map(({ detail }) => detail).join(), unknown.message, scope.message]) {
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      expect(text).toContain('\\u{202e}');
    }
  });
});

describe('an unreadable record', () => {
  test('is an internal error for its own token only, and an unknown scope in a record grants nothing', async () => {
    const { postern, store } = createTestPostern({ cache: false });
    const bad = await postern.tokens.create({ name: 'bad', types });
    const future = await postern.tokens.create({ name: 'future', types });
    const good = await postern.tokens.create({ name: 'good', types });
    const stored = (text: string, id: string) =>
      id === bad.record.id
        ? '{'
        : id === future.record.id
          ? '{"developer":{"scopes":["models:read","models:fold","*:fold"]}}'
          : text;
    store.answer('findTokenByDigest', (real) => {
      const found = real as { token: { id: string; types: string } };
      return { ...found, token: { ...found.token, types: stored(found.token.types, found.token.id) } };
    });
    const ask = async (token: string, scope: 'models:read' | 'models:write') =>
      verdict(await postern.authorize({ token, requirement: { scope } }));
    expect(await ask(bad.token, 'models:read')).toBe('internal_error');
    expect(await ask(future.token, 'models:read')).toBe('allowed');
    expect(await ask(future.token, 'models:write')).toBe('scope_missing');
    expect(await ask(good.token, 'models:read')).toBe('allowed');
  });
});

describe('an invalid token', () => {
  test('never becomes an anonymous caller: it is refused where a credential is needed, and ignored on public routes', async () => {
    const { postern, clock } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    clock.advance(3_600_000);
    expect(verdict(await postern.authorize({ token, requirement: { authenticated: true } }))).toBe('token_expired');
    await expect(postern.authorize({ token, requirement: { authenticated: false } as never })).rejects.toMatchObject({
      code: 'requirement_invalid',
    });
    expect(await postern.authorize({ token, requirement: { public: true } })).toEqual({
      allowed: true,
      principal: null,
    });
  });
});

describe('an outage', () => {
  test.each(['reject', 'throw'] as const)(
    'in which the store does %s makes calls unavailable, and is not cached',
    async (how) => {
      const { postern, store } = createTestPostern();
      const { token } = await postern.tokens.create({ name: 'x', types });
      store.fail('findTokenByDigest', how, undefined);
      for (let i = 0; i < 3; i++) {
        expect(await postern.authorize({ token, requirement })).toMatchObject({
          allowed: false,
          reason: 'unavailable',
          cause: 'store',
        });
      }
      store.mend();
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    },
  );
});

describe('lastUsedAt', () => {
  test('of 1,000 calls is written in one batch, not during the calls', async () => {
    const { postern, store } = createTestPostern();
    const tokens = await Promise.all(Array.from({ length: 10 }, () => postern.tokens.create({ name: 'x', types })));
    const writes = () => store.count('recordUsage', 'replaceToken', 'insertTokens');
    const before = writes();
    for (let i = 0; i < 100; i++) for (const { token } of tokens) await postern.authorize({ token, requirement });
    expect(writes()).toBe(before);
    const batches: unknown[] = [];
    const record = store.recordUsage;
    store.recordUsage = (usages) => {
      batches.push(usages);
      return record(usages);
    };
    await postern.close();
    expect(store.count('recordUsage')).toBe(1);
  });
});

describe('the id of another organization', () => {
  test('is unknown to a principal, for every operation', async () => {
    const { postern } = createTestPostern();
    const mine = await postern.tokens.create({ name: 'x', organization: 'a', types });
    const theirs = await postern.tokens.create({ name: 'x', organization: 'b', types });
    const outcome = await postern.authenticate(mine.token);
    if (!outcome.ok) throw new Error(outcome.reason);
    const { tokens } = postern.as(outcome.principal);
    await tokens.revoke(theirs.record.id);
    await tokens.delete(theirs.record.id);
    expect(await tokens.get(theirs.record.id)).toBeNull();
    expect((await refusal(tokens.update(theirs.record.id, { name: 'y' }))).code).toBe('token_unknown');
    expect((await refusal(tokens.rotate(theirs.record.id))).code).toBe('token_unknown');
    expect((await postern.authenticate(theirs.token)).ok).toBe(true);
  });

  test("can not be reached by an organization named '*', because that name is refused", async () => {
    const { postern } = createTestPostern();
    expect((await refusal(postern.tokens.create({ name: 'x', organization: '*', types }))).path).toBe('organization');
    expect((await refusal(postern.endpoints.create({ id: 'a', access: 'public', organization: '*' }))).path).toBe(
      'organization',
    );
    expect(() => createTestPostern({ organization: '*' }).postern).toThrow('organization');
  });

  test('can not be confused by a name that a store would change, because such names are refused', async () => {
    const { postern } = createTestPostern();
    for (const organization of ['a\ud800', 'a\udfff', 'a\u0000']) {
      expect((await refusal(postern.tokens.create({ name: 'x', organization, types }))).path).toBe('organization');
    }
  });
});

describe('a new endpoint of a deleted name', () => {
  test('is not reached by old grants, also on a warm cache', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    const ask = async () => verdict(await postern.authorize({ token, requirement: { endpoint: 'a' } }));
    expect([await ask(), await ask()]).toEqual(['allowed', 'allowed']);
    await postern.endpoints.delete('a');
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    expect([await ask(), await ask()]).toEqual(['endpoint_not_granted', 'endpoint_not_granted']);
  });
});

describe('a flood of endpoint names', () => {
  test('costs no read for invalid ids, and one read each ttl for 5,000 unknown ones', async () => {
    const { postern, store, clock } = createTestPostern({ store: controlledStore() });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    for (let i = 0; i < 1_000; i++) await postern.authorize({ requirement: { endpoint: `/${i}` } });
    expect(store.count('listEndpoints', 'findEndpoint')).toBe(0);
    for (const round of [1, 2]) {
      for (let i = 0; i < 5_000; i++) await postern.authorize({ requirement: { endpoint: `n${i}` } });
      expect(store.count('listEndpoints', 'findEndpoint')).toBe(round);
      clock.advance(30_000);
    }
    expect(clock.now()).toBe(START + 60_000);
  });
});
