import type { Credential } from '../base/credential.js';
import type { Decision, DenialReason, Denied } from '../domain/decision.js';
import type { EndpointPolicy, Zone } from '../domain/endpoint.js';
import type { LimitState } from '../domain/limits.js';
import type { CompiledRequirement } from '../domain/requirement.js';
import type { Proof } from '../ports/authenticator.js';
import type { Holder } from './holder.js';

/**
 * Why a call is asked about.
 * - `use`: it is about to happen. Its uses and limits are charged, its proof is spent.
 * - `recheck`: it goes on. It was charged, and has proven its key.
 * - `look`: nothing happens. Nothing is charged or spent.
 * - `identify`: only its holder is asked for. What the credential is good for is a part of the answer, and not judged.
 */
export type Mode = 'use' | 'recheck' | 'look' | 'identify';

/**
 * One call on its way to a decision: what came with it, and the facts that were found for it so far. A fact that nobody has
 * looked for is `undefined`. A class, so that no field is ever looked for in a prototype.
 */
export class Call {
  /** `null`: there is no such endpoint. */
  endpoint: EndpointPolicy | null | undefined = undefined;
  credential: Credential | undefined = undefined;
  /** Or why the credential is nobody's. */
  holder: Holder | DenialReason | undefined = undefined;
  /** Whether what came with a bound token proves possession of its key. */
  proven: boolean | undefined = undefined;
  /** What the token's limits said: a denial, or the window that is nearest to its end (`null`: none counts). */
  charge: Denied | LimitState | null | undefined = undefined;

  constructor(
    readonly mode: Mode,
    readonly requirement: CompiledRequirement | null,
    readonly zone: Zone,
    readonly token: unknown,
    readonly malformed: boolean,
    readonly method: string | null,
    readonly proof: Proof | null,
    /** The only organization whose tokens are known to who asks; `null`: any. */
    readonly within: string | null,
  ) {}

  /** Whose credential it is, where that is known. */
  get knownHolder(): Holder | null {
    return typeof this.holder === 'object' ? this.holder : null;
  }
}

/** A decision, and the call with the facts that were found for it; `null` where the call could not be read. */
export interface Answer {
  readonly decision: Decision;
  readonly call: Call | null;
}
