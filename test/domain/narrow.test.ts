import fc from 'fast-check';
import { bentocloudTokenTypes, endpointAccess, scopeAccess } from 'postern';
import { describe, expect, test } from 'vitest';
import { compileGrants, excessOf, type Grants, reaches } from '../../src/domain/grants.js';
import { intersectGrants, narrowGrants } from '../../src/domain/narrow.js';
import { compileCatalog } from '../../src/domain/token-types.js';

const catalog = compileCatalog(bentocloudTokenTypes);
const SCOPES = [...catalog.scopes];
const ASKED = [...SCOPES, 'models:*', 'iam:*', '*', 'nothing:read'];
const ENDPOINTS = ['a', 'b', 'c'].map((id) => ({ id, uid: `uid-${id}` }));
const AGAIN = { id: 'a', uid: 'another' };

const scopes = fc.subarray(ASKED);
const endpoints = fc.oneof(fc.constant('*' as const), fc.subarray([...ENDPOINTS, AGAIN]));
const grants = fc
  .record({ developer: fc.record({ scopes }), user: fc.record({ endpoints }) }, { requiredKeys: [] })
  .filter((types) => Object.keys(types).length > 0)
  .map((types) => compileGrants(types, catalog));
const narrowing = fc.record({
  scopes: fc.option(scopes),
  endpoints: fc.option(fc.oneof(fc.constant('*' as const), fc.subarray(['a', 'b', 'c', 'z']))),
});

/** The scopes that a list stands for. */
const expand = (list: readonly string[]) => {
  const type = catalog.types.get('developer');
  if (type?.form !== 'scope_access') throw new Error('no scopes');
  return new Set(list.flatMap((scope) => type.expansions.get(scope) ?? []));
};

describe('narrowGrants', () => {
  test('gives exactly the grants that are both held and asked for', () => {
    fc.assert(
      fc.property(grants, narrowing, (held, asked) => {
        const narrow = narrowGrants(held, asked, catalog);
        const everything = asked.scopes === null && asked.endpoints === null;
        const wanted = everything ? new Set(SCOPES) : expand(asked.scopes ?? []);
        for (const scope of SCOPES) expect(narrow.scopes.has(scope)).toBe(held.scopes.has(scope) && wanted.has(scope));
        for (const endpoint of [...ENDPOINTS, AGAIN]) {
          const named = everything || asked.endpoints === '*' || (asked.endpoints ?? []).includes(endpoint.id);
          expect(reaches(narrow, endpoint)).toBe(reaches(held, endpoint) && named);
        }
        expect(excessOf(narrow.stored, held, catalog)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  test('narrowing twice never widens the grants', () => {
    fc.assert(
      fc.property(grants, narrowing, narrowing, (held, first, second) => {
        const twice = narrowGrants(narrowGrants(held, first, catalog), second, catalog);
        expect(excessOf(twice.stored, held, catalog)).toBeNull();
      }),
    );
  });

  test('a scope that means different things in two types keeps its meaning in each', () => {
    const two = compileCatalog({
      plain: scopeAccess({ models: { read: [], write: [] } }),
      rich: scopeAccess({ models: { read: [], write: ['read'] } }),
      user: endpointAccess(),
    });
    const held = compileGrants({ plain: { scopes: ['models:write'] }, rich: { scopes: ['models:read'] } }, two);
    const narrow = narrowGrants(held, { scopes: ['models:write'], endpoints: null }, two);
    expect([...narrow.scopes].sort()).toEqual(['models:read', 'models:write']);
    expect(narrow.types).toEqual({ plain: { scopes: ['models:write'] }, rich: { scopes: ['models:read'] } });
  });
});

describe('intersectGrants', () => {
  const allows = (each: Grants) => ({
    scopes: SCOPES.filter((scope) => each.scopes.has(scope)),
    endpoints: [...ENDPOINTS, AGAIN].filter((endpoint) => reaches(each, endpoint)).map(({ uid }) => uid),
  });

  test('allows a call only if both sets of grants allow it', () => {
    fc.assert(
      fc.property(grants, grants, (held, wanted) => {
        const both = allows(intersectGrants(held, wanted, catalog));
        const one = allows(held);
        const other = allows(wanted);
        expect(both.scopes).toEqual(one.scopes.filter((scope) => other.scopes.includes(scope)));
        expect(both.endpoints).toEqual(one.endpoints.filter((uid) => other.endpoints.includes(uid)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('of grants with themselves changes nothing', () => {
    fc.assert(
      fc.property(grants, (held) => {
        expect(intersectGrants(held, held, catalog).effective).toEqual(held.effective);
      }),
    );
  });
});
