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
 * enough for V8 to inline, and a process that explains nothing never loads them.
 */
export class Trace {
  readonly steps: Step[] = [];

  note(check: Check, passed: boolean, detail: string): void {
    this.steps.push({ check, passed, detail });
  }

  unknownEndpoint({
    endpoint,
    organization,
  }: {
    readonly endpoint: string;
    readonly organization: string | null;
  }): void {
    const place = organization === null ? "the caller's organization" : `organization ${name(organization)}`;
    this.note('endpoint', false, `no endpoint ${name(endpoint)} is registered in ${place}`);
  }

  access({ id, access }: EndpointPolicy, zone: Zone): void {
    this.note('endpoint', true, `"${id}" is registered and ${access}`);
    if (access === 'public') this.note('access', true, 'public: no credential is looked at');
    else if (access === 'protected') this.note('access', true, 'protected: a valid token decides');
    else this.note('access', zone === 'internal', `private: only callers in the internal zone; this one is ${zone}`);
  }

  /** @param replaced by a rotation whose grace is over */
  life(revoked: boolean, replaced: boolean, expiresAt: number, now: number): void {
    const ended = revoked || replaced;
    const detail = revoked
      ? 'the token is revoked'
      : replaced
        ? 'this secret was replaced by a rotation, and its grace is over'
        : 'the token is not revoked';
    this.note('revoked', !ended, detail);
    if (!ended) this.note('expired', expiresAt > now, expiryDetail(expiresAt, now));
  }

  organization(held: string, needed: string): void {
    const detail = `the token belongs to organization ${name(held)}; the call is to organization ${name(needed)}`;
    this.note('organization', held === needed, detail);
  }

  scope(scope: string, held: boolean): void {
    this.note('grant', held, `the token ${held ? 'holds' : 'does not hold'} ${scope}`);
  }

  reach({ grants }: Principal, { id }: EndpointPolicy, reached: boolean): void {
    const named = grants.endpoints !== '*' && grants.endpoints.includes(id);
    const detail = reached
      ? `the token reaches endpoint "${id}"`
      : named
        ? `the token was granted an earlier endpoint "${id}", which was deleted; this one only has the same name`
        : `the token does not reach endpoint "${id}"`;
    this.note('grant', reached, detail);
  }

  method(methods: readonly string[], method: string | null, passed: boolean): void {
    const asked = method === null ? 'the call does not say its method' : `this is ${name(method)}`;
    this.note('method', passed, `the token is good for ${methods.join(', ') || 'no method'}; ${asked}`);
  }

  /** @param problem why the credential was refused by its form alone; `null`: it was not */
  credential(problem: string | null): void {
    const detail = problem === null ? 'one well-formed credential' : (PROBLEMS[problem] ?? problem);
    this.note('credential', problem === null, detail);
  }

  holder(tokenId: string | null): void {
    const detail = tokenId === null ? 'no token has this secret or signature' : `token ${tokenId}`;
    this.note('known', tokenId !== null, detail);
  }
}

function expiryDetail(expiresAt: number, now: number): string {
  if (expiresAt === Number.POSITIVE_INFINITY) return 'the token never expires';
  return `the token ${expiresAt <= now ? 'expired' : 'expires'} at ${new Date(expiresAt).toISOString()}`;
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
