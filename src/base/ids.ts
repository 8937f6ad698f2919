import { bytesToNumber, encodeBase62 } from '../domain/base62.js';
import type { Random } from '../ports/environment.js';

/** A unique id: 128 random bits in 22 characters. */
export function newId(random: Random): string {
  return encodeBase62(bytesToNumber(random(16)), 22);
}

/** The form of a token's id. Other texts are never passed to a store: not every store can take them. */
export const TOKEN_ID = /^[0-9A-Za-z_-]{1,64}$/;
