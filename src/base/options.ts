import * as z from 'zod';
import type { Duration } from '../domain/duration.js';
import { isOrganizationName } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { PREFIX_PATTERN, prefixProblem } from '../domain/token-format.js';
import { bentocloudTokenTypes, type Catalog, compileCatalog, type TokenTypes } from '../domain/token-types.js';
import type { AttachableAuthenticator, Authenticator } from '../ports/authenticator.js';
import type { Clock, Random } from '../ports/environment.js';
import type { RateLimiter } from '../ports/rate-limiter.js';
import type { Store } from '../ports/store.js';
import { bytes } from './bytes.js';
import { check, ownCopy, unpolluted } from './check.js';
import type { PepperKey } from './digest.js';
import { duration } from './duration-input.js';
import type { EventListener } from './events.js';
import { missingMethods } from './guarded-store.js';
import { webRandom } from './runtime.js';

/** Options of `createPostern`. Unknown options are refused. */
export interface PosternOptions<T extends TokenTypes = TokenTypes> {
  /** The store for tokens and endpoints: `memoryStore()`, `sqliteStore(…)`, or one of your own. */
  readonly store: Store;
  /** The organization that is used if a call names none. Default `'default'`. */
  readonly organization?: string | undefined;
  /** The beginning of every token: `<prefix>_…`. Default `'pst'`. */
  readonly tokenPrefix?: string | undefined;
  /** The kinds of token, with their scopes. Default {@link bentocloudTokenTypes}. */
  readonly tokenTypes?: T | undefined;
  /**
   * Key of an HMAC over the stored digests. With it, an attacker who can write to the store still can't make a token. A list
   * rotates the key: the first is used for new tokens, all are used to verify. Default: none.
   */
  readonly pepper?: Uint8Array | string | readonly Pepper[] | undefined;
  /** Default: on, 30 seconds, 200,000 tokens. `false`: each verification reads the store. */
  readonly cache?: CacheOptions | false | undefined;
  /** The forms of tokens that were issued elsewhere and added with `tokens.import`. Default: none. */
  readonly importedTokens?: readonly ImportedTokenForm[] | undefined;
  /**
   * Further signed tokens to accept, besides API tokens and tokens derived from them: `accessTokens(…)`, `trustedIssuer(…)` of
   * `postern/jwt`, or an {@link Authenticator} of your own. The first that accepts a token's form verifies it. Default: none.
   */
  readonly authenticators?: readonly (Authenticator | AttachableAuthenticator)[] | undefined;
  /** Counts the calls of tokens with a `rateLimit` or a `quota`. Default: none, and no token may have limits. */
  readonly rateLimiter?: RateLimiter | undefined;
  /** The decision if the limiter can't answer. Default `'deny'`: refused (`unavailable`). `'allow'`: the call is not limited. */
  readonly onLimiterFault?: 'deny' | 'allow' | undefined;
  /** Retention of the audit log. Default: kept for ever, so it grows. */
  readonly audit?: AuditOptions | undefined;
  /**
   * Called with each change, each fault, and a sample of the decisions. Its errors are ignored. Default: faults are written
   * to `console.error`, at most one a second.
   */
  readonly onEvent?: EventListener | undefined;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: Clock | undefined;
  /** Unpredictable bytes. Default: the Web Crypto API's. */
  readonly random?: Random | undefined;
}

/** An HMAC-SHA-256 key over the digests of tokens. */
export interface Pepper {
  /** A name for the key, stored beside each digest. */
  readonly id: string;
  /**
   * At least 16 random bytes, or an ASCII text of at least 16 characters. `null` means "no pepper": listed last, it keeps tokens
   * valid that were made before the first pepper.
   */
  readonly key: Uint8Array | string | null;
}

/** How long rows from the store are served from memory. */
export interface CacheOptions {
  /** The longest time that a row is served. Default `'30s'`. */
  readonly ttl?: Duration | undefined;
  /**
   * Extra time after `ttl` while the store is down. Default 0: calls are then refused (`unavailable`). Revocations that were
   * seen before still hold. A revocation that another process makes during the outage is not seen.
   */
  readonly staleIfUnavailable?: Duration | undefined;
  /** The most tokens in the cache. The most recently used half is always kept. Default 200,000. */
  readonly maxTokens?: number | undefined;
}

