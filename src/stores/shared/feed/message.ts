import type { Invalidation } from '../../../ports/store.js';

/** What processes that share a store tell each other. It holds ids and names, no record and no secret. */
export type Message =
  /** A change was made: by its id, and what is to be forgotten for it. */
  | { readonly kind: 'change'; readonly id: string; readonly invalidation: Invalidation }
  /** A process to itself: while this comes back, the feed works. */
  | { readonly kind: 'beat'; readonly instance: string }
  /** Everyone who listens is asked whether they were told of all changes so far. */
  | { readonly kind: 'question'; readonly id: string; readonly instance: string }
  | { readonly kind: 'answer'; readonly id: string; readonly instance: string };

/** Of a new token nobody needs to be told: nobody can have read it before. */
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

/** A text that no one here can read may be of a later version: everything is forgotten, so that nothing is missed. */
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
