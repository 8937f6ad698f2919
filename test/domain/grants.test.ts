import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGrants, excessOf, type Grants, type StoredGrants } from '../../src/domain/grants.js';
import { bentocloudTokenTypes, type Catalog, compileCatalog, scopeAccess } from '../../src/domain/token-types.js';
import { type AnyGrants, catalogs, grantsOf } from '../support/arbitraries.js';

const bentocloud = compileCatalog(bentocloudTokenTypes);

/** Everything that grants allow: scopes, and endpoints by uid, one of them made after every grant. */
function allows(grants: Grants, catalog: Catalog): Set<string> {
  const uids = ['uid-a', 'uid-b', 'uid-c', 'uid-made-later'];
  return new Set([
    ...[...catalog.scopes].filter((scope) => grants.scopes.has(scope)),
    ...uids.filter((uid) => grants.allEndpoints || grants.endpoints.has(uid)),
  ]);
}

function isWithin(narrow: Set<string>, wide: Set<string>): boolean {
  return [...narrow].every((each) => wide.has(each));
}

/** One grant put on top of others: what an operator does who adds a type, a scope or an endpoint. */
function sum(a: AnyGrants, b: AnyGrants): AnyGrants {
  const total: AnyGrants = { ...a };
  for (const [name, grant] of Object.entries(b)) {
    const held = total[name];
    if (!held) total[name] = grant;
    else if ('scopes' in held && 'scopes' in grant)
      total[name] = { scopes: [...new Set([...held.scopes, ...grant.scopes])] };
    else if ('endpoints' in held && 'endpoints' in grant) {
      const all = held.endpoints === '*' || grant.endpoints === '*';
      total[name] = { endpoints: all ? '*' : [...(held.endpoints as []), ...(grant.endpoints as [])] };
    }
  }
  return total;
}

const catalogWithTwoGrants = catalogs.chain((catalog) =>
  fc.tuple(fc.constant(catalog), grantsOf(catalog), grantsOf(catalog)),
);

