import { z } from 'zod';
import { check } from '../base/check.js';
import type { ZoneOf } from './ask.js';
import { DEFAULT_REALM } from './http-answer.js';

/** What every HTTP guard takes. */
export interface HttpGuardOptions<Request> {
  /**
   * Where the caller stands: a function of the request, such as `internalNetworks(…)` of `postern/zones`, or a constant.
   * Default: every caller is external.
   */
  readonly zone?: ZoneOf<Request> | undefined;
  /** The realm of the challenge (RFC 9110 section 11.5). Default `'postern'`. */
  readonly realm?: string | undefined;
  /**
   * Address of the protected resource's metadata (RFC 9728): challenges name it as `resource_metadata`, so that a client finds
   * who issues tokens for this. `metadataUrl(resource)` of `postern/jwt` makes it. Default: none.
   */
  readonly resourceMetadata?: string | undefined;
  /** The header that holds the raw token, in place of `Authorization`. Both at once are malformed. */
  readonly header?: string | undefined;
}

/** The options, checked and completed. */
export interface HttpGuardSettings<Request> {
  readonly zone: ZoneOf<Request>;
  readonly realm: string;
  readonly resourceMetadata: string | null;
  /** In lower case; `null`: `Authorization`. */
  readonly header: string | null;
  readonly onDenied: unknown;
}

const fields = {
  zone: z
    .custom<ZoneOf<never>>(
      (value) => value === 'internal' || value === 'external' || typeof value === 'function',
      "give 'internal', 'external', or a function of the request",
    )
    .default('external'),
  realm: z
    .string()
    // What stands in a quoted string without escapes (RFC 9110 section 5.6.4).
    .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'give visible ASCII characters without quotes and backslashes')
    .default(DEFAULT_REALM),
  resourceMetadata: z
    .url('give the absolute address of the metadata')
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,2000}$/, 'give an address without quotes and backslashes')
    .nullable()
    .default(null),
  header: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'give the name of a header')
    .transform((name) => name.toLowerCase())
    .refine((name) => name !== 'authorization', 'is Authorization without it: leave it out')
    .nullable()
    .default(null),
  onDenied: z
    .custom<(...args: never[]) => unknown>((value) => typeof value === 'function', 'give a function')
    .optional(),
};

const schema = z.strictObject(fields);

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readGuardOptions<Request>(options: unknown, what: string): HttpGuardSettings<Request> {
  const given = check(schema, options ?? {}, what, 'option_invalid');
  return { ...given, zone: given.zone as ZoneOf<Request>, onDenied: given.onDenied };
}
