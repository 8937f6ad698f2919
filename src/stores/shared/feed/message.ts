import type { Change } from '../../../ports/changes.js';
import type { Stale } from '../../../ports/store.js';

/** A message between processes that share a store. It holds ids and names, no record and no secret. */
export type Message =
  /** A change was made. `invalidation` is the part of the caches to forget, with the time of the change. */
  | { readonly kind: 'change'; readonly id: string; readonly invalidation: Stale & { readonly at?: number } }
  /** A process sends this to itself: while it comes back, the feed works. */
  | { readonly kind: 'beat'; readonly instance: string }
  /** Asks every listening process whether it has received all changes so far. */
  | { readonly kind: 'question'; readonly id: string; readonly instance: string }
  | { readonly kind: 'answer'; readonly id: string; readonly instance: string };

export const ofToken = (id: string): Stale => ({ kind: 'token', id });
export const ofEndpoints = (organization: string): Stale => ({ kind: 'endpoints', organization });

/** A change that listeners are told of. */
export interface Told {
  /** The id of the change. */
  readonly id: string;
  readonly invalidation: Stale;
}

/** The message of a change. */
export function messageOf({ id, at }: Change, invalidation: Stale): Message {
  return { kind: 'change', id, invalidation: { ...invalidation, at } };
}

export function encode(message: Message): string {
  if (message.kind !== 'change')
    return JSON.stringify([message.kind, message.instance, message.kind === 'beat' ? '' : message.id]);
  const { id, invalidation } = message;
  const { kind, at } = invalidation;
  if (kind === 'token') return JSON.stringify([kind, id, invalidation.id, at]);
  if (kind === 'endpoints') return JSON.stringify([kind, id, invalidation.organization, at]);
  return JSON.stringify([kind, id, '', at]);
}

/** A notification of PostgreSQL has less than 8,000 bytes. */
const MAX_BYTES = 7_900;

/** A change as a message. One that is too long becomes "forget everything". */
export function encodeChange(change: Change, invalidation: Stale): string {
  const text = encode(messageOf(change, invalidation));
  const isShort = new TextEncoder().encode(text).length <= MAX_BYTES;
  return isShort ? text : encode(messageOf(change, { kind: 'everything' }));
}

/** An unreadable text may be of a later version: it means "forget everything", so that nothing is missed. */
export function decode(text: string): Message {
  const [kind, first, second, at] = parse(text);
  const time = typeof at === 'number' ? { at } : {};
  if (typeof first === 'string' && typeof second === 'string') {
    if (kind === 'token') return { kind: 'change', id: first, invalidation: { ...ofToken(second), ...time } };
    if (kind === 'endpoints') return { kind: 'change', id: first, invalidation: { ...ofEndpoints(second), ...time } };
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
