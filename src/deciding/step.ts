import type { Credential } from '../base/credential.js';
import { decideGrant, decideLife, decideWithoutCredential } from '../domain/decide.js';
import { decideMethod } from '../domain/decide-method.js';
import { allowed, type Decision, type DenialReason, type Denied, denied, isDenied } from '../domain/decision.js';
import type { EndpointPolicy } from '../domain/endpoint.js';
import { isLimited } from '../domain/limits.js';
import type { CompiledRequirement } from '../domain/requirement.js';
import type { Trace } from '../domain/trace.js';
import type { Call } from './call.js';
import type { Holder, Restriction } from './holder.js';

/** The fact that a decision waits for. */
export type Need = 'endpoint' | 'holder' | 'proof' | 'charge';

/** The facts that are in memory. `undefined`: the fact must be loaded. Nothing here waits. */
export interface Memory {
  endpoint(call: Call): EndpointPolicy | null | undefined;
  credential(call: Call): Credential;
  holder(call: Call, credential: Exclude<Credential, string>): Holder | DenialReason | undefined;
}

/**
 * The decision of a call, or the next fact that it needs. This is the only place that knows the order of the checks. It takes
 * facts from memory only. The caller loads the missing fact, and steps again from the start.
 *
 * @param now the time by which expiry is judged, epoch milliseconds
 * @param trace each check is written here, from the first one on
 */
export function step(call: Call, memory: Memory, now: number, trace?: Trace): Decision | Need {
  const { requirement } = call;
  if (requirement === null) {
    trace?.note('requirement', false, 'the route or method declares no requirement');
    return denied('requirement_missing');
  }
  // For an endpoint of the caller's own organization, the caller must be known first.
  const isOwn = requirement.kind === 'endpoint' && requirement.organization === null;
  if (!isOwn) {
    const early = stepToEndpoint(call, memory, requirement, trace);
    if (early !== null) return early;
  }

  const credential = memory.credential(call);
  trace?.credential(typeof credential === 'string' ? credential : null);
  if (typeof credential === 'string') return denied(credential);
  if (call.proof !== null && credential.signed === null) return unbound(trace);

  const holder = memory.holder(call, credential);
  if (holder === undefined) return 'holder';
  const known =
    typeof holder !== 'string' && (call.within ?? holder.principal.organization) === holder.principal.organization;
  trace?.holder(known ? holder.principal.tokenId : null);
  if (!known) return denied(typeof holder === 'string' ? holder : 'token_unknown');

  const ended = decideLife(holder, now, trace);
  if (ended !== null) return denied(ended);

  if (holder.restriction !== null && call.mode !== 'identify') {
    const refused = decideRestriction(holder.restriction, call, requirement, trace);
    if (refused !== null) return refused;
  }

  const reached = isOwn ? stepToEndpoint(call, memory, requirement, trace) : null;
  if (reached === 'endpoint' || (reached !== null && !reached.allowed)) return reached;
  const { principal } = holder;
  const decision =
    reached === null ? decideGrant(principal, requirement, call.endpoint ?? null, trace) : allowed(principal);
  if (!decision.allowed || (call.mode !== 'use' && call.mode !== 'again')) return decision;
  if (holder.account === null || !isLimited(holder.account.rules)) return decision;
  const { charge } = call;
  if (charge === undefined) return 'charge';
  if (charge === null) return decision;
  return isDenied(charge) ? charge : { ...decision, limit: charge };
}

/** The decision that the endpoint's access alone makes; `null`: a credential is needed. */
function stepToEndpoint(
  call: Call,
  memory: Memory,
  requirement: CompiledRequirement,
  trace?: Trace,
): Decision | 'endpoint' | null {
  const endpoint = requirement.kind === 'endpoint' ? memory.endpoint(call) : null;
  return endpoint === undefined ? 'endpoint' : decideWithoutCredential(requirement, endpoint, call.zone, trace);
}

/** Checks a credential that is bound to a key, or limited to some methods. */
function decideRestriction(
  { methods, prove }: Restriction,
  call: Call,
  requirement: CompiledRequirement,
  trace?: Trace,
): Denied | 'proof' | null {
  const { proof, proven } = call;
  if (prove === null && proof !== null) return unbound(trace);
  // A bound token without a proof may be stolen (RFC 9449 section 7.1).
  if (prove !== null && proof === null) {
    trace?.note('proof', false, 'the token is bound to a key, and came without a proof');
    return denied('token_unknown');
  }
  // A proof can be used only once. A running call was checked at its start.
  if (prove !== null && call.mode !== 'recheck') {
    if (proven === undefined) return 'proof';
    trace?.note('proof', proven, `the proof of possession is ${proven ? 'good' : 'not good'}`);
    if (!proven) return denied('proof_invalid');
  }
  return decideMethod(methods, call.method, requirement, trace);
}

/** A proof came with a token that is not bound to a key: the sender mistakes it for another kind of token. */
function unbound(trace?: Trace): Denied {
  trace?.note('proof', false, 'the token is bound to no key');
  return denied('token_unknown');
}
