import { allowed, type Decision, type DenialReason, denied, scopeMissing } from './decision.js';
import type { EndpointPolicy, Zone } from './endpoint.js';
import { reaches } from './grants.js';
import { VerifiedPrincipal } from './principal.js';
import type { CompiledRequirement } from './requirement.js';
import type { Trace } from './trace.js';

/*
 * The rules of a decision: no clock, no store, no waiting. docs/contract.md gives the order of the checks:
 *
 *   endpoint known → its access and the caller's zone → one well-formed credential → known → revoked → expired
 *   → organization → grant
 *
 * `decideWithoutCredential` comes before the credential is read. `decideLife` checks a known credential's record, and
 * `decideGrant` its rights. Each writes its steps into the trace, if there is one. `explain` runs these same functions, so it
 * always agrees with `authorize`.
 */

/** The decision, if it needs no credential; otherwise `null`. */
export function decideWithoutCredential(
  requirement: CompiledRequirement,
  endpoint: EndpointPolicy | null,
  zone: Zone,
  trace?: Trace,
): Decision | null {
  if (requirement.kind === 'public') {
    trace?.note('requirement', true, 'anyone may call this: no credential is looked at');
    return allowed(null);
  }
  if (requirement.kind !== 'endpoint') return null;
  if (endpoint === null) {
    trace?.unknownEndpoint(requirement);
    return denied('endpoint_unknown');
  }
  trace?.access(endpoint, zone);
  switch (endpoint.access) {
    case 'public':
      return allowed(null);
    case 'private':
      return zone === 'internal' ? allowed(null) : denied('endpoint_private');
    case 'protected':
      return null;
  }
}

/** The facts that decide whether a known credential is alive. Times are epoch milliseconds; `Infinity` means never. */
export interface Life {
  readonly revoked: boolean;
  /** The end of this secret's grace after a rotation. */
  readonly secretEndsAt: number;
  readonly expiresAt: number;
}

/** The reason why a known credential is no longer alive, or `null` if it is. At `expiresAt` it is already expired. */
export function decideLife(life: Life, now: number, trace?: Trace): DenialReason | null {
  const replaced = life.secretEndsAt <= now;
  trace?.life(life.revoked, replaced, life.expiresAt, now);
  if (life.revoked || replaced) return 'token_revoked';
  return life.expiresAt <= now ? 'token_expired' : null;
}

/** Whether a principal's grants meet the requirement. The caller has already checked that its credential is alive. */
export function decideGrant(
  principal: VerifiedPrincipal,
  requirement: CompiledRequirement,
  endpoint: EndpointPolicy | null,
  trace?: Trace,
): Decision {
  const grants = VerifiedPrincipal.grantsOf(principal);
  if (grants === null) return denied('internal_error');
  switch (requirement.kind) {
    case 'authenticated':
    case 'public':
      trace?.note('grant', true, 'any valid token will do');
      return allowed(principal);
    case 'scope': {
      const { organization, scopes } = requirement;
      if (organization !== null) {
        trace?.organization(principal.organization, organization);
        if (principal.organization !== organization) return scopeMissing(scopes);
      }
      for (let i = 0; i < scopes.length; i++) {
        const scope = scopes[i] as string;
        const held = grants.scopes.has(scope);
        trace?.scope(scope, held);
        if (!held) return scopeMissing(scopes);
      }
      return allowed(principal);
    }
    case 'endpoint': {
      if (endpoint === null) return denied('endpoint_unknown');
      trace?.organization(principal.organization, endpoint.organization);
      if (principal.organization !== endpoint.organization) return denied('endpoint_not_granted');
      const reached = reaches(grants, endpoint);
      trace?.reach(principal, endpoint, reached);
      return reached ? allowed(principal) : denied('endpoint_not_granted');
    }
  }
}
