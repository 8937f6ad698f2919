import type { Invalidation } from '../../ports/store.js';

/** What comes on the channel that all listen to. Each has the number of the last change, its own included. */
export type FeedMessage = { readonly sequence: number } & (
  | { readonly kind: 'change'; readonly by: string; readonly change: string; readonly invalidation: Invalidation }
  | { readonly kind: 'ask'; readonly request: string; readonly to: string }
);

/** What comes on the channel of one process. */
export type OwnMessage =
  | { readonly kind: 'beat'; readonly beat: number; readonly sequence: number }
  | { readonly kind: 'acknowledged'; readonly request: string; readonly by: string };

/** `null` for what is none of ours. */
export function parseFeedMessage(text: string): FeedMessage | null {
  const space = text.indexOf(' ');
  const sequence = Number(text.slice(0, space));
  const body = parse(text.slice(space + 1));
  if (space < 1 || !Number.isSafeInteger(sequence) || body === null) return null;
  const { by, change, kind, id, organization, ask, to } = body;
  if (typeof ask === 'string' && typeof to === 'string') return { kind: 'ask', sequence, request: ask, to };
  if (typeof by !== 'string' || typeof change !== 'string') return null;
  if (kind === 'token' && typeof id === 'string') {
    return { kind: 'change', sequence, by, change, invalidation: { kind, id } };
  }
  if (kind === 'endpoints' && typeof organization === 'string') {
    return { kind: 'change', sequence, by, change, invalidation: { kind, organization } };
  }
  return null;
}

export function parseOwnMessage(text: string): OwnMessage | null {
  const { beat, sequence, acknowledged, by } = parse(text) ?? {};
  if (typeof beat === 'number' && typeof sequence === 'number') return { kind: 'beat', beat, sequence };
  if (typeof acknowledged === 'string' && typeof by === 'string') {
    return { kind: 'acknowledged', request: acknowledged, by };
  }
  return null;
}

export function acknowledgement(request: string, by: string): string {
  return JSON.stringify({ acknowledged: request, by });
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
