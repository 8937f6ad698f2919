import { bytesToNumber } from '../../domain/base62.js';
import type { Random } from '../../ports/environment.js';

/** RFC 8628 section 6.1: no digits and no vowels, so no look-alikes and no words. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;

/** A code that a person reads in a terminal and types on the page: 34 bits in two groups, e.g. `BDFG-HJKM`. */
export function newUserCode(random: Random): string {
  let rest = bytesToNumber(random(16));
  let code = '';
  for (let i = 0; i < LENGTH; i++) {
    code += ALPHABET.charAt(Number(rest % 20n));
    rest /= 20n;
  }
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}

/** Reads a typed code. Case, and characters other than letters, don't matter. */
export function readUserCode(text: string): string {
  return text.toUpperCase().replace(/[^A-Z]/g, '');
}
