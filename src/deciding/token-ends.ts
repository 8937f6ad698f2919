/** A power of 2: 256 KiB. */
const SLOTS = 65_536;
/** The length of a token's checksum: its end. */
const WIDTH = 6;

/**
 * The ends of tokens that were found in the cache. If a text of their length ends as one of them, it is probably known, and its hash
 * is looked up before its form is checked: the check takes a tenth of a verification. An end decides nothing. One that led to no
 * token is forgotten until its token is found again, so that texts with a known end are refused as cheaply as others.
 */
export class TokenEnds {
  readonly #slots = new Uint32Array(SLOTS);
  readonly #length: number;

  /** @param length of a token, in characters */
  constructor(length: number) {
    this.#length = length;
  }

  has(text: string): boolean {
    if (text.length !== this.#length) return false;
    const end = endOf(text);
    return this.#slots[end & (SLOTS - 1)] === end;
  }

  add(text: string): void {
    const end = endOf(text);
    this.#slots[end & (SLOTS - 1)] = end;
  }

  forget(text: string): void {
    this.#slots[endOf(text) & (SLOTS - 1)] = 0;
  }
}

function endOf(text: string): number {
  let end = 0;
  for (let i = text.length - WIDTH; i < text.length; i++) end = (end << 5) ^ (end >>> 27) ^ text.charCodeAt(i);
  // Not 0, which an empty slot has.
  return end >>> 0 || 1;
}
