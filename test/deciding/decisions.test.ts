import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { gateOf } from '../support/gate.js';
import { type Attempt, thrown, verdict, withWrongChecksum } from '../support/outcomes.js';

/** The faults of a call in the order of docs/contract.md, each with the reason and the step of its denial. */
const ENDPOINT_FAULTS = [
  ['unregistered', 'endpoint_unknown', 'endpoint'],
  ['private', 'endpoint_private', 'access'],
  ['malformed', 'token_malformed', 'credential'],
  ['badChecksum', 'token_unknown', 'credential'],
  ['unknown', 'token_unknown', 'known'],
  ['revoked', 'token_revoked', 'revoked'],
  ['expired', 'token_expired', 'expired'],
  ['foreign', 'endpoint_not_granted', 'organization'],
  ['ungranted', 'endpoint_not_granted', 'grant'],
] as const;
const SCOPE_FAULTS = [
  ...ENDPOINT_FAULTS.slice(2, 7),
  ['foreign', 'scope_missing', 'organization'],
  ['ungranted', 'scope_missing', 'grant'],
] as const;

type Fault = (typeof ENDPOINT_FAULTS)[number][0];

function subsets<T>(items: readonly T[]): T[][] {
  return Array.from({ length: 2 ** items.length }, (_, set) => items.filter((__, index) => set & (1 << index)));
}

/** A well-formed token of another store. */
const UNKNOWN = await createTestPostern()
  .postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } })
  .then(({ token }) => token);

/** A world that makes an attempt with any set of these faults. */
async function world() {
  const made = createTestPostern({ cache: { ttl: '1h' } });
  const { postern, clock, store } = made;
  await postern.endpoints.create({ id: 'protected', access: 'protected' });
  await postern.endpoints.create({ id: 'private', access: 'private' });
  await postern.endpoints.create({ id: 'elsewhere', access: 'protected', organization: 'other' });
  const tokens = new Map<string, string>();
  for (const [revoked, expired, foreign, ungranted] of subsets(['revoked', 'expired', 'foreign', 'ungranted']).map(
    (set) => ['revoked', 'expired', 'foreign', 'ungranted'].map((each) => set.includes(each)),
  )) {
    const { token, record } = await postern.tokens.create({
      name: 'x',
      organization: foreign ? 'other' : 'default',
      types: ungranted
        ? { developer: { scopes: ['iam:read'] } }
        : { user: { endpoints: '*' }, developer: { scopes: ['models:write'] } },
      ...(expired && { expiresIn: '1h' }),
    });
    if (revoked) await postern.tokens.revoke(record.id);
    tokens.set(JSON.stringify([revoked, expired, foreign, ungranted]), token);
  }
  clock.advance(3_600_000);
  const attempt = (faults: readonly Fault[], scope: boolean): Attempt => {
    const has = (fault: Fault) => faults.includes(fault);
    const known = tokens.get(
      JSON.stringify([has('revoked'), has('expired'), has('foreign'), has('ungranted')]),
    ) as string;
    return {
      token: has('badChecksum') ? withWrongChecksum(known) : has('unknown') ? UNKNOWN : known,
      ...(has('malformed') && { malformed: true }),
      requirement: scope
        ? { scope: 'models:read', organization: 'default' }
        : { endpoint: has('unregistered') ? 'nowhere' : has('private') ? 'private' : 'protected' },
    } as Attempt;
  };
  return { ...made, attempt, store };
}

