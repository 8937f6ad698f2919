import type { bentocloudTokenTypes, Postern, Principal } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, thrown, verdict } from '../support/outcomes.js';

type Known = Principal<typeof bentocloudTokenTypes>;

/** An instance with the endpoints `a` and `b` in `acme`, and the principal of a token there. */
async function someone(
  types: Known['types'] = { developer: { scopes: ['models:write', 'iam:read'] }, user: { endpoints: ['a'] } },
) {
  const made = createTestPostern();
  for (const id of ['a', 'b']) await made.postern.endpoints.create({ id, access: 'protected', organization: 'acme' });
  const issued = await made.postern.tokens.create({ name: 'holder', organization: 'acme', owner: 'ada', types });
  const outcome = await made.postern.authenticate(issued.token);
  if (!outcome.ok) throw new Error(outcome.reason);
  const stranger = await made.postern.tokens.create({
    name: 'stranger',
    organization: 'other',
    types: { developer: { scopes: ['*'] } },
  });
  made.events.length = 0;
  return { ...made, issued, principal: outcome.principal, mine: made.postern.as(outcome.principal), stranger };
}

const codeOf = async (work: Promise<unknown>) => (await refusal(work)).code;

/** The code with which a principal is refused a token of these types. */
const creating = ({ tokens }: Pick<Postern, 'tokens'>, types: Known['types']) =>
  codeOf(tokens.create({ name: 'x', types }));

describe('creating a token as a principal', () => {
  test("puts it into the principal's organization, with the principal's owner", async () => {
    const { mine } = await someone();
    const { record } = await mine.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
    expect(record).toMatchObject({ organization: 'acme', owner: 'ada' });
    const named = { name: 'x', organization: 'acme', owner: 'ada', types: { user: { endpoints: ['a'] } } } as const;
    expect((await mine.tokens.create(named)).record.owner).toBe('ada');
  });

  test.each([
    ['another organization', { organization: 'other' }, 'organization_forbidden', 'organization'],
    ['the default organization', { organization: 'default' }, 'organization_forbidden', 'organization'],
    ['another owner', { owner: 'bob' }, 'owner_forbidden', 'owner'],
    ['no owner', { owner: null }, 'owner_forbidden', 'owner'],
    [
      'a scope that is not held',
      { types: { developer: { scopes: ['models:read', 'iam:write'] } } },
      'scope_missing',
      'types',
    ],
    ['a wildcard beyond the held scopes', { types: { developer: { scopes: ['models:*'] } } }, 'scope_missing', 'types'],
    ['all scopes', { types: { developer: { scopes: ['*'] } } }, 'scope_missing', 'types'],
    ['an endpoint that is not reached', { types: { user: { endpoints: ['b'] } } }, 'endpoint_not_granted', 'types'],
    ['all endpoints', { types: { user: { endpoints: '*' } } }, 'endpoint_not_granted', 'types'],
    [
      'an endpoint that is reached and one that is not',
      { types: { user: { endpoints: ['a', 'b'] } } },
      'endpoint_not_granted',
      'types',
    ],
  ])('with %s is refused, and nothing is written', async (_, fields, code, path) => {
    const { mine, store } = await someone();
    const before = store.count('insertTokens');
    const input = { name: 'x', types: { developer: { scopes: ['models:read'] } }, ...fields };
    expect(await refusal(mine.tokens.create(input as never))).toMatchObject({ code, path });
    expect(store.count('insertTokens')).toBe(before);
  });

  test('passes on a wildcard that is held', async () => {
    const { mine } = await someone({ developer: { scopes: ['*'] }, user: { endpoints: '*' } });
    const { record } = await mine.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['*'] }, user: { endpoints: '*' } },
    });
    expect(record.types).toEqual({ developer: { scopes: ['*'] }, user: { endpoints: '*' } });
  });

  test('by import is refused beyond its own grants', async () => {
    const { postern, issued } = await someone();
    const importing = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });
    const made = await importing.postern.tokens.create({
      name: 'x',
      owner: 'ada',
      types: { developer: { scopes: ['iam:read'] } },
    });
    const outcome = await importing.postern.authenticate(made.token);
    if (!outcome.ok) throw new Error(outcome.reason);
    const input = { name: 'x', digest: 'ab'.repeat(32), types: { developer: { scopes: ['iam:write'] } } } as const;
    expect(await codeOf(importing.postern.as(outcome.principal).tokens.import(input))).toBe('scope_missing');
    expect(await postern.tokens.get(issued.record.id)).not.toBeNull();
  });
});

