import type { Holder } from '../deciding/holder.js';
import type { Denied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { AttachableAuthenticator, Authenticator } from '../ports/authenticator.js';
import type { Core } from './core.js';

/** What the entries of this package see of an instance, and nobody else. */
export interface Internals {
  readonly core: Core;
  /** Who holds a credential, alive or not being told apart: a holder that has ended is a denial. Nothing is charged or counted. */
  identify(token: unknown): Promise<Holder | Denied>;
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
  throw new PosternError('input_invalid', 'give what createPostern() returned, not a copy or a part of it', {
    path: 'postern',
  });
}
