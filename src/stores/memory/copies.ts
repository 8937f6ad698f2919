import type { Change } from '../../ports/changes.js';
import type { NewSecret, StoredToken } from '../../ports/records.js';

/** A copy: the caller may change its own object later. */
export function kept(token: StoredToken): StoredToken {
  return { ...token, typeNames: [...token.typeNames] };
}

export function keptSecret(secret: NewSecret): NewSecret {
  return { ...secret, key: secret.key && { ...secret.key } };
}

/** A copy, made before anything is written, so that an unreadable change changes nothing. */
export function recorded(change: Change): Change {
  return { ...change, actor: { ...change.actor } };
}
