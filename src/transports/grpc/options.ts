import { z } from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import type { ZoneOf } from '../ask.js';
import type { OnDenied } from './grpc-status.js';
import type { GrpcRequest } from './request.js';

/** Options of the gRPC `guard`. */
export interface GrpcGuardOptions {
  /**
   * Where the caller stands: a function of the call, such as `internalNetworks(…)` of `postern/zones`, or a constant.
   * Default: every caller is external. A function that throws is a fault: the call is refused with `INTERNAL`.
   */
  readonly zone?: ZoneOf<GrpcRequest> | undefined;
  /** The metadata key that holds the raw token, in place of `authorization`. Both at once are malformed. */
  readonly header?: string | undefined;
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

export interface GrpcGuardSettings {
  readonly zone: ZoneOf<GrpcRequest>;
  /** In lower case; `null`: `authorization`. */
  readonly header: string | null;
  readonly onDenied: OnDenied | undefined;
  /** Milliseconds. */
  readonly recheckInterval: number;
}

const DEFAULT_RECHECK_INTERVAL = 30_000;
/** Timers hold 31 bits of milliseconds: a longer one would fire at once. */
const LONGEST_INTERVAL = '24d';

const schema = z.strictObject({
  zone: z
    .custom<ZoneOf<GrpcRequest>>(
      (value) => value === 'internal' || value === 'external' || typeof value === 'function',
      "give 'internal', 'external', or a function of the call",
    )
    .default('external'),
  header: z
    .string()
    // The characters of a metadata key (gRPC over HTTP/2, "Custom-Metadata").
    .regex(/^[A-Za-z0-9_.-]{1,100}$/, 'give a metadata key')
    .transform((name) => name.toLowerCase())
    .refine((name) => name !== 'authorization', 'is authorization without it: leave it out')
    .refine((name) => !name.endsWith('-bin'), 'is a binary key, and a token is text: use a key that ends otherwise')
    .refine((name) => !name.startsWith('grpc-'), "is one of gRPC's own keys: use one that begins otherwise")
    .nullable()
    .default(null),
  onDenied: z.custom<OnDenied>((value) => typeof value === 'function', 'give a function').optional(),
  recheckInterval: duration('30s', { least: '1ms', most: LONGEST_INTERVAL }).default(DEFAULT_RECHECK_INTERVAL),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readGrpcOptions(options: GrpcGuardOptions | undefined): GrpcGuardSettings {
  const { zone, header, onDenied, recheckInterval } = check(
    schema,
    options ?? {},
    'guard of postern/grpc',
    'option_invalid',
  );
  return { zone, header, onDenied, recheckInterval };
}
