import type { SecretReference } from '../base/credential.js';
import type { Ground } from '../base/ground.js';
import type { GuardAttempt } from '../deciding/attempt.js';
import type { Mode } from '../deciding/call.js';
import type { Holding } from '../deciding/holding.js';
import type { Identified } from '../deciding/identified.js';
import type { Decision, Denied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { Requirement } from '../domain/requirement.js';
import { markVersion, shared, versionOf } from '../domain/shared.js';
import type { Transport } from '../domain/transport.js';
import { VERSION } from '../domain/version.js';
import type { AttachableAuthenticator, Authenticator } from '../ports/authenticator.js';

export type { GuardAttempt, Holding, Mode, SecretReference };

/** The part of an instance that guards use. Every outcome is a decision. */
export interface Gate {
  /**
   * Checks a requirement now, so that calls with it need not check it again.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`
   */
  prepare<R extends Requirement>(requirement: R): R;
  /** The decision if every fact is in memory, else `null`. Never throws. */
  tryAuthorize(attempt: GuardAttempt, mode?: Mode): Decision | null;
  /** @throws PosternError `requirement_invalid`, `scope_unknown` */
  authorize(attempt: GuardAttempt, mode?: Mode): Promise<Decision>;
  /** Reports an error that happened before the call could be decided, and denies the call. Never throws. */
  fault(error: unknown, transport?: Transport): Denied;
}

/** Stand-ins for API tokens, so that the gate can decide without the tokens themselves. */
export interface Secrets {
  /**
   * The secret of an API token, alive or not; `null` if it is not an API token, or unknown.
   *
   * @throws PosternError `unavailable`
   */
  of(token: unknown): Promise<SecretReference | null>;
  /** The secret with this digest in the store. */
  at(digest: string): SecretReference;
}

/** The parts of an instance for the other entries of this package only. */
export interface Internals {
  readonly ground: Ground;
  readonly gate: Gate;
  /** For leases: see `leasesOf`. */
  readonly holding: Holding;
  readonly secrets: Secrets;
  /** The holder of a credential. An ended credential is a denial. Nothing is charged or counted. */
  identify(token: unknown): Promise<Identified | Denied>;
  /** The authenticator that this one became when it was attached; `null` if it is not attached to this instance. */
  attached(authenticator: AttachableAuthenticator): Authenticator | null;
}

const INTERNALS = /* @__PURE__ */ shared('internals', () => new WeakMap<object, Internals>());

export function setInternals(postern: object, internals: Internals): void {
  markVersion(postern);
  INTERNALS.set(postern, internals);
}

/**
 * Also of an instance that another copy of this package made, if both have the same major version.
 *
 * @throws PosternError `input_invalid` if `createPostern` did not return this object, or another major version did
 */
export function internalsOf(postern: unknown): Internals {
  const internals = typeof postern === 'object' && postern !== null ? INTERNALS.get(postern) : undefined;
  if (internals !== undefined) return internals;
  throw new PosternError('input_invalid', adviceFor(postern), { path: 'postern' });
}

function adviceFor(given: unknown): string {
  const version = versionOf(given);
  if (version !== null) {
    return `is of postern ${version}, and this is a copy of postern ${VERSION}: let the application have one of them (npm ls postern shows both)`;
  }
  const isRequirement =
    typeof given === 'object' &&
    given !== null &&
    ['endpoint', 'scope', 'authenticated', 'public'].some((key) => Object.hasOwn(given, key));
  return isRequirement || typeof given === 'function'
    ? 'is a requirement: the instance comes before it, as in guard(postern, requirement)'
    : 'give the object that createPostern() returned, not a copy or a part of it';
}
