import type { Change } from '../../ports/changes.js';
import type { NewSecret, StoredToken } from '../../ports/records.js';

/** A copy: what the caller does later to what was handed in is nothing to the store. */
export function kept(token: StoredToken): StoredToken {
  return { ...token, typeNames: [...token.typeNames] };
}

export function keptSecret(secret: NewSecret): NewSecret {
  return { ...secret, key: secret.key && { ...secret.key } };
}

/** A copy, made before anything is written: a change that can't be read then changes nothing. */
export function recorded(change: Change): Change {
  return { ...change, actor: { ...change.actor } };
}
