import type { Decision } from './decision.js';
import type { EndpointPolicy } from './endpoint.js';
import { VerifiedPrincipal } from './principal.js';
import type { CompiledRequirement } from './requirement.js';
import type { Catalog, GrantsOf, TokenTypes } from './token-types.js';
import type { Step } from './trace.js';

/** A decision with its reasons: for an operator, not for the caller that was denied. */
export interface Explanation<T extends TokenTypes = TokenTypes> {
  readonly decision: Decision<T>;
  /** The checks that were made, in their order. The last one decided. */
  readonly steps: readonly Step[];
  /** After a denial for a missing grant: the least grant that would allow the call. */
  readonly remedy?: Remedy<T>;
}

/** The least grant that would turn a denial into an allow. */
export interface Remedy<T extends TokenTypes = TokenTypes> {
  /** The missing part of the token's `types`: the scopes or the endpoint to add, by type. */
  readonly types: GrantsOf<T>;
  /** The same in words. */
  readonly message: string;
}

/**
 * The least grant that turns a denial into an allow, or `undefined` if no grant would: no grant lets a token into another
 * organization.
 */
export function remedyFor(
  decision: Decision,
  requirement: CompiledRequirement | null,
  principal: VerifiedPrincipal | null,
  endpoint: EndpointPolicy | null,
  catalog: Catalog,
): Remedy | undefined {
  if (decision.allowed || requirement === null || principal === null) return undefined;
  const grants = VerifiedPrincipal.grantsOf(principal);
  if (grants === null) return undefined;
  if (decision.reason === 'scope_missing' && requirement.kind === 'scope') {
    if (requirement.organization !== null && requirement.organization !== principal.organization) return undefined;
    const missing = leastScopes(
      requirement.scopes.filter((scope) => !grants.scopes.has(scope)),
      catalog,
    );
    const types: Record<string, { scopes: `${string}:${string}`[] }> = {};
    for (const { type, scope } of missing) {
      const entry = types[type];
      if (entry) entry.scopes.push(scope);
      else types[type] = { scopes: [scope] };
    }
    const parts = Object.entries(types).map(([type, { scopes }]) => `${scopes.join(', ')} (type ${type})`);
    return { types, message: `Grant the token ${parts.join(' and ')}.` };
  }
  if (decision.reason === 'endpoint_not_granted' && endpoint !== null) {
    if (endpoint.organization !== principal.organization) return undefined;
    const type = [...catalog.types].find(([, { form }]) => form === 'endpoint_access')?.[0];
    if (type === undefined) return undefined;
    return {
      types: { [type]: { endpoints: [endpoint.id] } },
      message: `Grant the token the endpoint "${endpoint.id}" (type ${type}).`,
    };
  }
  return undefined;
}

interface Placed {
  readonly scope: `${string}:${string}`;
  readonly type: string;
  readonly expansion: readonly string[];
}

/**
 * Each missing scope with a type that has it, without those that the others include. A scope is dropped only if the rest still
 * covers it, because an action may include different actions in two types.
 */
function leastScopes(missing: readonly string[], catalog: Catalog): readonly Placed[] {
  const all = [...new Set(missing)].map((scope): Placed => {
    return { scope: scope as Placed['scope'], ...placeOf(scope, catalog) };
  });
  let kept = all;
  for (const each of all) {
    const others = kept.filter((other) => other !== each);
    if (all.every(({ scope }) => others.some(({ expansion }) => expansion.includes(scope)))) kept = others;
  }
  return kept;
}

function placeOf(scope: string, catalog: Catalog): { type: string; expansion: readonly string[] } {
  for (const [type, entry] of catalog.types) {
    const expansion = entry.form === 'scope_access' ? entry.expansions.get(scope) : undefined;
    if (expansion) return { type, expansion };
  }
  throw new Error(`scope ${scope} has no type: the requirement was compiled against another catalog`);
}
