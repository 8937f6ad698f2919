export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Character code → value, or -1 for a character outside the alphabet. Codes from 128 up are outside. */
export const BASE62_VALUE: Int8Array = (() => {
  const values = new Int8Array(128).fill(-1);
  for (let value = 0; value < BASE62.length; value++) values[BASE62.charCodeAt(value)] = value;
  return values;
})();

/** A number in base62, padded with zeros to a fixed width. The caller picks a width that holds it. */
export function encodeBase62(value: bigint, width: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < width; i++) {
    text = BASE62.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

/** Bytes read as one big-endian number. */
export function bytesToNumber(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}
