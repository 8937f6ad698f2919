import { PosternError } from '../domain/errors.js';
import type { TokenPosition } from '../ports/store.js';

/** The end of a page of tokens, as text. It is opaque to callers, and checked when they hand it back. */
export function encodeCursor({ createdAt, id }: TokenPosition): string {
  return `${createdAt.toString(36)}-${id}`;
}

/** @throws PosternError `input_invalid` */
export function decodeCursor(cursor: string): TokenPosition {
  const match = /^([0-9a-z]{1,11})-([0-9A-Za-z_-]{1,64})$/.exec(cursor);
  const createdAt = match?.[1] === undefined ? Number.NaN : Number.parseInt(match[1], 36);
  if (!match?.[2] || !Number.isSafeInteger(createdAt)) {
    throw new PosternError('input_invalid', 'give the nextCursor of the page before, unchanged', {
      path: 'cursor',
    });
  }
  return { createdAt, id: match[2] };
}