/** Retention of the audit log. */
export interface AuditOptions {
  /**
   * How long changes are kept, at least a day. Older changes are removed for good within hours, in the background. Processes
   * that share a store should use the same value. Default: for ever.
   */
  readonly keep?: Duration | undefined;
}

/** A form of imported tokens, so that the form check accepts them. */
export interface ImportedTokenForm {
  /** Must be anchored with `^` and `$`. */
  readonly pattern: RegExp;
  /** The part of the match whose SHA-256 was imported. Default: the whole token. */
  readonly secret?: ((match: RegExpExecArray) => string | undefined) | undefined;
}

interface CompiledTokenForm {
  readonly pattern: RegExp;
  readonly secret: (match: RegExpExecArray) => string | undefined;
}

/** The options, checked, completed and copied. */
export interface Settings {
  readonly store: Store;
  readonly organization: string;
  readonly tokenPrefix: string;
  readonly catalog: Catalog;
  readonly peppers: readonly PepperKey[];
  readonly cache: CacheLimits;
  readonly importedTokens: readonly CompiledTokenForm[];
  readonly authenticators: readonly (Authenticator | AttachableAuthenticator)[];
  readonly rateLimiter: RateLimiter | null;
  readonly onLimiterFault: 'deny' | 'allow';
  /** Milliseconds; `null`: for ever. */
  readonly keepAudit: number | null;
  readonly onEvent: EventListener | null;
  readonly clock: Clock;
  readonly random: Random;
}

export interface CacheLimits {
  /** Milliseconds. Nothing older than this is served as valid. */
  readonly ttl: number;
  /** Milliseconds beyond `ttl` in which rows may still be served while the store is down. */
  readonly staleIfUnavailable: number;
  readonly maxTokens: number;
}

const NO_CACHE: CacheLimits = { ttl: 0, staleIfUnavailable: 0, maxTokens: 0 };
const DEFAULT_TTL = 30_000;
const DEFAULT_MAX_TOKENS = 200_000;
const PEPPER_BYTES = 16;

const aFunction = (value: unknown) => typeof value === 'function';

function isAuthenticator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const has = (name: string) => aFunction(unpolluted(value as Record<string, unknown>, name));
  return has('attach') || (has('accepts') && has('authenticate'));
}

/** An object inside the options. Only its own properties count. */
const nested = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess(ownCopy, z.strictObject(shape));

