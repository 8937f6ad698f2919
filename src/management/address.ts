import type { Context } from './context.js';
import { nativeOf } from './native.js';

const LONGEST = 200;
/** IPv4 as an IPv6 socket shows it (RFC 4291 section 2.5.5.2). */
const MAPPED = /^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i;

/**
 * From where a request came, as the application says, else as the socket does; `null` where neither knows. What the
 * application's function throws is reported, and the address is not known.
 */
export function addressOf(context: Context, request: Request): string | null {
  const { clientAddress } = context.settings;
  const { source, address } = nativeOf(request);
  if (clientAddress === null) return address === null ? null : address.replace(MAPPED, '');
  try {
    const named = clientAddress(request, source);
    const fits = typeof named === 'string' && named !== '' && named.length <= LONGEST && !/[\p{C}]/u.test(named);
    return fits ? named : null;
  } catch (error) {
    context.report(error, request);
    return null;
  }
}
