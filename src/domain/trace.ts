import type { EndpointPolicy, Zone } from './endpoint.js';
import type { Principal } from './principal.js';
import { quote } from './text.js';

/** One check of a decision, as `explain` shows it. */
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

/**
 * The steps of a decision, from the first check on. Its words stand here and not among the rules: a rule without words is short
 * enough for V8 to inline.
 */
export type Trace = Step[];

export function note(trace: Trace, check: Check, passed: boolean, detail: string): void {
  trace.push({ check, passed, detail });
}

export function noteUnknownEndpoint(
  trace: Trace,
  { endpoint, organization }: { readonly endpoint: string; readonly organization: string | null },
): void {
  const place = organization === null ? "the caller's organization" : `organization ${name(organization)}`;
  note(trace, 'endpoint', false, `no endpoint ${name(endpoint)} is registered in ${place}`);
}

export function noteAccess(trace: Trace, { id, access }: EndpointPolicy, zone: Zone): void {
  note(trace, 'endpoint', true, `"${id}" is registered and ${access}`);
  if (access === 'public') note(trace, 'access', true, 'public: no credential is looked at');
  else if (access === 'protected') note(trace, 'access', true, 'protected: a valid token decides');
  else note(trace, 'access', zone === 'internal', `private: only callers in the internal zone; this one is ${zone}`);
}

/** @param replaced by a rotation whose grace is over */
export function noteLife(trace: Trace, revoked: boolean, replaced: boolean, expiresAt: number, now: number): void {
  const ended = revoked || replaced;
  const detail = revoked
    ? 'the token is revoked'
    : replaced
      ? 'this secret was replaced by a rotation, and its grace is over'
      : 'the token is not revoked';
  note(trace, 'revoked', !ended, detail);
  if (!ended) note(trace, 'expired', expiresAt > now, expiryDetail(expiresAt, now));
}

function expiryDetail(expiresAt: number, now: number): string {
  if (expiresAt === Number.POSITIVE_INFINITY) return 'the token never expires';
  return `the token ${expiresAt <= now ? 'expired' : 'expires'} at ${new Date(expiresAt).toISOString()}`;
}

export function noteOrganization(trace: Trace, held: string, needed: string): void {
  const detail = `the token belongs to organization ${name(held)}; the call is to organization ${name(needed)}`;
  note(trace, 'organization', held === needed, detail);
}

export function noteScope(trace: Trace, scope: string, held: boolean): void {
  note(trace, 'grant', held, `the token ${held ? 'holds' : 'does not hold'} ${scope}`);
}

export function noteReach(trace: Trace, { grants }: Principal, { id }: EndpointPolicy, reached: boolean): void {
  const named = grants.endpoints !== '*' && grants.endpoints.includes(id);
  const detail = reached
    ? `the token reaches endpoint "${id}"`
    : named
      ? `the token was granted an earlier endpoint "${id}", which was deleted; this one only has the same name`
      : `the token does not reach endpoint "${id}"`;
  note(trace, 'grant', reached, detail);
}

export function noteMethod(trace: Trace, methods: readonly string[], method: string | null, passed: boolean): void {
  const asked = method === null ? 'the call does not say its method' : `this is ${name(method)}`;
  note(trace, 'method', passed, `the token is good for ${methods.join(', ') || 'no method'}; ${asked}`);
}

/** @param problem why the credential was refused by its form alone; `null`: it was not */
export function noteCredential(trace: Trace, problem: string | null): void {
  const detail = problem === null ? 'one well-formed credential' : (PROBLEMS[problem] ?? problem);
  note(trace, 'credential', problem === null, detail);
}

export function noteHolder(trace: Trace, tokenId: string | null): void {
  const detail = tokenId === null ? 'no token has this secret or signature' : `token ${tokenId}`;
  note(trace, 'known', tokenId !== null, detail);
}

const PROBLEMS: Readonly<Record<string, string>> = {
  token_missing: 'no credential came with the call',
  token_malformed: 'the call has several credentials, or one that is not a single token of at most 8 KiB',
  token_unknown: 'the credential does not have the form of a token of this instance, or its checksum is wrong',
};

/** A name from a URL may hold anything. It is escaped, and cut at the longest length that can be registered. */
function name(text: string): string {
  return quote(text, 100);
}
