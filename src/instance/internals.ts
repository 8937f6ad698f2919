import type { SecretReference } from '../base/credential.js';
import type { Ground } from '../base/ground.js';
import type { GuardAttempt } from '../deciding/attempt.js';
import type { Mode } from '../deciding/call.js';
import type { Identified } from '../deciding/identified.js';
import type { Holding, Lease } from '../deciding/lease.js';
import type { Decision, Denied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { Requirement } from '../domain/requirement.js';
import type { AttachableAuthenticator, Authenticator } from '../ports/authenticator.js';

export type { GuardAttempt, Holding, Lease, Mode, SecretReference };

/** What guards ask an instance. Every outcome is a decision. */
export interface Gate {
  /**
   * A requirement that is checked now and need not be again.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`
   */
  prepare<R extends Requirement>(requirement: R): R;
  /** The decision where nothing has to be read for it, else `null`. Never throws. */
  tryAuthorize(attempt: GuardAttempt, mode?: Mode): Decision | null;
  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  authorize(attempt: GuardAttempt, mode?: Mode): Promise<Decision>;
  /** Reports what went wrong before a call could be asked about, and denies it. Never throws. */
  fault(error: unknown): Denied;
}

/** Secrets of API tokens, to ask the gate about without having the tokens. */
export interface Secrets {
  /**
   * The secret of a token; `null` for what is no API token, or nobody's. Whether it is alive is not judged.
   *
   * @throws PosternError `unavailable`
   */
  of(token: unknown): Promise<SecretReference | null>;
  /** The secret that the store keeps this digest of. */
  at(digest: string): SecretReference;
}

/** What the entries of this package see of an instance, and nobody else. */
export interface Internals {
  readonly ground: Ground;
  readonly gate: Gate;
  /** For leases: see `leasesOf`. */
  readonly holding: Holding;
  readonly secrets: Secrets;
  /** Who holds a credential, alive or not being told apart: a holder that has ended is a denial. Nothing is charged or counted. */
  identify(token: unknown): Promise<Identified | Denied>;
  /** What an authenticator of this instance became when it was attached; `null` where it is none of this instance's. */
  attached(authenticator: AttachableAuthenticator): Authenticator | null;
}

const INTERNALS = new WeakMap<object, Internals>();

export function setInternals(postern: object, internals: Internals): void {
  INTERNALS.set(postern, internals);
}

/** @throws PosternError `input_invalid` for what `createPostern` did not return */
export function internalsOf(postern: unknown): Internals {
  const internals = typeof postern === 'object' && postern !== null ? INTERNALS.get(postern) : undefined;
  if (internals !== undefined) return internals;
  throw new PosternError('input_invalid', adviceFor(postern), { path: 'postern' });
}

function adviceFor(given: unknown): string {
  const isRequirement =
    typeof given === 'object' &&
    given !== null &&
    ['endpoint', 'scope', 'authenticated', 'public'].some((key) => Object.hasOwn(given, key));
  return isRequirement || typeof given === 'function'
    ? 'is a requirement: the instance comes before it, as in guard(postern, requirement)'
    : 'give what createPostern() returned, not a copy or a part of it';
}
