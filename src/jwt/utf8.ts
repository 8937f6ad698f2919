/** As bytes of this realm, which jose asks for: those of `TextEncoder` are another one's under a test runner with a page (jsdom). */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}
