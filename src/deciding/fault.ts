import { type Denied, internalError, unavailable } from '../domain/decision.js';
import { isUnavailable } from '../domain/errors.js';
import type { Trace } from '../domain/trace.js';
import { IssuerFault } from './issuer-fault.js';

/** The denial of a call for which something failed. */
export function deniedFor(error: unknown, trace?: Trace): Denied {
  const cause = error instanceof IssuerFault ? 'issuer' : isUnavailable(error) ? 'store' : null;
  const detail =
    cause === null
      ? 'something failed: nothing is allowed'
      : `the ${cause} did not answer: nothing is known, so nothing is allowed`;
  trace?.note('known', false, detail);
  return cause === null ? internalError(error) : unavailable(cause, error);
}