describe.each([
  ['an endpoint', ENDPOINT_FAULTS, false],
  ['a scope', SCOPE_FAULTS, true],
] as const)('the order of checks for %s', (_, table, scope) => {
  test('the earliest of any set of faults decides, in authorize, tryAuthorize and explain alike', async () => {
    const { postern, attempt } = await world();
    let denials = 0;
    for (const faults of subsets(table.map(([fault]) => fault))) {
      const first = table.find(([fault]) => faults.includes(fault));
      const asked = attempt(faults, scope);
      const decision = await postern.authorize(asked);
      expect([faults, verdict(decision)]).toEqual([faults, first?.[1] ?? 'allowed']);
      expect([faults, postern.tryAuthorize(asked)]).toEqual([faults, decision]);
      const explanation = await postern.explain(asked);
      expect(explanation.decision).toEqual(decision);
      const last = explanation.steps.at(-1);
      expect([faults, last?.check, last?.passed]).toEqual([faults, first?.[2] ?? 'grant', first === undefined]);
      expect(explanation.steps.slice(0, -1).every(({ passed }) => passed)).toBe(true);
      if (!decision.allowed) denials++;
    }
    expect(denials).toBe(2 ** table.length - 1);
  });
});

describe('a credential', () => {
  test.each([[undefined], [null], ['']])('of %j is missing', async (token) => {
    const { postern } = createTestPostern();
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_missing' });
    expect(postern.tryAuthorize({ token, requirement: { authenticated: true } })).toEqual({
      allowed: false,
      reason: 'token_missing',
    });
  });

  test.each([
    ['a text of more than 8 KiB', 'x'.repeat(8193), 'token_malformed'],
    ['a text of 8 KiB', 'x'.repeat(8192), 'token_unknown'],
    ['a number', 7, 'token_malformed'],
    ['a text of another form', 'hello', 'token_unknown'],
  ])('that is %s is refused without a read', async (_, token, reason) => {
    const { postern, store } = createTestPostern();
    expect(await postern.authenticate(token as string)).toEqual({ ok: false, reason });
    expect(store.count()).toBe(0);
  });

  test('marked as malformed is refused even beside a good token, and ignored if none is needed', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'open', access: 'public' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    expect(
      verdict(await gateOf(postern).authorize({ token, malformed: true, requirement: { authenticated: true } })),
    ).toBe('token_malformed');
    expect(verdict(await gateOf(postern).authorize({ malformed: true, requirement: { endpoint: 'open' } }))).toBe(
      'allowed',
    );
  });
});

describe('a requirement', () => {
  test('that is missing denies every call', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    for (const requirement of [undefined, null]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('requirement_missing');
      expect(postern.tryAuthorize({ token, requirement })).toEqual({ allowed: false, reason: 'requirement_missing' });
    }
    expect((await postern.explain({ token })).steps).toMatchObject([{ check: 'requirement', passed: false }]);
  });

  test('with an unknown scope or form rejects as a mistake of the application', async () => {
    const { postern } = createTestPostern();
    await expect(postern.authorize({ requirement: { scope: 'model:read' } as never })).rejects.toMatchObject({
      code: 'scope_unknown',
    });
    await expect(postern.authorize({ requirement: {} as never })).rejects.toMatchObject({
      code: 'requirement_invalid',
    });
    expect(postern.tryAuthorize({ requirement: {} as never })).toBeNull();
    expect(thrown(() => gateOf(postern).prepare({ scope: 'model:read' } as never)).code).toBe('scope_unknown');
  });

  test('is frozen and copied when it is prepared', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
    const scope: ('models:write' | 'models:read')[] = ['models:write'];
    const mutable = { scope };
    const prepared = gateOf(postern).prepare(mutable);
    scope[0] = 'models:read';
    expect(Object.isFrozen(prepared)).toBe(true);
    expect(verdict(await postern.authorize({ token, requirement: prepared }))).toBe('scope_missing');
    expect(gateOf(postern).prepare(prepared)).toBe(prepared);
  });

  test('is compiled once if it is deeply frozen, and anew at each call otherwise', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
    const scope: ('models:write' | 'models:read')[] = ['models:read'];
    const outside = Object.freeze({ scope });
    const frozen = Object.freeze({ scope: 'models:read' } as const);
    for (const requirement of [outside, frozen]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    }
    scope[0] = 'models:write';
    expect(verdict(await postern.authorize({ token, requirement: outside }))).toBe('scope_missing');
    expect(verdict(await postern.authorize({ token, requirement: frozen }))).toBe('allowed');
  });

  test('that is frozen but has a getter is read at each call, and no guard takes it', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'open', access: 'public' });
    await postern.endpoints.create({ id: 'closed', access: 'protected' });
    let name = 'open';
    const scopes = () => [name === 'open' ? 'models:read' : 'models:write'];
    const endpoint = Object.freeze({
      get endpoint() {
        return name;
      },
    });
    const list = Object.freeze(Object.defineProperty(['models:read'], 0, { get: () => scopes()[0] }));
    const scope = Object.freeze({ scope: list }) as unknown as { scope: 'models:read' };
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
    const ask = async () => [
      verdict(await postern.authorize({ requirement: endpoint })),
      verdict(await postern.authorize({ token, requirement: scope })),
    ];
    expect(await ask()).toEqual(['allowed', 'allowed']);
    name = 'closed';
    expect(await ask()).toEqual(['token_missing', 'scope_missing']);
    const { code, path } = thrown(() => gateOf(postern).prepare(endpoint));
    expect([code, path]).toEqual(['requirement_invalid', 'endpoint']);
  });

  test('that throws while it is computed is a denial with an internal error, and is reported', () => {
    const { postern, events } = createTestPostern();
    const fault = new Error('the requirement function threw');
    const decision = gateOf(postern).fault(fault);
    expect(decision).toEqual({ allowed: false, reason: 'internal_error' });
    expect(decision).toHaveProperty('error', fault);
    expect(Object.keys(decision)).toEqual(['allowed', 'reason']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'decision', error: fault }));
  });

  test('with an invalid endpoint id is denied as endpoint_unknown, without a read', async () => {
    const { postern, store } = createTestPostern();
    for (const endpoint of ['', '../x', 'a/b', '%00', 'x'.repeat(101), '__proto__']) {
      expect(verdict(await postern.authorize({ requirement: { endpoint } }))).toBe('endpoint_unknown');
    }
    expect(store.count()).toBe(0);
  });
});

