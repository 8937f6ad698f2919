import { constants } from 'node:http2';
import { http2StreamOf } from './internals.js';

/** Milliseconds that a client has to read the status that ends its call. */
const GRACE = 2_000;

/**
 * Resets the HTTP/2 stream of an ended call unless it closes by itself soon. A status waits behind unread messages, so a client
 * that stops reading, or never closes its side, would keep the stream and its buffers as long as it likes. If grpc-js hides
 * the stream, it stays until the client leaves.
 */
export function resetUnlessOver(call: object): void {
  const stream = http2StreamOf(call);
  if (stream === null || stream.destroyed) return;
  const timer = setTimeout(() => {
    stream.close(constants.NGHTTP2_CANCEL);
    // On a blocked connection the reset waits too. The stream's buffers must not.
    stream.destroy();
  }, GRACE);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}
