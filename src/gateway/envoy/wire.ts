/**
 * The part of the Protocol Buffers encoding that Envoy's messages need: varints and length-delimited fields. Fields of other
 * wire types are skipped.
 */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ASCII = /^[\0-\x7f]*$/;

/** A message inside a buffer: its length-delimited fields. */
export class Message {
  readonly #bytes: Buffer;
  /** Number, start and end of each field in turn. */
  readonly #fields: number[] = [];

  /** @throws RangeError if the bytes are no message */
  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    let at = start;
    function varint(): number {
      let value = 0;
      for (let shift = 1; at < end; shift *= 128) {
        const byte = bytes[at++] as number;
        value += (byte & 127) * shift;
        if (byte < 128) return value;
        if (shift >= 2 ** 63) break;
      }
      throw new RangeError('the message ends inside a number');
    }
    function skip(length: number): void {
      if (at + length > end) throw new RangeError('the message ends inside a field');
      at += length;
    }
    while (at < end) {
      const tag = varint();
      switch (tag % 8) {
        case VARINT:
          varint();
          break;
        case LENGTH_DELIMITED: {
          const length = varint();
          this.#fields.push(Math.floor(tag / 8), at, at + length);
          skip(length);
          break;
        }
        case FIXED64:
          skip(8);
          break;
        case FIXED32:
          skip(4);
          break;
        default:
          throw new RangeError('the message has a field of an unknown kind');
      }
    }
  }

  has(number: number): boolean {
    return this.#find(number) >= 0;
  }

  /** The last message in a field; empty if there is none. @throws RangeError */
  message(number: number): Message {
    const at = this.#find(number);
    return at < 0 ? EMPTY : new Message(this.#bytes, this.#fields[at + 1], this.#fields[at + 2]);
  }

  /** @throws RangeError */
  messages(number: number): Message[] {
    const found: Message[] = [];
    for (let i = 0; i < this.#fields.length; i += 3) {
      if (this.#fields[i] !== number) continue;
      found.push(new Message(this.#bytes, this.#fields[i + 1], this.#fields[i + 2]));
    }
    return found;
  }

  /** The last text in a field; `''` if there is none. @throws TypeError if it is no UTF-8 */
  text(number: number): string {
    const at = this.#find(number);
    if (at < 0) return '';
    const [start, end] = [this.#fields[at + 1], this.#fields[at + 2]];
    const text = this.#bytes.toString('latin1', start, end);
    return ASCII.test(text) ? text : utf8.decode(this.#bytes.subarray(start, end));
  }

  /** `map<string, string>`: entries with the key as field 1 and the value as field 2. @throws RangeError, TypeError */
  map(number: number): ReadonlyMap<string, string> {
    return new Map(this.messages(number).map((entry) => [entry.text(1), entry.text(2)]));
  }

  #find(number: number): number {
    for (let i = this.#fields.length - 3; i >= 0; i -= 3) if (this.#fields[i] === number) return i;
    return -1;
  }
}

const EMPTY = new Message(Buffer.alloc(0));

/** Bytes as a string, one character each: parts of a message are put together faster than as arrays. */
export type Bytes = string & { readonly bytes: unique symbol };

export function bytesOf(text: string): Bytes {
  return (ASCII.test(text) ? text : Buffer.from(text).toString('latin1')) as Bytes;
}

export function toBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes, 'latin1');
}

/** A field with text, or with a message. */
export function lengthDelimited(number: number, content: Bytes): Bytes {
  return `${varintOf(number * 8 + LENGTH_DELIMITED)}${varintOf(content.length)}${content}` as Bytes;
}

/** A field with a whole number, or with a truth value. */
export function varintField(number: number, value: number): Bytes {
  return `${varintOf(number * 8 + VARINT)}${varintOf(value)}` as Bytes;
}

export function joined(parts: readonly Bytes[]): Bytes {
  return parts.join('') as Bytes;
}

function varintOf(value: number): string {
  let text = '';
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) text += String.fromCharCode((rest % 128) + 128);
  return text + String.fromCharCode(rest);
}
