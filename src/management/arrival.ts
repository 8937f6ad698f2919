import type { Context } from './context.js';

/** What a server knows of a request and a `Request` does not say. The adapters give it as the second argument of the API. */
export interface Arrival {
  /** The socket's address. */
  readonly address?: string | null | undefined;
  /** The framework's own request, for `identify` and `clientAddress`. */
  readonly source?: unknown;
  /** Called where the path is none of the API's: in Express the next handler may know it. */
  readonly onUnknownPath?: (() => void) | undefined;
}

const LONGEST = 200;
/** IPv4 as an IPv6 socket shows it (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * From where a request came, as the application says, else as the socket does; `null` where neither knows. What the
 * application's function throws is reported, and the address is not known.
 */
export function addressOf(context: Context, request: Request, { source, address }: Arrival): string | null {
  const { clientAddress } = context.settings;
  // Runtimes give a second argument of their own to what serves their requests.
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