describe('the principal of a decision', () => {
  test("has the token's id, owner, organization, types and compiled grants", async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const { token, record } = await postern.tokens.create({
      name: 'x',
      owner: 'ada',
      ownership: 'organization',
      types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } },
    });
    const outcome = await postern.authenticate(token);
    expect(outcome).toMatchObject({
      ok: true,
      principal: {
        tokenId: record.id,
        owner: 'ada',
        ownership: 'organization',
        organization: 'default',
        types: record.types,
        grants: { scopes: ['models:write', 'models:read'], endpoints: ['summarizer'] },
      },
    });
  });

  test('is null if no credential was needed', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'inner', access: 'private' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    expect(await postern.authorize({ token, zone: 'internal', requirement: { endpoint: 'inner' } })).toEqual({
      allowed: true,
      principal: null,
    });
    expect(await postern.authorize({ token, requirement: { public: true } })).toEqual({
      allowed: true,
      principal: null,
    });
  });

  test('the zone is external if it is not a valid zone', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'inner', access: 'private' });
    for (const zone of ['Internal', true, 1, {}, null, undefined, ['internal']]) {
      expect(verdict(await postern.authorize({ zone: zone as never, requirement: { endpoint: 'inner' } }))).toBe(
        'endpoint_private',
      );
    }
  });
});

test('a store that is down makes every kind of call unavailable, and never denies the token itself', async () => {
  for (const how of ['reject', 'throw'] as const) {
    const { postern, store } = createTestPostern({ store: controlledStore() });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    store.fail('findTokenByDigest', how);
    store.fail('listEndpoints', how);
    for (const requirement of [
      { endpoint: 'a' },
      { endpoint: 'nowhere' },
      { scope: 'models:read' },
      { authenticated: true },
    ] as const) {
      const decision = await postern.authorize({ token, requirement });
      expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'store' });
      expect(postern.tryAuthorize({ token, requirement })).toBeNull();
    }
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'unavailable', cause: 'store' });
    store.mend();
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'a' } }))).toBe('allowed');
  }
});