const schema = z.strictObject({
  store: z.custom<Store>((value) => typeof value === 'object' && value !== null, 'give a store, such as memoryStore()'),
  organization: z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters').default('default'),
  tokenPrefix: z
    .custom<string>((value) => typeof value === 'string' && PREFIX_PATTERN.test(value), {
      error: ({ input }) => prefixProblem(input),
    })
    .default('pst'),
  tokenTypes: z
    .custom<TokenTypes>((value) => typeof value === 'object' && value !== null, 'give an object of types')
    .optional(),
  pepper: z
    .union(
      [
        z.string(),
        bytes,
        z.array(
          nested({
            id: z.string().regex(/^[\x21-\x7e]{1,64}$/, 'give 1 to 64 visible ASCII characters'),
            key: z.union([bytes, z.string(), z.null()], 'give bytes, or a text'),
          }),
        ),
      ],
      'give a key of bytes or text, or a list of { id, key }',
    )
    .default([]),
  cache: z
    .union(
      [
        z.literal(false),
        nested({
          ttl: duration('30s').optional(),
          staleIfUnavailable: duration('5m').optional(),
          maxTokens: z.int().min(1).max(10_000_000).optional(),
        }),
      ],
      'give { ttl, staleIfUnavailable, maxTokens }, or false',
    )
    .default({}),
  importedTokens: z
    .array(
      nested({
        pattern: z.instanceof(RegExp, { error: 'give a regular expression' }),
        secret: z.custom<ImportedTokenForm['secret']>(aFunction, 'give a function of the match').optional(),
      }),
      'give a list of { pattern, secret }',
    )
    .default([]),
  authenticators: z
    .array(
      z.custom<Authenticator | AttachableAuthenticator>(
        isAuthenticator,
        'give an authenticator, { accepts, authenticate }, or one of postern/jwt, such as accessTokens(…)',
      ),
      'give a list of authenticators',
    )
    .default([]),
  rateLimiter: z
    .custom<RateLimiter>(
      (value) => aFunction((value as RateLimiter | null)?.consume),
      'give a rate limiter, such as memoryRateLimiter()',
    )
    .optional(),
  onLimiterFault: z.enum(['deny', 'allow'], "use 'deny' or 'allow'").default('deny'),
  audit: nested({ keep: duration('400d', { least: '1d' }).optional() }).default({}),
  onEvent: z.custom<EventListener>(aFunction, 'give a function').optional(),
  clock: z.custom<Clock>(aFunction, 'give a function that returns epoch milliseconds').optional(),
  random: z.custom<Random>(aFunction, 'give a function of a length that returns bytes').optional(),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readOptions(options: unknown): Settings {
  if (typeof options !== 'object' || options === null) {
    throw new PosternError('option_invalid', 'give its options: createPostern({ store: memoryStore() })', {
      input: 'createPostern',
    });
  }
  const given = check(schema, options, 'createPostern', 'option_invalid');
  const missing = missingMethods(given.store);
  if (missing.length > 0) throw invalid('store', `is not a store: it lacks ${missing.join(', ')}`);
  const random = given.random ?? webRandom();
  if (random === null) throw invalid('random', 'is needed here: this runtime has no crypto.getRandomValues');
  return {
    store: given.store,
    organization: given.organization,
    tokenPrefix: given.tokenPrefix,
    catalog: compileCatalog(given.tokenTypes ?? bentocloudTokenTypes),
    peppers: readPeppers(given.pepper),
    cache: readCache(ownCopy(given.cache)),
    importedTokens: given.importedTokens.map((form, index) => readImportedForm(ownCopy(form), index)),
    authenticators: [...given.authenticators],
    rateLimiter: given.rateLimiter ?? null,
    onLimiterFault: given.onLimiterFault,
    keepAudit: ownCopy(given.audit).keep ?? null,
    onEvent: given.onEvent ?? null,
    clock: given.clock ?? Date.now,
    random,
  };
}

function readCache(cache: z.output<typeof schema>['cache']): CacheLimits {
  if (cache === false) return NO_CACHE;
  return {
    ttl: cache.ttl ?? DEFAULT_TTL,
    staleIfUnavailable: cache.staleIfUnavailable ?? 0,
    maxTokens: cache.maxTokens ?? DEFAULT_MAX_TOKENS,
  };
}

function readPeppers(pepper: Uint8Array | string | readonly Pepper[]): readonly PepperKey[] {
  const peppers = Array.isArray(pepper)
    ? (pepper as readonly Pepper[])
    : [{ id: 'pepper', key: pepper as Uint8Array | string }];
  const ids = new Set<string>();
  return peppers.map(({ id, key }, index) => {
    if (ids.has(id)) throw invalid(`pepper.${index}.id`, `is ${id} twice: name each key differently`);
    ids.add(id);
    if (key === null) {
      if (index === 0)
        throw invalid('pepper.0.key', 'is null, but the first key is used for new tokens: put a key before it');
      return { id, key };
    }
    const bytes = typeof key === 'string' ? asciiBytes(key) : new Uint8Array(key);
    if (bytes === null || bytes.length < PEPPER_BYTES) {
      throw invalid(
        `pepper.${index}.key`,
        `must be at least ${PEPPER_BYTES} bytes, or an ASCII text of at least ${PEPPER_BYTES} characters`,
      );
    }
    return { id, key: bytes };
  });
}

/** The bytes of an ASCII text. Other text gives `null`, because its bytes would depend on an encoding. */
function asciiBytes(text: string): Uint8Array | null {
  return /^[\x20-\x7e]*$/.test(text) ? Uint8Array.from(text, (character) => character.charCodeAt(0)) : null;
}

function readImportedForm({ pattern, secret }: ImportedTokenForm, index: number): CompiledTokenForm {
  const { source, flags } = pattern;
  if (!source.startsWith('^') || !source.endsWith('$')) {
    throw invalid(`importedTokens.${index}.pattern`, 'must be anchored: begin it with ^ and end it with $');
  }
  if (flags.includes('m'))
    throw invalid(`importedTokens.${index}.pattern`, 'must not have the flag m: ^ and $ would match inside');
  // Without the flags g and y: they remember a position, so a token would be accepted on every other call only.
  return { pattern: new RegExp(source, flags.replace(/[gy]/g, '')), secret: secret ?? ((match) => match[0]) };
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'createPostern' });
}