describe('grants over random catalogs', () => {
  test('adding a grant never removes an allow', () => {
    fc.assert(
      fc.property(catalogWithTwoGrants, ([catalog, a, b]) => {
        const before = allows(compileGrants(a, catalog), catalog);
        const after = allows(compileGrants(sum(a, b), catalog), catalog);
        expect(isWithin(before, after)).toBe(true);
      }),
    );
  });

  test('a token with less never allows more', () => {
    fc.assert(
      fc.property(catalogWithTwoGrants, fc.nat(), ([catalog, grants], which) => {
        const names = Object.keys(grants);
        const name = names[which % names.length] as string;
        const grant = grants[name] as AnyGrants[string];
        const list = 'scopes' in grant ? grant.scopes : grant.endpoints;
        fc.pre(list !== '*' && (list.length > 1 || names.length > 1));
        const fewer = (list as unknown[]).slice(1);
        const narrow: AnyGrants = {
          ...grants,
          [name]: ('scopes' in grant ? { scopes: fewer } : { endpoints: fewer }) as never,
        };
        expect(
          isWithin(allows(compileGrants(narrow, catalog), catalog), allows(compileGrants(grants, catalog), catalog)),
        ).toBe(true);
      }),
    );
  });

  test('grants without an excess over others allow no more than they do', () => {
    let within = 0;
    fc.assert(
      fc.property(catalogWithTwoGrants, ([catalog, wanted, held]) => {
        const holder = compileGrants(held, catalog);
        if (excessOf(wanted as StoredGrants, holder, catalog) !== null) return;
        within++;
        expect(isWithin(allows(compileGrants(wanted, catalog), catalog), allows(holder, catalog))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
    expect(within).toBeGreaterThan(10);
  });

  test('grants have no excess over themselves, nor over themselves with more', () => {
    fc.assert(
      fc.property(catalogWithTwoGrants, ([catalog, a, b]) => {
        expect(excessOf(a as StoredGrants, compileGrants(a, catalog), catalog)).toBeNull();
        expect(excessOf(a as StoredGrants, compileGrants(sum(a, b), catalog), catalog)).toBeNull();
      }),
    );
  });
});

describe('excessOf', () => {
  const holder = (stored: unknown) => compileGrants(stored, bentocloud);
  const excess = (wanted: StoredGrants, held: Grants) => excessOf(wanted, held, bentocloud);
  const developer = (...scopes: string[]): StoredGrants => ({ developer: { scopes } });

  test.each([
    ['an included scope has no excess over the including one', ['models:read'], ['models:write'], null],
    [
      'an including scope exceeds the included one',
      ['models:write'],
      ['models:read'],
      { kind: 'scope', name: 'models:write' },
    ],
    ["a resource's wildcard has no excess over '*'", ['models:*'], ['*'], null],
    ["a scope has no excess over its resource's wildcard", ['models:write'], ['models:*'], null],
    [
      "a wildcard exceeds a list of all today's actions",
      ['models:*'],
      ['models:read', 'models:write'],
      { kind: 'scope', name: 'models:*' },
    ],
    [
      "'*' exceeds the wildcards of all resources",
      ['*'],
      ['models:*', 'iam:*', 'cluster:*', 'bentos:*', 'deployments:*'],
      { kind: 'scope', name: '*' },
    ],
    [
      'a scope exceeds the wildcard of another resource',
      ['iam:read'],
      ['models:*'],
      { kind: 'scope', name: 'iam:read' },
    ],
    ["an unknown scope exceeds '*'", ['future:read'], ['*'], { kind: 'scope', name: 'future:read' }],
  ])('%s', (_, wanted, held, expected) => {
    expect(excess(developer(...wanted), holder(developer(...held)))).toEqual(expected);
  });

  test('an endpoint is held by its uid, so a new endpoint of the same name is not held', () => {
    const held = holder({ user: { endpoints: [{ id: 'a', uid: 'first' }] } });
    expect(excess({ user: { endpoints: [{ id: 'a', uid: 'first' }] } }, held)).toBeNull();
    expect(excess({ user: { endpoints: [{ id: 'a', uid: 'second' }] } }, held)).toEqual({
      kind: 'endpoint',
      name: 'a',
    });
    expect(excess({ user: { endpoints: '*' } }, held)).toEqual({ kind: 'endpoint', name: '*' });
    expect(excess({ user: { endpoints: [{ id: 'a', uid: 'any' }] } }, holder({ user: { endpoints: '*' } }))).toBeNull();
  });

  test('a scope includes the actions of its own type, also if another type has the same scope', () => {
    const catalog = compileCatalog({
      plain: scopeAccess({ m: { read: [], write: [] } }),
      rich: scopeAccess({ m: { read: [], write: ['read'] } }),
    });
    const plainWrite = compileGrants({ plain: { scopes: ['m:write'] } }, catalog);
    expect(excessOf({ rich: { scopes: ['m:write'] } }, plainWrite, catalog)).toEqual({
      kind: 'scope',
      name: 'm:write',
    });
    const richWrite = compileGrants({ rich: { scopes: ['m:write'] } }, catalog);
    expect(excessOf({ plain: { scopes: ['m:write'] } }, richWrite, catalog)).toBeNull();
  });
});

describe('compileGrants', () => {
  test('a type or scope of a later version grants nothing, and the other grants count', () => {
    const grants = compileGrants(
      {
        developer: { scopes: ['models:read', 'quantum:fold', 'models:fold'] },
        robot: { scopes: ['*'] },
        drone: { endpoints: '*' },
      },
      bentocloud,
    );
    expect(grants.effective).toEqual({ scopes: ['models:read'], endpoints: [] });
    expect(grants.types).toHaveProperty('robot', { scopes: ['*'] });
  });

  test('scopes for an endpoint type, and endpoints for a scope type, grant nothing', () => {
    const grants = compileGrants({ developer: { endpoints: '*' }, user: { scopes: ['*'] } }, bentocloud);
    expect(grants.effective).toEqual({ scopes: [], endpoints: [] });
    expect(grants.allEndpoints).toBe(false);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['a text', 'developer'],
    ['no type', {}],
    ['a type that is null', { developer: null }],
    ['a type that is a list', { developer: [] }],
    ['a type without a grant', { developer: {} }],
    ['scopes that are a text', { developer: { scopes: '*' } }],
    ['scopes that are numbers', { developer: { scopes: [1] } }],
    ['endpoints that are names', { user: { endpoints: ['a'] } }],
    ['endpoints that are a text', { user: { endpoints: 'a' } }],
    ['an endpoint without uid', { user: { endpoints: [{ id: 'a' }] } }],
    ['an endpoint with an empty uid', { user: { endpoints: [{ id: 'a', uid: '' }] } }],
    ['an endpoint that is null', { user: { endpoints: [null] } }],
    ['one good type and one that is damaged', { developer: { scopes: ['*'] }, user: { endpoints: 7 } }],
  ])('%s is unreadable, never an allow', (_, stored) => {
    expect(() => compileGrants(stored, bentocloud)).toThrow(TypeError);
  });

  test('compiled grants are frozen', () => {
    const grants = compileGrants({ developer: { scopes: ['models:read'] } }, bentocloud);
    expect(Object.isFrozen(grants.types)).toBe(true);
    expect(Object.isFrozen(grants.types.developer)).toBe(true);
    expect(Object.isFrozen(grants.effective.scopes)).toBe(true);
  });
});
