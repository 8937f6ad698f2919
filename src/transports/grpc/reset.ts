import { constants } from 'node:http2';
import { http2StreamOf } from './internals.js';

/** How long a client has to read the status that ends its call, in milliseconds. */
const GRACE = 2_000;

/**
 * Resets the HTTP/2 stream of a call that was ended, unless it is over by itself soon. A status waits behind the messages
 * that a client has not read, so one that stopped reading would keep the stream, and its buffers, for as long as it likes;
 * so would one that never closes its own side. Where grpc-js doesn't show the stream, it stays until the client leaves.
 */
export function resetUnlessOver(call: object): void {
  const stream = http2StreamOf(call);
  if (stream === null || stream.destroyed) return;
  const timer = setTimeout(() => {
    stream.close(constants.NGHTTP2_CANCEL);
    // Where the connection itself is blocked, the reset waits too: what is held for the stream must not.
    stream.destroy();
  }, GRACE);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}
