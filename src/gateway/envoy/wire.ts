/**
 * The part of the Protocol Buffers encoding that Envoy's messages need: varints and length-delimited fields. Fields of other
 * wire types are skipped.
 */

/** A field of a message: its number, and its bytes or its number. */
export type Field = readonly [number: number, value: Uint8Array | number];

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

/**
 * The fields of a message, in order.
 *
 * @throws RangeError if the bytes are no message
 */
export function* fieldsOf(bytes: Uint8Array): Iterable<Field> {
  let at = 0;
  function varint(): number {
    let value = 0;
    for (let shift = 1; at < bytes.length; shift *= 128) {
      const byte = bytes[at++] as number;
      value += (byte & 127) * shift;
      if (byte < 128) return value;
      if (shift >= 2 ** 63) break;
    }
    throw new RangeError('the message ends inside a number');
  }
  function take(length: number): Uint8Array {
    if (at + length > bytes.length) throw new RangeError('the message ends inside a field');
    at += length;
    return bytes.subarray(at - length, at);
  }
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield [number, varint()];
        break;
      case LENGTH_DELIMITED:
        yield [number, take(varint())];
        break;
      case FIXED64:
        take(8);
        break;
      case FIXED32:
        take(4);
        break;
      default:
        throw new RangeError('the message has a field of an unknown kind');
    }
  }
}

/** The last value of a field that holds a message; empty if there is none. */
export function messageAt(bytes: Uint8Array, number: number): Uint8Array {
  return messagesAt(bytes, number).at(-1) ?? new Uint8Array();
}

export function messagesAt(bytes: Uint8Array, number: number): Uint8Array[] {
  return [...fieldsOf(bytes)].flatMap(([each, value]) => (each === number && typeof value === 'object' ? [value] : []));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** @throws TypeError if the field is no UTF-8 */
export function textAt(bytes: Uint8Array, number: number): string {
  return utf8.decode(messageAt(bytes, number));
}

/** `map<string, string>`: entries with the key as field 1 and the value as field 2. */
export function mapAt(bytes: Uint8Array, number: number): ReadonlyMap<string, string> {
  return new Map(messagesAt(bytes, number).map((entry) => [textAt(entry, 1), textAt(entry, 2)]));
}

/** A field with text, or with the bytes of a message. */
export function lengthDelimited(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content;
  return joined([tagged(number, LENGTH_DELIMITED), varintOf(bytes.length), bytes]);
}

/** A field with a whole number, or with a truth value. */
export function varintField(number: number, value: number): Uint8Array {
  return joined([tagged(number, VARINT), varintOf(value)]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function tagged(number: number, wireType: number): Uint8Array {
  return varintOf(number * 8 + wireType);
}

function varintOf(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
