import type { Credential } from '../base/credential.js';
import type { Decision, DenialReason, Denied } from '../domain/decision.js';
import type { EndpointPolicy, Zone } from '../domain/endpoint.js';
import type { LimitState } from '../domain/limits.js';
import type { CompiledRequirement } from '../domain/requirement.js';
import type { Transport } from '../domain/transport.js';
import type { Proof } from '../ports/authenticator.js';
import type { Awaited, ObservedCall } from '../ports/observer.js';
import type { Holder } from './holder.js';

/**
 * The purpose of a decision.
 * - `use`: the call is about to happen. It is counted and charged to the limits, and its proof is used up.
 * - `recheck`: the call is already running. It was charged, and its proof was checked, at its start.
 * - `again`: the call was refused, and its refusal is asked for again. Nothing is charged or used up, and a proof counts that it used up.
 *   A call that is allowed now must still be refused.
 * - `look`: the call does not happen. Nothing is charged or used up.
 * - `identify`: only the holder is wanted. The credential's restrictions are part of the answer and are not checked.
 */
export type Mode = 'use' | 'recheck' | 'again' | 'look' | 'identify';

const NOTHING: readonly Awaited[] = [];

/**
 * One call on its way to a decision: its input, and the facts that were found so far. `undefined` is a fact that is not known
 * yet. It is a class, so that every field is an own property.
 */
export class Call implements ObservedCall {
  /** `null`: there is no such endpoint. */
  endpoint: EndpointPolicy | null | undefined = undefined;
  credential: Credential | undefined = undefined;
  /** The holder, or the reason why the credential is refused. */
  holder: Holder | DenialReason | undefined = undefined;
  /** Whether the proof of a bound token shows possession of its key. */
  proven: boolean | undefined = undefined;
  /** The result of charging the token's limits: a denial, or the window with the smallest share left (`null`: none counts). */
  charge: Denied | LimitState | null | undefined = undefined;
  began = 0;
  awaited: readonly Awaited[] = NOTHING;

  constructor(
    readonly mode: Mode,
    readonly requirement: CompiledRequirement | null,
    readonly zone: Zone,
    readonly token: unknown,
    readonly malformed: boolean,
    readonly method: string | null,
    readonly proof: Proof | null,
    /** The only organization whose tokens the asker may know; `null`: any. */
    readonly within: string | null,
    readonly transport: Transport | null,
  ) {}

  /** The organization of the endpoint; `null`: the call needs none, or its holder, whose own it is, is not known yet. */
  get organization(): string | null {
    if (this.requirement?.kind !== 'endpoint') return null;
    return this.requirement.organization ?? this.knownHolder?.principal.organization ?? null;
  }

  get knownHolder(): Holder | null {
    return typeof this.holder === 'object' ? this.holder : null;
  }

  /** Its credential is read again, too, because it may have been found together with the holder. */
  forgetHolder(): void {
    this.credential = undefined;
    this.holder = undefined;
  }
}

/** A decision, and the call with the facts that were found for it; `null` where the call could not be read. */
export interface Answer {
  readonly decision: Decision;
  readonly call: Call | null;
}