describe('changing a token as a principal', () => {
  test('refuses an update beyond its own grants, by types or by a longer life', async () => {
    const { postern, mine } = await someone();
    const mighty = await postern.tokens.create({
      name: 'mighty',
      organization: 'acme',
      types: { developer: { scopes: ['*'] } },
      expiresIn: '1h',
    });
    const { id } = mighty.record;
    expect(await codeOf(mine.tokens.update(id, { types: { developer: { scopes: ['iam:write'] } } }))).toBe(
      'scope_missing',
    );
    for (const longer of [{ expiresAt: null }, { expiresIn: '2h' }] as const) {
      expect(await codeOf(mine.tokens.update(id, longer))).toBe('scope_missing');
    }
    expect(await postern.tokens.get(id)).toEqual(mighty.record);
    expect(
      (await mine.tokens.update(id, { types: { developer: { scopes: ['iam:read'] } }, expiresAt: null })).types,
    ).toEqual({ developer: { scopes: ['iam:read'] } });
  });

  test('refuses to rotate a token with more grants', async () => {
    const { postern, mine } = await someone();
    const mighty = await postern.tokens.create({
      name: 'mighty',
      organization: 'acme',
      types: { developer: { scopes: ['iam:write'] } },
    });
    const wide = await postern.tokens.create({
      name: 'wide',
      organization: 'acme',
      types: { user: { endpoints: '*' } },
    });
    expect(await codeOf(mine.tokens.rotate(mighty.record.id))).toBe('scope_missing');
    expect(await codeOf(mine.tokens.rotate(wide.record.id))).toBe('endpoint_not_granted');
    expect((await postern.authenticate(mighty.token)).ok).toBe(true);
  });

  test('can rotate its own token', async () => {
    const { postern, mine, issued } = await someone();
    const { token } = await mine.tokens.rotate(issued.record.id);
    expect((await postern.authenticate(token)).ok).toBe(true);
  });

  test('does not pass on a grant of a deleted endpoint to the new one of its name', async () => {
    const { postern, mine } = await someone();
    await postern.endpoints.delete('a', { organization: 'acme' });
    await postern.endpoints.create({ id: 'a', access: 'protected', organization: 'acme' });
    expect(await creating(mine, { user: { endpoints: ['a'] } })).toBe('endpoint_not_granted');
  });
});

describe('other organizations for a principal', () => {
  test('have tokens that look like unknown ids', async () => {
    const { postern, mine, stranger, store } = await someone();
    const { id } = stranger.record;
    const nobody = '0000000000000000000000';
    const writes = () => store.count('replaceToken', 'deleteTokens');
    const before = writes();
    expect(await mine.tokens.get(id)).toBeNull();
    for (const ask of [
      (each: string) => mine.tokens.update(each, { name: 'y' }),
      (each: string) => mine.tokens.rotate(each),
    ]) {
      expect(await refusal(ask(id))).toEqual(await refusal(ask(nobody)));
    }
    expect(await mine.tokens.revoke(id)).toBe(await mine.tokens.revoke(nobody));
    expect(await mine.tokens.delete(id)).toBe(await mine.tokens.delete(nobody));
    expect(writes()).toBe(before);
    expect((await postern.authenticate(stranger.token)).ok).toBe(true);
  });

  test("can not be listed or ended, also not as '*'", async () => {
    const { mine } = await someone();
    expect((await mine.tokens.list()).items.map(({ name }) => name)).toEqual(['holder']);
    for (const organization of ['*', 'other', 'default']) {
      expect(await codeOf(mine.tokens.list({ organization }))).toBe('organization_forbidden');
    }
    expect(await codeOf(mine.tokens.revokeOwned({ owner: 'x', organization: 'other' }))).toBe('organization_forbidden');
  });

  test('keep their expired tokens when the principal prunes', async () => {
    const { postern, mine, clock } = await someone();
    const types = { developer: { scopes: ['iam:read'] } } as const;
    for (const organization of ['acme', 'other'])
      await postern.tokens.create({ name: 'old', organization, types, expiresIn: '1h' });
    clock.advance(3_600_000);
    expect(await mine.tokens.pruneExpired()).toBe(1);
    expect(await postern.tokens.pruneExpired()).toBe(1);
  });

  test('have endpoints that can not be read or changed', async () => {
    const { postern, mine } = await someone();
    await postern.endpoints.create({ id: 'theirs', access: 'protected', organization: 'other' });
    const organization = 'other';
    for (const work of [
      () => mine.endpoints.get('theirs', { organization }),
      () => mine.endpoints.list({ organization }),
      () => mine.endpoints.create({ id: 'x', access: 'public', organization }),
      () => mine.endpoints.create({ id: 'x', access: 'public' }, { organization }),
      () => mine.endpoints.update('theirs', { access: 'public' }, { organization }),
      () => mine.endpoints.delete('theirs', { organization }),
    ]) {
      expect(await codeOf(work())).toBe('organization_forbidden');
    }
    expect(await mine.endpoints.get('theirs')).toBeNull();
    expect(await codeOf(mine.endpoints.update('theirs', { access: 'public' }))).toBe('endpoint_unknown');
    await mine.endpoints.delete('theirs');
    expect(await postern.endpoints.get('theirs', { organization })).not.toBeNull();
    expect((await mine.endpoints.create({ id: 'new', access: 'public' })).organization).toBe('acme');
  });
});

