import type { Change } from '../../ports/changes.js';
import type { Invalidation } from '../../ports/store.js';

/** What listeners are told of a change. `null` for a new token: nobody can have read it before. */
export function invalidationOf({
  type,
  organization,
  subject,
}: Pick<Change, 'type' | 'organization' | 'subject'>): Invalidation | null {
  if (type === 'token.created') return null;
  return type.startsWith('endpoint.') ? { kind: 'endpoints', organization } : { kind: 'token', id: subject };
}
