import type { Context } from './context.js';

/** Facts about a request that are not in a `Request`. The adapters pass them as the second argument of the API. */
export interface Arrival {
  /** The socket's address. */
  readonly address?: string | null | undefined;
  /** The framework's own request, for `identify` and `clientAddress`. */
  readonly source?: unknown;
  /** Called for an unknown path: in Express the next handler may know it. */
  readonly onUnknownPath?: (() => void) | undefined;
}

const LONGEST = 200;
/** The prefix of an IPv4 address on an IPv6 socket (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * The caller's address by the application's `clientAddress`, or by the socket if that option is not given; `null` if it is unknown.
 * If the function throws, the error is reported and the address is unknown.
 */
export function addressOf(context: Context, request: Request, { source, address }: Arrival): string | null {
  const { clientAddress } = context.settings;
  // Runtimes pass their own second argument, so `address` may be anything.
  if (clientAddress === null) return typeof address === 'string' ? address.replace(MAPPED, '') : null;
  try {
    const named = clientAddress(request, source);
    const fits = typeof named === 'string' && named !== '' && named.length <= LONGEST && !/[\p{C}]/u.test(named);
    return fits ? named : null;
  } catch (error) {
    context.report(error, request);
    return null;
  }
}
