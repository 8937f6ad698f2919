import fc from 'fast-check';
import { type Catalog, compileCatalog, endpointAccess, scopeAccess } from '../../src/domain/token-types.js';

const RESOURCES = ['models', 'iam', 'constructor'] as const;
const ACTIONS = ['read', 'write', 'toString', 'admin'] as const;

/** Resources with actions that include each other at random, also in cycles. */
const resources = fc
  .uniqueArray(fc.constantFrom(...RESOURCES), { minLength: 1 })
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 })
          .chain((actions) => fc.tuple(...actions.map((action) => fc.tuple(fc.constant(action), fc.subarray(actions)))))
          .map((actions) => [name, Object.fromEntries(actions)] as const),
      ),
    ),
  )
  .map((entries) => Object.fromEntries(entries));

/** A catalog of two scope types and an endpoint type. The scope types may share scopes with different inclusions. */
export const catalogs: fc.Arbitrary<Catalog> = fc
  .tuple(resources, resources)
  .map(([first, second]) =>
    compileCatalog({ first: scopeAccess(first), second: scopeAccess(second), user: endpointAccess() } as never),
  );

export type AnyGrants = Record<string, { scopes: string[] } | { endpoints: '*' | { id: string; uid: string }[] }>;

const endpoints = ['a', 'b', 'c'].map((id) => ({ id, uid: `uid-${id}` }));

/** Grants of at least one type of a catalog. */
export function grantsOf(catalog: Catalog): fc.Arbitrary<AnyGrants> {
  const scopesOf = (name: string) => {
    const type = catalog.types.get(name);
    const known = type?.form === 'scope_access' ? [...type.expansions.keys()] : [];
    return fc.subarray(known, { minLength: 1 }).map((scopes) => ({ scopes }));
  };
  return fc
    .record(
      {
        first: scopesOf('first'),
        second: scopesOf('second'),
        user: fc.oneof(
          fc.constant({ endpoints: '*' as const }),
          fc.subarray(endpoints, { minLength: 1 }).map((each) => ({ endpoints: each })),
        ),
      },
      { requiredKeys: [] },
    )
    .filter((grants) => Object.keys(grants).length > 0) as fc.Arbitrary<AnyGrants>;
}