describe('the actor of a change', () => {
  test("is the principal's token, or the application itself", async () => {
    const { postern, mine, events, issued } = await someone();
    const { record } = await mine.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } });
    await postern.tokens.delete(record.id);
    expect(events.filter(({ type }) => type !== 'decision')).toMatchObject([
      {
        type: 'token.created',
        actor: { kind: 'principal', tokenId: issued.record.id, owner: 'ada' },
        organization: 'acme',
      },
      { type: 'token.deleted', actor: { kind: 'application' }, organization: 'acme' },
    ]);
  });
});

describe('a principal named by the application', () => {
  test('with fewer types than a verified one has those types only', async () => {
    const { postern, principal } = await someone();
    const { organization, owner, endsAt } = principal;
    const narrowed = postern.as({ organization, owner, endsAt, types: { developer: { scopes: ['iam:read'] } } });
    expect(await creating(narrowed, { developer: { scopes: ['models:read'] } })).toBe('scope_missing');
    expect(
      (await narrowed.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } })).record.owner,
    ).toBe('ada');
  });

  test('as a session has the types that it names', async () => {
    const { postern } = await someone();
    const session = postern.as({ organization: 'acme', owner: null, types: { user: { endpoints: ['a'] } } });
    const { token } = await session.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'a', organization: 'acme' } }))).toBe(
      'allowed',
    );
    expect(await creating(session, { user: { endpoints: ['b'] } })).toBe('endpoint_not_granted');
  });

  test.each([
    ['no types', { types: undefined }, 'types_missing'],
    ['an unknown scope', { types: { developer: { scopes: ['x:y'] } } }, 'scope_unknown'],
    ['an unknown type', { types: { root: { scopes: ['*'] } } }, 'type_unknown'],
  ])('with %s can create nothing', async (_, fields, code) => {
    const { postern } = await someone();
    const mine = postern.as({ organization: 'acme', owner: null, ...fields } as never);
    expect(await creating(mine, { developer: { scopes: ['iam:read'] } })).toBe(code);
  });

  test.each([
    [undefined, 'organization'],
    [null, 'organization'],
    ['acme', 'organization'],
    [{}, 'organization'],
    [{ organization: 'acme' }, 'owner'],
    [{ organization: '', owner: null }, 'organization'],
    [{ organization: '*', owner: null }, 'organization'],
    [{ organization: 5, owner: null }, 'organization'],
    [{ organization: 'acme', owner: 5 }, 'owner'],
    [{ organization: 'acme', owner: '' }, 'owner'],
    [{ organization: 'acme', owner: 'ada', tokenId: {} }, 'tokenId'],
  ])('%j is refused by as()', (principal, path) => {
    expect(thrown(() => createTestPostern().postern.as(principal as never))).toMatchObject({
      code: 'input_invalid',
      path,
    });
  });
});

test('a scope name in two token types is passed on only with the meaning that is held', async () => {
  const { scopeAccess } = await import('postern');
  const { postern } = createTestPostern({
    tokenTypes: {
      plain: scopeAccess({ models: { read: [], write: [], admin: [] } }),
      rich: scopeAccess({ models: { read: [], write: ['admin'], admin: [] } }),
    },
  });
  const { token } = await postern.tokens.create({ name: 'x', types: { plain: { scopes: ['models:write'] } } });
  const outcome = await postern.authenticate(token);
  if (!outcome.ok) throw new Error(outcome.reason);
  const mine = postern.as(outcome.principal);
  expect(await codeOf(mine.tokens.create({ name: 'x', types: { rich: { scopes: ['models:write'] } } }))).toBe(
    'scope_missing',
  );
});

test('the record of a token is no principal: its rights would outlive the token', async () => {
  const { postern, issue } = createTestPostern();
  const { record } = await issue({ scopes: ['*'], expiresIn: '1h' });
  expect(thrown(() => postern.as(record as never))).toMatchObject({ code: 'input_invalid', path: 'principal' });
});
