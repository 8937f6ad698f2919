import { privateField } from '../base/private-field.js';
import type { Decision } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import { shared } from '../domain/shared.js';
import type { GuardAttempt, Holding } from '../instance/internals.js';
import type { Presented } from './credential.js';

/** An attempt as a guard makes it of a request. */
export type RequestAttempt = GuardAttempt & Presented;

/** An attempt of a request that was allowed, or is being decided. */
export interface Passage {
  readonly holding: Holding;
  readonly attempt: RequestAttempt;
  /** Whether the credential was charged for it. */
  charged: boolean;
  /** The caller, once it is decided; `null` if no credential was needed. */
  principal: Principal | null;
  /** `null` once it is decided. */
  pending: Promise<Decision> | null;
}

/**
 * The passages of a request, one for each guard. V8 gives each request of Express a hidden class of its own, and then a new field
 * takes as long as a decision: those are in a `WeakMap`.
 */
export const PASSAGES = /* @__PURE__ */ shared('passages', () => {
  const within = privateField<Passage[]>();
  const beside = new WeakMap<object, Passage[]>();
  return {
    of: (request: object): Passage[] | undefined => within.get(request) ?? beside.get(request),
    within,
    beside,
  };
});

/** Where a guard keeps the passages of its requests. All guards find them in either place. */
export interface PassageKeeper {
  set(request: object, passages: Passage[]): unknown;
}
