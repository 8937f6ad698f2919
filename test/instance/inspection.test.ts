import { memoryRateLimiter, type RateLimiter } from 'postern';
import { derive } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';

/** Two organizations, each with an endpoint `a` and a token that reaches it, and an auditor of the first one. */
async function twoOrganizations() {
  const made = createTestPostern({ organization: 'acme' });
  const { endpoints, tokens } = made.postern;
  const issued = [];
  for (const organization of ['acme', 'other']) {
    await endpoints.create({ id: 'a', access: 'protected', organization });
    issued.push(await tokens.create({ name: 'user', organization, types: { user: { endpoints: ['a'] } } }));
  }
  const [own, foreign] = issued as [(typeof issued)[0], (typeof issued)[0]];
  const auditor = made.postern.as({ organization: 'acme', owner: 'ada', types: {} }, { endpoints: 'seen' });
  return { ...made, own, foreign, auditor };
}

const nobodys = `pst_${'0'.repeat(49)}`;

describe('explain and introspect for a principal', () => {
  test("explain another organization's token as unknown, alive or ended", async () => {
    const { auditor, foreign, own, postern, clock } = await twoOrganizations();
    const { token: unknown } = await postern.tokens.create({ name: 'gone', types: { user: { endpoints: '*' } } });
    await postern.tokens.pruneExpired();
    for (const { id } of (await postern.tokens.list({ search: 'gone' })).items) await postern.tokens.delete(id);
    const requirement = { endpoint: 'a' };
    const expected = await auditor.explain({ token: unknown, requirement });
    expect(expected.decision).toMatchObject({ allowed: false, reason: 'token_unknown' });
    expect(await auditor.explain({ token: foreign.token, requirement })).toEqual(expected);
    await postern.authorize({ token: foreign.token, requirement });
    expect(await auditor.explain({ token: foreign.token, requirement })).toEqual(expected);
    await postern.tokens.revoke(foreign.record.id);
    clock.advance(60_000);
    expect(await auditor.explain({ token: foreign.token, requirement })).toEqual(expected);
    expect((await auditor.explain({ token: own.token, requirement })).decision.allowed).toBe(true);
    expect((await postern.explain({ token: foreign.token, requirement })).decision).toMatchObject({
      reason: 'token_revoked',
    });
  });

  test('refuse a requirement that names another organization', async () => {
    const { postern, own, auditor } = await twoOrganizations();
    await postern.endpoints.create({ id: 'secret', access: 'protected', organization: 'other' });
    const { decision } = await auditor.explain({ token: own.token, requirement: { endpoint: 'secret' } });
    expect(decision).toMatchObject({ reason: 'endpoint_unknown' });
    for (const requirement of [
      { endpoint: 'secret', organization: 'other' },
      { scope: 'models:read', organization: 'other' },
    ] as const) {
      const refused = await refusal(auditor.explain({ token: own.token, requirement }));
      expect(refused).toMatchObject({ code: 'organization_forbidden', path: 'requirement.organization' });
    }
    const polluting = { organization: 'other', requirement: { endpoint: 'secret', organization: 'other' } };
    const said = await polluted(polluting, () => auditor.explain({ token: own.token, requirement: { endpoint: 'a' } }));
    expect(said.decision.allowed).toBe(true);
    expect((await polluted(polluting, () => auditor.explain({ token: own.token }))).decision).toMatchObject({
      reason: 'requirement_missing',
    });
  });

  test("tell another organization's token as inactive", async () => {
    const { auditor, foreign, own, postern } = await twoOrganizations();
    expect(await auditor.introspect(foreign.token)).toEqual({ active: false });
    expect(await auditor.introspect(nobodys)).toEqual({ active: false });
    expect(await postern.introspect(foreign.token)).toMatchObject({ active: true });
    expect(await auditor.introspect(own.token)).toMatchObject({ active: true, principal: { tokenId: own.record.id } });
  });

  test("a principal may grant all endpoints only with the option endpoints: 'grantable'", async () => {
    const { postern, auditor } = await twoOrganizations();
    const input = { name: 'x', types: { user: { endpoints: '*' } } } as const;
    const person = { organization: 'acme', owner: 'ada', types: { developer: { scopes: ['models:read'] } } } as const;
    expect(await refusal(auditor.tokens.create(input))).toMatchObject({ code: 'types_missing' });
    expect(await refusal(postern.as(person).tokens.create(input))).toMatchObject({ code: 'endpoint_not_granted' });
    const opener = postern.as(person, { endpoints: 'grantable' });
    expect((await opener.tokens.create(input)).record.types).toEqual({ user: { endpoints: '*' } });
    const scopes = { name: 'x', types: { developer: { scopes: ['models:write'] } } } as const;
    expect(await refusal(opener.tokens.create(scopes))).toMatchObject({ code: 'scope_missing' });
  });
});

