import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { type GuardOptions, headerName, optionsReader } from '../guard-options.js';
import type { OnDenied } from './grpc-status.js';
import type { GrpcRequest } from './request.js';

/** Options of the gRPC `guard`. */
export interface GrpcGuardOptions extends GuardOptions<GrpcRequest> {
  /**
   * Answers a denied call in the application's own form. It returns at once (a promise is not waited for), and it can't
   * turn a denial into an allow. Answer `endpoint_unknown` and `endpoint_private` alike: the second must not show.
   */
  readonly onDenied?: OnDenied | undefined;
  /**
   * How often the right to a call that is still open is looked at again, from a millisecond to 24 days. Default `'30s'`.
   */
  readonly recheckInterval?: Duration | undefined;
}

const DEFAULT_RECHECK_INTERVAL = 30_000;
/** Timers hold 31 bits of milliseconds: a longer one would fire at once. */
const LONGEST_INTERVAL = '24d';

export const readGrpcOptions = optionsReader('guard of postern/grpc', {
  header: headerName
    // The characters of a metadata key (gRPC over HTTP/2, "Custom-Metadata").
    .refine((name) => /^[a-z0-9_.-]+$/.test(name), 'give a metadata key')
    .refine((name) => !name.endsWith('-bin'), 'is a binary key, and a token is text: use a key that ends otherwise')
    .refine((name) => !name.startsWith('grpc-'), "is one of gRPC's own keys: use one that begins otherwise")
    .nullable()
    .default(null),
  recheckInterval: duration('30s', { least: '1ms', most: LONGEST_INTERVAL }).default(DEFAULT_RECHECK_INTERVAL),
});
