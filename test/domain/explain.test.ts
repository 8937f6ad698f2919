import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideGrant } from '../../src/domain/decide.js';
import { remedyFor } from '../../src/domain/explain.js';
import { compileGrants } from '../../src/domain/grants.js';
import { VerifiedPrincipal } from '../../src/domain/principal.js';
import { compileRequirement } from '../../src/domain/requirement.js';
import type { Catalog } from '../../src/domain/token-types.js';
import { type AnyGrants, catalogs, grantsOf } from '../support/arbitraries.js';

function principal(grants: AnyGrants, catalog: Catalog) {
  return new VerifiedPrincipal({
    tokenId: 't',
    owner: null,
    ownership: 'personal',
    organization: 'acme',
    grants: compileGrants(grants, catalog),
    endsAt: Number.POSITIVE_INFINITY,
    mayIssue: Number.POSITIVE_INFINITY,
  });
}

/** A token's grants with some of a remedy's scopes added. */
function remedied(grants: AnyGrants, additions: readonly (readonly [string, string])[]): AnyGrants {
  const total: AnyGrants = { ...grants };
  for (const [type, scope] of additions) {
    const held = total[type];
    total[type] = { scopes: [...(held && 'scopes' in held ? held.scopes : []), scope] };
  }
  return total;
}

const attempts = catalogs.chain((catalog) =>
  fc.tuple(fc.constant(catalog), grantsOf(catalog), fc.subarray([...catalog.scopes], { minLength: 1 })),
);

test('the remedy for a missing scope allows the call, and no part of it can be left out (random catalogs)', () => {
  let remedies = 0;
  fc.assert(
    fc.property(attempts, ([catalog, grants, scope]) => {
      const requirement = compileRequirement({ scope }, catalog, 'acme');
      const holder = principal(grants, catalog);
      const decision = decideGrant(holder, requirement, null);
      const remedy = remedyFor(decision, requirement, holder, null, catalog);
      if (decision.allowed) {
        expect(remedy).toBeUndefined();
        return;
      }
      remedies++;
      const parts = Object.entries(remedy?.types ?? {}).flatMap(([type, grant]) =>
        ((grant as { scopes: string[] }).scopes ?? []).map((each) => [type, each] as const),
      );
      const allowedWith = (some: typeof parts) =>
        decideGrant(principal(remedied(grants, some), catalog), requirement, null).allowed;
      expect(allowedWith(parts)).toBe(true);
      for (const part of parts) expect(allowedWith(parts.filter((each) => each !== part))).toBe(false);
    }),
    { numRuns: 1_000 },
  );
  expect(remedies).toBeGreaterThan(100);
});
