import { endpointAccess, scopeAccess } from 'postern';
import { derive } from 'postern/jwt';
import { memoryRateLimiter } from 'postern/limits';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { compileGrants, type StoredGrants } from '../../src/domain/grants.js';
import { intersectGrants, narrowGrants } from '../../src/domain/narrow.js';
import { compileCatalog } from '../../src/domain/token-types.js';
import { refusal, verdict } from '../support/outcomes.js';
import { issueBoth, issuerWorld } from './support/access.js';

type World = ReturnType<typeof issuerWorld>;

const asks =
  ({ postern }: Pick<World, 'postern'>) =>
  async (token: string, requirement: object, method?: string) =>
    verdict(await postern.authorize({ token, requirement: requirement as { authenticated: true }, method }));

describe('a derived or exchanged token', () => {
  test('does not reach a new endpoint of a name that its parent was granted', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const ask = asks(world);
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const { token, record } = await postern.tokens.create({ name: 'all', types: { user: { endpoints: '*' } } });
    const derived = await derive(token, { endpoints: ['summarizer'], clock: clock.now });
    const exchanged = (await signed.exchange(postern, derived)).accessToken;
    const own = (await signed.exchange(postern, token, { endpoints: ['summarizer'] })).accessToken;
    const asked = () =>
      Promise.all([token, derived, exchanged, own].map((each) => ask(each, { endpoint: 'summarizer' })));
    expect(await asked()).toEqual(Array(4).fill('allowed'));
    await postern.tokens.update(record.id, { types: { user: { endpoints: ['summarizer'] } } });
    expect(await asked()).toEqual(Array(4).fill('allowed'));
    await postern.endpoints.delete('summarizer');
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    expect(await asked()).toEqual(Array(4).fill('endpoint_not_granted'));
  });

  test('is never allowed more than its parent or its own grants (all pairs)', () => {
    const catalog = compileCatalog({
      user: endpointAccess(),
      guest: endpointAccess(),
      developer: scopeAccess({ models: { read: [], write: ['read'] }, bentos: { read: [] } }),
      operator: scopeAccess({ models: { read: [], write: [] } }),
    });
    const endpoints = [
      '*',
      [],
      [{ id: 'a', uid: '1' }],
      [{ id: 'a', uid: '2' }],
      [{ id: 'a', uid: null }],
      [
        { id: 'a', uid: '1' },
        { id: 'b', uid: null },
      ],
    ] as const;
    const scopes = [
      [],
      ['*'],
      ['models:*'],
      ['models:write'],
      ['models:read', 'bentos:read'],
      ['bentos:*', 'future:read'],
    ];
    const all: StoredGrants[] = [];
    for (const reached of endpoints) {
      for (const held of scopes) {
        all.push({ user: { endpoints: reached }, developer: { scopes: held } });
        all.push({ guest: { endpoints: reached }, operator: { scopes: held } });
        all.push({ operator: { scopes: held } });
      }
    }
    const compiled = all.map((each) => compileGrants(each, catalog, { named: true }));
    const targets = [
      { id: 'a', uid: '1' },
      { id: 'a', uid: '2' },
      { id: 'b', uid: '3' },
    ];
    const reach = (grants: (typeof compiled)[number]) =>
      targets.filter(({ id, uid }) => grants.allEndpoints || grants.endpointNames.has(id) || grants.endpoints.has(uid));
    let wider = 0;
    for (const held of compiled) {
      for (const wanted of compiled) {
        const common = intersectGrants(held, wanted, catalog);
        for (const side of [held, wanted]) {
          if ([...common.scopes].some((scope) => !side.scopes.has(scope))) wider++;
          if (reach(common).some((each) => !reach(side).includes(each))) wider++;
          if (common.allEndpoints && !side.allEndpoints) wider++;
        }
      }
      for (const names of [null, '*', ['a'], ['a', 'b', '__proto__']] as const) {
        for (const asked of [null, ...scopes]) {
          const narrow = narrowGrants(held, { scopes: asked, endpoints: names }, catalog);
          if ([...narrow.scopes].some((scope) => !held.scopes.has(scope))) wider++;
          if (reach(narrow).some((each) => !reach(held).includes(each))) wider++;
          if (narrow.allEndpoints && !held.allEndpoints) wider++;
        }
      }
    }
    expect(wider).toBe(0);
  });
});

