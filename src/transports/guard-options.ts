import { z } from 'zod';
import { check } from '../base/check.js';
import type { ZoneOf } from './ask.js';
import { DEFAULT_REALM } from './http-answer.js';

/** Options of every guard. */
export interface GuardOptions<Request> {
  /**
   * The caller's zone: a constant, or a function of the request such as `internalNetworks(…)` of `postern/zones`. Default:
   * every caller is external. If the function throws, that is a fault and the request is refused.
   */
  readonly zone?: ZoneOf<Request> | undefined;
  /** Header (gRPC: metadata key) of the raw token, in place of `Authorization`. A request with both is malformed. */
  readonly header?: string | undefined;
}

/** Options of every HTTP guard. */
export interface HttpGuardOptions<Request> extends GuardOptions<Request> {
  /** The realm of the challenge (RFC 9110 section 11.5). Default `'postern'`. */
  readonly realm?: string | undefined;
  /**
   * Address of the protected resource's metadata (RFC 9728). Challenges name it as `resource_metadata`, so that clients find
   * the token issuer. `metadataUrl(resource)` of `postern/jwt` makes it. Default: none.
   */
  readonly resourceMetadata?: string | undefined;
}

/** In lower case; the default is `Authorization`. */
export const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'give the name of a header')
  .transform((name) => name.toLowerCase())
  .refine((name) => name !== 'authorization', 'is the default already: leave it out');

/** Where the credential stands. */
export const credentialOptions = { header: headerName.nullable().default(null) };

const common = {
  zone: z
    .custom(
      (value) => value === 'internal' || value === 'external' || typeof value === 'function',
      "give 'internal', 'external', or a function of the request",
    )
    .default('external'),
  ...credentialOptions,
  onDenied: z.custom((value) => typeof value === 'function', 'give a function').optional(),
};

export const httpOptions = {
  realm: z
    .string()
    // The characters of a quoted string that need no escape (RFC 9110 section 5.6.4).
    .regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'give visible ASCII characters without quotes and backslashes')
    .default(DEFAULT_REALM),
  resourceMetadata: z
    .url('give the absolute address of the metadata')
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,2000}$/, 'give an address without quotes and backslashes')
    .nullable()
    .default(null),
};

/** Functions over a transport's own kind of request. The reader returns them with the type that was given. */
export interface Functions {
  readonly zone?: unknown;
  readonly onDenied?: unknown;
}

/**
 * Makes the reader of a guard's options: the common ones and its own.
 *
 * @param what the guard's name, for messages
 * @returns a function that throws a PosternError (`option_invalid`, `option_unknown`)
 */
export function optionsReader<Own extends z.ZodRawShape>(what: string, own: Own) {
  const schema = z.strictObject({ ...common, ...own });
  return <Options extends Functions>(options: Options | undefined) =>
    check(schema, options ?? {}, what, 'option_invalid') as Omit<z.output<typeof schema>, keyof Functions> & {
      readonly zone: NonNullable<Options['zone']>;
      readonly onDenied: Options['onDenied'];
    };
}
