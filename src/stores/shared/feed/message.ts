import type { Invalidation } from '../../../ports/store.js';

/** A message between processes that share a store. It holds ids and names, no record and no secret. */
export type Message =
  /** A change was made. `invalidation` is the part of the caches to forget. */
  | { readonly kind: 'change'; readonly id: string; readonly invalidation: Invalidation }
  /** A process sends this to itself: while it comes back, the feed works. */
  | { readonly kind: 'beat'; readonly instance: string }
  /** Asks every listening process whether it has received all changes so far. */
  | { readonly kind: 'question'; readonly id: string; readonly instance: string }
  | { readonly kind: 'answer'; readonly id: string; readonly instance: string };

/** For a new token: nobody can have read it before, so nobody needs to be told. */
export const NOBODY = null;
export const ofToken = (id: string): Invalidation => ({ kind: 'token', id });
export const ofEndpoints = (organization: string): Invalidation => ({ kind: 'endpoints', organization });

export function encode(message: Message): string {
  if (message.kind !== 'change')
    return JSON.stringify([message.kind, message.instance, message.kind === 'beat' ? '' : message.id]);
  const { id, invalidation } = message;
  const { kind } = invalidation;
  if (kind === 'token') return JSON.stringify([kind, id, invalidation.id]);
  if (kind === 'endpoints') return JSON.stringify([kind, id, invalidation.organization]);
  return JSON.stringify(['everything', id, '']);
}

/** A notification of PostgreSQL has less than 8,000 bytes. */
const MAX_BYTES = 7_900;

/** A change as a message. One that is too long becomes "forget everything". */
export function encodeChange(id: string, invalidation: Invalidation): string {
  const text = encode({ kind: 'change', id, invalidation });
  const isShort = new TextEncoder().encode(text).length <= MAX_BYTES;
  return isShort ? text : encode({ kind: 'change', id, invalidation: { kind: 'everything' } });
}

/** An unreadable text may be of a later version: it means "forget everything", so that nothing is missed. */
export function decode(text: string): Message {
  const [kind, first, second] = parse(text);
  if (typeof first === 'string' && typeof second === 'string') {
    if (kind === 'token') return { kind: 'change', id: first, invalidation: ofToken(second) };
    if (kind === 'endpoints') return { kind: 'change', id: first, invalidation: ofEndpoints(second) };
    if (kind === 'beat') return { kind, instance: first };
    if (kind === 'question' || kind === 'answer') return { kind, instance: first, id: second };
  }
  return { kind: 'change', id: typeof first === 'string' ? first : '', invalidation: { kind: 'everything' } };
}

function parse(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