describe('a restriction to methods', () => {
  test('holds in a second process and for calls without a method, and is not exchanged', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world);
    const derived = await derive(token, { methods: ['GET', '/bento.Models/List'], clock: clock.now });
    expect(await refusal(signed.exchange(postern, derived))).toMatchObject({ code: 'issuance_forbidden' });
    const { postern: second } = createTestPostern({ store: world.store, clock });
    const requirement = { scope: 'models:read' };
    for (const [ask, each] of [
      [asks(world), derived],
      [asks({ postern: second }), derived],
    ] as const) {
      const answers = [];
      for (const method of ['GET', '/bento.Models/List', 'POST', 'get', 'HEAD', '', '/bento.Models/', undefined]) {
        answers.push(await ask(each, requirement, method));
      }
      expect(answers).toEqual(['allowed', 'allowed', ...Array(6).fill('scope_missing')]);
    }
  });
});

describe('introspection of a signed token', () => {
  test('with methods says it is inactive unless one of them is named', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world);
    const derived = await derive(token, { scopes: ['models:read'], methods: ['GET'], clock: clock.now });
    expect(await postern.introspect(derived)).toEqual({ active: false });
    expect(await postern.introspect(derived, { method: 'POST' })).toEqual({ active: false });
    expect(await postern.introspect(derived, { method: 'GET' })).toMatchObject({ active: true });
    expect(await refusal(signed.exchange(postern, derived))).toMatchObject({ code: 'issuance_forbidden' });
    expect(verdict(await postern.authorize({ token: derived, requirement: { authenticated: true } }))).toBe(
      'scope_missing',
    );
  });
});

describe('the limits of a parent', () => {
  test('count all tokens derived from it, and keep it from being exchanged', async () => {
    const clock = testClock();
    const world = issuerWorld({}, { clock, rateLimiter: memoryRateLimiter() });
    const { postern, signed } = world;
    const { token } = await issueBoth(world, { rateLimit: { points: 3, duration: '1h' } });
    const derived = await derive(token, { clock: clock.now });
    for (const each of [token, derived]) {
      expect(await refusal(signed.exchange(postern, each))).toMatchObject({ code: 'issuance_forbidden' });
    }
    const answers = [];
    for (const each of [token, derived, token, derived]) {
      answers.push(await asks(world)(each, { scope: 'models:read' }));
    }
    expect(answers).toEqual(['allowed', 'allowed', 'allowed', 'rate_limited']);
  });
});

describe('other organizations', () => {
  test('are not reached by any token made from a token, whichever instance exchanged it', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    await postern.endpoints.create({ id: 'shared', access: 'protected' });
    await postern.endpoints.create({ id: 'shared', access: 'protected' }, { organization: 'theirs' });
    const { token } = await postern.tokens.create({
      name: 'theirs',
      organization: 'theirs',
      types: { user: { endpoints: '*' }, developer: { scopes: ['*'] } },
    });
    const derived = await derive(token, { endpoints: ['shared'], clock: clock.now });
    const exchanged = (await signed.exchange(postern, token, { endpoints: ['shared'] })).accessToken;
    const everything = (await signed.exchange(postern, derived)).accessToken;
    for (const each of [derived, exchanged, everything]) {
      expect(await asks(world)(each, { endpoint: 'shared' })).toBe('endpoint_not_granted');
      expect(await asks(world)(each, { endpoint: 'shared', organization: 'theirs' })).toBe('allowed');
    }
    const all = (await signed.exchange(postern, token)).accessToken;
    expect(await asks(world)(all, { scope: 'models:read', organization: 'default' })).toBe('scope_missing');
    expect(await asks(world)(all, { scope: 'models:read', organization: 'theirs' })).toBe('allowed');
  });
});

describe('derive', () => {
  test('refuses a clock without a valid time', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    for (const clock of [() => Number.NaN, () => Number.POSITIVE_INFINITY, () => undefined as never]) {
      expect(await refusal(derive(token, { clock }))).toMatchObject({ code: 'option_invalid', path: 'clock' });
    }
  });
});
