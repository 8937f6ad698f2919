import type { Invalidation } from '../../ports/store.js';

/** What processes tell each other by NOTIFY. A payload holds ids only. */
export type Message =
  /** A change, by its id, and what is to be forgotten for it. */
  | { readonly kind: 'change'; readonly change: string; readonly invalidation: Invalidation }
  /** Proof that the way here works: whoever sent it waits for it. */
  | { readonly kind: 'ping'; readonly id: string }
  /** Who listens is asked to answer. */
  | { readonly kind: 'question'; readonly id: string }
  | { readonly kind: 'answer'; readonly id: string; readonly instance: string };

/** PostgreSQL takes less than 8,000 bytes. */
const MAX_BYTES = 7_900;

export function encodeChange(change: string, invalidation: Invalidation): string {
  const text =
    invalidation.kind === 'token'
      ? JSON.stringify(['t', change, invalidation.id])
      : invalidation.kind === 'endpoints'
        ? JSON.stringify(['e', change, invalidation.organization])
        : JSON.stringify(['a', change]);
  return Buffer.byteLength(text) <= MAX_BYTES ? text : JSON.stringify(['a', change]);
}

export const encodePing = (id: string): string => JSON.stringify(['p', id]);
export const encodeQuestion = (id: string): string => JSON.stringify(['q', id]);
export const encodeAnswer = (id: string, instance: string): string => JSON.stringify(['r', id, instance]);

/** What no one here can read may be of a later version: then everything is to be forgotten, so that nothing is missed. */
export function decode(payload: string | undefined): Message {
  const [kind, id, value] = parse(payload);
  if (typeof id === 'string') {
    if (kind === 'p') return { kind: 'ping', id };
    if (kind === 'q') return { kind: 'question', id };
    if (kind === 'r' && typeof value === 'string') return { kind: 'answer', id, instance: value };
    if (kind === 't' && typeof value === 'string') {
      return { kind: 'change', change: id, invalidation: { kind: 'token', id: value } };
    }
    if (kind === 'e' && typeof value === 'string') {
      return { kind: 'change', change: id, invalidation: { kind: 'endpoints', organization: value } };
    }
  }
  return { kind: 'change', change: typeof id === 'string' ? id : '', invalidation: { kind: 'everything' } };
}

function parse(payload: string | undefined): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(payload ?? '');
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
