import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { gateOf } from '../support/gate.js';
import { type Attempt, thrown, verdict, withWrongChecksum } from '../support/outcomes.js';

/** Faults of one attempt in the order of docs/contract.md, and the answer to each. */
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

/** Well-formed, and issued by nobody here. */
const UNKNOWN = await createTestPostern()
  .postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } })
  .then(({ token }) => token);

/** A world in which any of the faults can be had, one or many at once. */
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
] as const)('the order of the checks, for %s', (_, table, scope) => {
  test('whatever faults come together, the earliest one answers; the promise, the warm path and explain agree', async () => {
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

describe('without a token', () => {
  test.each([[undefined], [null], ['']])('%j is missing', async (token) => {
    const { postern } = createTestPostern();
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_missing' });
    expect(postern.tryAuthorize({ token, requirement: { authenticated: true } })).toEqual({
      allowed: false,
      reason: 'token_missing',
    });
  });

  test.each([
    ['longer than 8 KiB', 'x'.repeat(8193), 'token_malformed'],
    ['8 KiB', 'x'.repeat(8192), 'token_unknown'],
    ['no text', 7, 'token_malformed'],
    ['of another form', 'hello', 'token_unknown'],
  ])('a token that is %s', async (_, token, reason) => {
    const { postern, store } = createTestPostern();
    expect(await postern.authenticate(token as string)).toEqual({ ok: false, reason });
    expect(store.count()).toBe(0);
  });

  test('malformed: true wins over a good token, but is not looked at where no credential is needed', async () => {
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

describe('requirements', () => {
  test('none is refused, whatever came with the call', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    for (const requirement of [undefined, null]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('requirement_missing');
      expect(postern.tryAuthorize({ token, requirement })).toEqual({ allowed: false, reason: 'requirement_missing' });
    }
    expect((await postern.explain({ token })).steps).toMatchObject([{ check: 'requirement', passed: false }]);
  });

  test('one that no call could meet rejects: it is a mistake in the application, not a caller', async () => {
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

  test('a prepared one is frozen, and is what it was when it was prepared', async () => {
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

  test('a frozen one is compiled once, and one that is frozen on the outside only is read anew', async () => {
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

  test('what went wrong in working one out is a reported denial', () => {
    const { postern, events } = createTestPostern();
    const fault = new Error('the requirement function threw');
    const decision = gateOf(postern).fault(fault);
    expect(decision).toEqual({ allowed: false, reason: 'internal_error' });
    expect(decision).toHaveProperty('error', fault);
    expect(Object.keys(decision)).toEqual(['allowed', 'reason']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'decision', error: fault }));
  });

  test('an id that is none is an endpoint that is not registered, and costs no read', async () => {
    const { postern, store } = createTestPostern();
    for (const endpoint of ['', '../x', 'a/b', '%00', 'x'.repeat(101), '__proto__']) {
      expect(verdict(await postern.authorize({ requirement: { endpoint } }))).toBe('endpoint_unknown');
    }
    expect(store.count()).toBe(0);
  });
});

describe('a principal', () => {
  test('says who it is and what the grants come to', async () => {
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

  test('is null where none was needed', async () => {
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

  test('a zone that is no zone is external', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'inner', access: 'private' });
    for (const zone of ['Internal', true, 1, {}, null, undefined, ['internal']]) {
      expect(verdict(await postern.authorize({ zone: zone as never, requirement: { endpoint: 'inner' } }))).toBe(
        'endpoint_private',
      );
    }
  });
});

describe('explain', () => {
  test('what it advises, given to tokens.update, allows; anything less does not', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    await postern.endpoints.create({ id: 'b', access: 'protected' });
    const types = { user: { endpoints: ['a'] }, developer: { scopes: ['iam:read'] } } as const;
    const { token, record } = await postern.tokens.create({ name: 'x', types });

    const scopes: Attempt = {
      token,
      requirement: { scope: ['models:read', 'models:write', 'bentos:read', 'iam:read'] },
    };
    const { remedy } = await postern.explain(scopes);
    expect(remedy?.types).toEqual({ developer: { scopes: ['models:write', 'bentos:read'] } });
    expect(remedy?.message).toBe('Grant the token models:write, bentos:read (type developer).');
    for (const left of [['models:write'], ['bentos:read']] as const) {
      await postern.tokens.update(record.id, { types: { ...types, developer: { scopes: ['iam:read', ...left] } } });
      expect(verdict(await postern.authorize(scopes))).toBe('scope_missing');
    }
    await postern.tokens.update(record.id, {
      types: { ...types, developer: { scopes: ['iam:read', 'models:write', 'bentos:read'] } },
    });
    expect(verdict(await postern.authorize(scopes))).toBe('allowed');

    const endpoint: Attempt = { token, requirement: { endpoint: 'b' } };
    expect((await postern.explain(endpoint)).remedy?.types).toEqual({ user: { endpoints: ['b'] } });
    await postern.tokens.update(record.id, { types: { ...types, user: { endpoints: ['a', 'b'] } } });
    expect(verdict(await postern.authorize(endpoint))).toBe('allowed');
  });

  test('tells a name that came back from one that was never granted', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    await postern.endpoints.delete('a');
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { steps, remedy } = await postern.explain({ token, requirement: { endpoint: 'a' } });
    expect(steps.at(-1)?.detail).toContain('was granted an earlier endpoint "a", which was deleted');
    expect(remedy?.types).toEqual({ user: { endpoints: ['a'] } });
  });

  test('has no advice where no grant would help', async () => {
    const { postern, clock } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected', organization: 'other' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } }, expiresIn: '1h' });
    for (const requirement of [
      { endpoint: 'a', organization: 'other' },
      { scope: 'models:read', organization: 'other' },
      { endpoint: 'nowhere' },
    ] as const) {
      expect(await postern.explain({ token, requirement })).not.toHaveProperty('remedy');
    }
    expect(await postern.explain({ token, requirement: { authenticated: true } })).not.toHaveProperty('remedy');
    clock.advance(3_600_000);
    expect(await postern.explain({ token, requirement: { scope: 'models:read' } })).not.toHaveProperty('remedy');
  });

  test('keeps its decision when the store fails while it looks for advice', async () => {
    const { postern, store } = createTestPostern({ cache: false });
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } });
    let reads = 0;
    store.answer('findTokenByDigest', (real) => {
      if (++reads > 1) throw new Error('gone');
      return real;
    });
    expect(await postern.explain({ token, requirement: { scope: 'models:read' } })).toMatchObject({
      decision: { reason: 'scope_missing' },
    });
  });

  test('never shows a secret in its steps', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } });
    for (const each of [token, withWrongChecksum(token), UNKNOWN]) {
      const text = JSON.stringify(await postern.explain({ token: each, requirement: { scope: 'models:read' } }));
      expect(text).not.toContain(each.slice(8));
    }
  });
});

test('a store that is down, for every kind of call, is unavailable and never an answer about the token', async () => {
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
