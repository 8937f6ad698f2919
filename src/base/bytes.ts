import * as z from 'zod';

/** Of whatever realm: a test runner with a page (jsdom) has a `Uint8Array` that Node's own bytes are none of. */
export function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]';
}

export const bytes = z.custom<Uint8Array>(isBytes, 'give bytes');
