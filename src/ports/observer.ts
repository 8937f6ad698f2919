import type { Decision, Denied } from '../domain/decision.js';
import type { LimitState } from '../domain/limits.js';
import type { Principal } from '../domain/principal.js';
import type { Transport } from '../domain/transport.js';
import type { MirrorAnswer } from './store.js';

/** A part of a call that had to be waited for. */
export type Awaited = 'endpoint' | 'credential' | 'holder' | 'proof' | 'charge';

/** A decided call, as an observer sees it. */
export interface ObservedCall {
  /** The transport of the guard that asked; `null`: the application asked itself. */
  readonly transport: Transport | null;
  /** The time of `elapsed()` at its start, in milliseconds; 0: it was not measured. */
  readonly began: number;
  /** The facts that were not in memory. Empty: the decision needed no promise. */
  readonly awaited: readonly Awaited[];
  /** `undefined`: the decision needed none. */
  readonly endpoint: { readonly id: string } | null | undefined;
  /** The organization of the endpoint. */
  readonly organization: string | null;
  /** `undefined`: it was not looked at. A text: it has no valid form. */
  readonly credential: object | string | undefined;
  readonly knownHolder: { readonly principal: Principal } | null;
}

/**
 * Sees the work of an instance. It changes nothing: its methods never throw, and those that are handed work do it exactly once and
 * pass on its outcome.
 */
export interface Observer {
  /** A decision was made. `call` is `null` if the call could not be read. */
  decided(decision: Decision, call: ObservedCall | null, transport: Transport | null): void;
  /** A decision that has to wait. */
  verify<T extends { readonly decision: Decision; readonly call: ObservedCall | null }>(
    work: () => Promise<T>,
  ): Promise<T>;
  /** A call of the store. */
  store<T>(operation: string, work: () => Promise<T>): Promise<T>;
  /** A charge of the limits of a token. `null`: the limiter failed, and the call is let through. */
  charge<T extends Denied | LimitState | null>(work: () => Promise<T>): Promise<T>;
  fault(during: string): void;
  /** The store's feed was found (`true`) or lost. */
  feed(connected: boolean): void;
  /** A change of another process came in. `at`: when it was made, in epoch milliseconds by the clock of that process. */
  heard(at: number): void;
  /** A read of verification was answered by the store's replica, or by the primary. */
  mirrored(by: MirrorAnswer): void;
  /** A hop was handed out. */
  hop(reused: boolean): void;
}
