import { allowed, type Decision, type DenialReason, denied, scopeMissing } from './decision.js';
import type { EndpointPolicy, Zone } from './endpoint.js';
import { reaches } from './grants.js';
import { VerifiedPrincipal } from './principal.js';
import type { CompiledRequirement } from './requirement.js';
import { quote } from './text.js';

/**
 * The rules of a decision: no clock, no store, no waiting. docs/contract.md gives the order of the checks:
 *
 *   endpoint known → its access and the caller's zone → one well-formed credential → known → revoked → expired
 *   → organization → grant
 *
 * {@link decideWithoutCredential} comes before the credential is read. {@link decideLife} checks a known credential's record,
 * and {@link decideGrant} its rights. Each writes its steps into the trace, if there is one. `explain` runs these same
 * functions, so it always agrees with `authorize`.
 */
export interface Step {
  readonly check: Check;
  readonly passed: boolean;
  /** The comparison in words. Never holds a secret. */
  readonly detail: string;
}

/** The checks of a decision, by name. */
export type Check =
  | 'requirement'
  | 'endpoint'
  | 'access'
  | 'credential'
  | 'known'
  | 'revoked'
  | 'expired'
  | 'proof'
  | 'method'
  | 'organization'
  | 'grant';

export type Trace = Step[];

/** The decision, if it needs no credential; otherwise `null`. */
export function decideWithoutCredential(
  requirement: CompiledRequirement,
  endpoint: EndpointPolicy | null,
  zone: Zone,
  trace?: Trace,
): Decision | null {
  if (requirement.kind === 'public') {
    trace?.push({ check: 'requirement', passed: true, detail: 'anyone may call this: no credential is looked at' });
    return allowed(null);
  }
  if (requirement.kind !== 'endpoint') return null;
  if (endpoint === null) {
    trace?.push({
      check: 'endpoint',
      passed: false,
      detail: `no endpoint ${name(requirement.endpoint)} is registered in ${requirement.organization === null ? "the caller's organization" : `organization ${name(requirement.organization)}`}`,
    });
    return denied('endpoint_unknown');
  }
  trace?.push({ check: 'endpoint', passed: true, detail: `"${endpoint.id}" is registered and ${endpoint.access}` });
  switch (endpoint.access) {
    case 'public':
      trace?.push({ check: 'access', passed: true, detail: 'public: no credential is looked at' });
      return allowed(null);
    case 'private':
      trace?.push({
        check: 'access',
        passed: zone === 'internal',
        detail: `private: only callers in the internal zone; this one is ${zone}`,
      });
      return zone === 'internal' ? allowed(null) : denied('endpoint_private');
    case 'protected':
      trace?.push({ check: 'access', passed: true, detail: 'protected: a valid token decides' });
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
  if (life.revoked || life.secretEndsAt <= now) {
    trace?.push({
      check: 'revoked',
      passed: false,
      detail: life.revoked ? 'the token is revoked' : 'this secret was replaced by a rotation, and its grace is over',
    });
    return 'token_revoked';
  }
  trace?.push({ check: 'revoked', passed: true, detail: 'the token is not revoked' });
  const expired = life.expiresAt <= now;
  trace?.push({ check: 'expired', passed: !expired, detail: expiryDetail(life.expiresAt, now) });
  return expired ? 'token_expired' : null;
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
      trace?.push({ check: 'grant', passed: true, detail: 'any valid token will do' });
      return allowed(principal);
    case 'scope': {
      if (requirement.organization !== null) {
        const same = principal.organization === requirement.organization;
        if (trace) pushOrganization(trace, principal.organization, requirement.organization, same);
        if (!same) return scopeMissing(requirement.scopes);
      }
      for (const scope of requirement.scopes) {
        const held = grants.scopes.has(scope);
        trace?.push({ check: 'grant', passed: held, detail: `the token ${held ? 'holds' : 'does not hold'} ${scope}` });
        if (!held) return scopeMissing(requirement.scopes);
      }
      return allowed(principal);
    }
    case 'endpoint': {
      if (endpoint === null) return denied('endpoint_unknown');
      const same = principal.organization === endpoint.organization;
      if (trace) pushOrganization(trace, principal.organization, endpoint.organization, same);
      if (!same) return denied('endpoint_not_granted');
      const reached = reaches(grants, endpoint);
      trace?.push({ check: 'grant', passed: reached, detail: endpointDetail(principal, endpoint, reached) });
      return reached ? allowed(principal) : denied('endpoint_not_granted');
    }
  }
}

function pushOrganization(trace: Trace, held: string, needed: string, passed: boolean): void {
  trace.push({
    check: 'organization',
    passed,
    detail: `the token belongs to organization ${name(held)}; the call is to organization ${name(needed)}`,
  });
}

function endpointDetail(principal: VerifiedPrincipal, endpoint: EndpointPolicy, reached: boolean): string {
  if (reached) return `the token reaches endpoint "${endpoint.id}"`;
  const named = principal.grants.endpoints !== '*' && principal.grants.endpoints.includes(endpoint.id);
  return named
    ? `the token was granted an earlier endpoint "${endpoint.id}", which was deleted; this one only has the same name`
    : `the token does not reach endpoint "${endpoint.id}"`;
}

function expiryDetail(expiresAt: number, now: number): string {
  if (expiresAt === Number.POSITIVE_INFINITY) return 'the token never expires';
  return `the token ${expiresAt <= now ? 'expired' : 'expires'} at ${new Date(expiresAt).toISOString()}`;
}

/** A name from a URL may hold anything. It is escaped, and cut at the longest length that can be registered. */
function name(text: string): string {
  return quote(text, 100);
}