describe('introspection', () => {
  test('tells the end of a credential, and whether it is an API token', async () => {
    const { postern, clock } = await twoOrganizations();
    const types = { user: { endpoints: ['a'] } } as const;
    const { token, record } = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    expect(await postern.introspect(token)).toMatchObject({
      active: true,
      endsAt: record.expiresAt,
      isApiToken: true,
    });
    const derived = await derive(token, { expiresIn: '10m', clock: clock.now });
    expect(await postern.introspect(derived)).toMatchObject({ active: true, isApiToken: false });
    clock.advance(3_600_000);
    expect(await postern.introspect(token)).toEqual({ active: false });
  });

  describe('of a token with limits', () => {
    const types = { developer: { scopes: ['models:read'] } } as const;
    const requirement = { scope: 'models:read' } as const;

    async function limited(options: { readonly onLimiterFault?: 'allow' } = {}) {
      const { consume, peek } = memoryRateLimiter();
      let down = false;
      const rateLimiter: RateLimiter = {
        consume,
        peek: (...given) => (down ? Promise.reject(new Error('ECONNREFUSED')) : peek(...given)),
      };
      const made = createTestPostern({ rateLimiter, ...options });
      const { token, record } = await made.postern.tokens.create({
        name: 'x',
        types,
        rateLimit: { points: 9, duration: '1m' },
        quota: { points: 2, refill: '30d' },
      });
      const use = () => made.postern.authorize({ token, requirement });
      return { ...made, token, record, use, fail: () => (down = true) };
    }

    test('tells what is left, and takes nothing', async () => {
      const { postern, clock, token, use } = await limited();
      const fresh = { active: true, limits: [{ policy: 'rate', remaining: 9, resetsAt: null }, { remaining: 2 }] };
      for (let looks = 0; looks < 3; looks++) expect(await postern.introspect(token)).toMatchObject(fresh);
      const resetsAt = new Date(clock.now() + 60_000);
      await use();
      clock.advance(1_000);
      expect(await postern.introspect(token)).toMatchObject({
        active: true,
        limits: [
          { policy: 'rate', points: 9, duration: 60_000, remaining: 8, resetsAt },
          { policy: 'quota', points: 2, duration: 30 * 86_400_000, remaining: 1 },
        ],
      });
    });

    test('says that it is not active while a limit is used up, and when that ends; derived ones follow', async () => {
      const { postern, clock, token, use } = await limited();
      const child = await derive(token, { clock: clock.now, expiresIn: '60d' });
      const resetsAt = new Date(clock.now() + 30 * 86_400_000);
      await use();
      await use();
      for (const each of [token, child]) {
        const told = await postern.introspect(each);
        expect(told).toMatchObject({ active: false, limits: [{ remaining: 7 }, { remaining: 0, resetsAt }] });
        expect(Object.keys(told)).toEqual(['active', 'limits']);
        expect(await postern.introspect(each, { limits: false })).toMatchObject({ active: true });
        expect(await polluted({ limits: false }, () => postern.introspect(each))).toMatchObject({ active: false });
      }
      clock.advance('30d');
      expect(await postern.introspect(token)).toMatchObject({ active: true });
      await postern.tokens.revoke((await postern.tokens.list()).items[0]?.id as string);
      expect(await postern.introspect(token)).toEqual({ active: false });
    });

    test('rejects while the limiter is down, unless guards then allow', async () => {
      const strict = await limited();
      strict.fail();
      expect(await refusal(strict.postern.introspect(strict.token))).toMatchObject({ code: 'unavailable' });
      const lenient = await limited({ onLimiterFault: 'allow' });
      lenient.fail();
      expect(await lenient.postern.introspect(lenient.token)).toMatchObject({ active: true, limits: [] });
    });
  });

  test('rejects in an outage instead of telling that a token is inactive', async () => {
    const { postern, store, own } = await twoOrganizations();
    store.fail('findTokenByDigest', 'reject');
    expect(await refusal(postern.introspect(own.token))).toMatchObject({ code: 'unavailable' });
  });

  test('counts as no use', async () => {
    const { postern, own, store } = await twoOrganizations();
    await postern.introspect(own.token);
    await postern.explain({ token: own.token, requirement: { endpoint: 'a' } });
    await postern.close();
    expect(store.count('recordUsage')).toBe(0);
  });
});
