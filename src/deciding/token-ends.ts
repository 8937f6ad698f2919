/** A power of 2: 256 KiB. */
const SLOTS = 65_536;
/** The length of a token's checksum: its end. */
const WIDTH = 6;

/**
 * The ends of tokens that were found in the cache. If a text ends as one of them, it is probably known, and its hash is looked up
 * before its form is checked: the check takes a tenth of a verification. An end decides nothing.
 */
export class TokenEnds {
  readonly #slots = new Uint32Array(SLOTS);

  has(text: string): boolean {
    const end = endOf(text);
    return this.#slots[end & (SLOTS - 1)] === end;
  }

  add(text: string): void {
    const end = endOf(text);
    this.#slots[end & (SLOTS - 1)] = end;
  }
}

function endOf(text: string): number {
  let end = 0;
  for (let i = text.length - WIDTH; i < text.length; i++) end = (end << 5) ^ (end >>> 27) ^ text.charCodeAt(i);
  return end >>> 0;
}
