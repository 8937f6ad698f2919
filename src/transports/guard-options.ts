import * as z from 'zod';
import { check } from '../base/check.js';
import type { ZoneOf } from './ask.js';
import type { Places } from './credential.js';
import { DEFAULT_REALM } from './http-answer.js';

/** Options of every guard. */
export interface GuardOptions<Request> {
  /**
   * The caller's zone: a constant, or a function of the request such as `internalNetworks(…)` of `postern/zones`. Default:
   * every caller is external. If the function throws, that is a fault and the request is refused.
   */
  readonly zone?: ZoneOf<Request> | undefined;
  /**
   * The header (gRPC: metadata key) of the raw token, in place of `Authorization`. A list accepts any one of several places:
   * `['authorization', 'x-api-key']`. A request with credentials in two places is malformed.
   */
  readonly header?: string | readonly string[] | undefined;
  /**
   * An `Authorization` that holds no credential of this guard, beside a raw token: `'refuse'` (default) makes it malformed;
   * `'ignore'` leaves it to the platform that has it for itself.
   */
  readonly otherAuthorization?: 'refuse' | 'ignore' | undefined;
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

/** Accepts one header, or a list in which `authorization` may stand. */
export function headerOption(name: z.ZodType<string> = headerName) {
  const place = z.union([z.literal('authorization'), z.string().toLowerCase().pipe(z.literal('authorization')), name]);
  return z
    .union([name, z.array(place).min(1, 'name a place, or leave it out')], 'give the name of a header, or a list')
    .nullable()
    .default(null);
}

/** The places of the credential. */
export const credentialOptions = {
  header: headerOption(),
  otherAuthorization: z.enum(['refuse', 'ignore'], "use 'refuse' or 'ignore'").default('refuse'),
};

export function placesOf(header: string | readonly string[] | null, other: 'refuse' | 'ignore'): Places {
  const names = header === null ? ['authorization'] : typeof header === 'string' ? [header] : header;
  return {
    authorization: names.includes('authorization'),
    headers: [...new Set(names)].filter((name) => name !== 'authorization'),
    ignoresOther: other === 'ignore',
  };
}

export const functionOption = z.custom((value) => typeof value === 'function', 'give a function').optional();

const common = {
  zone: z
    .custom(
      (value) => value === 'internal' || value === 'external' || typeof value === 'function',
      "give 'internal', 'external', or a function of the request",
    )
    .default('external'),
  ...credentialOptions,
  onDenied: functionOption,
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
  return <Options extends Functions>(options: Options | undefined) => {
    const { header, otherAuthorization, ...rest } = check(schema, options ?? {}, what, 'option_invalid') as z.output<
      typeof schema
    > &
      Common;
    return { ...rest, header: placesOf(header, otherAuthorization) } as unknown as Omit<
      z.output<typeof schema>,
      keyof Functions | keyof typeof credentialOptions
    > & {
      readonly header: Places;
      readonly zone: NonNullable<Options['zone']>;
      readonly onDenied: Options['onDenied'];
    };
  };
}

interface Common {
  readonly header: string | readonly string[] | null;
  readonly otherAuthorization: 'refuse' | 'ignore';
}
