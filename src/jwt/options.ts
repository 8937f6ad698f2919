import * as z from 'zod';
import { bytes, isBytes } from '../base/bytes.js';
import { check, ownCopy } from '../base/check.js';
import { duration } from '../base/duration-input.js';
import type { Duration } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import {
  type GivenKeys,
  type PrivateJwk,
  type PublishedJwk,
  readKeys,
  SIGNING_ALGORITHMS,
  type SigningAlgorithm,
} from './keys.js';
import { utf8 } from './utf8.js';

/** Options of `accessTokens`. */
export interface AccessTokensOptions {
  /** The `iss` of the tokens: an address that is yours. */
  readonly issuer: string;
  /** The `aud` of the tokens: the address of the API. */
  readonly audience: string;
  /**
   * Private JWKs (`await generateKeys()`): the first one signs, all verify. The others may be public keys. Left out: keys are
   * made, kept in the store, encrypted under `encryptionKey`, and rotated.
   */
  readonly keys?:
    | readonly (PrivateJwk | PublishedJwk | object)[]
    | { readonly keys: readonly (PrivateJwk | PublishedJwk | object)[] }
    | undefined;
  /**
   * Encrypts the keys in the store: at least 32 random bytes, or a random text of at least 32 characters. To rotate it, give a
   * list: the first one encrypts, all decrypt. Required without `keys`.
   */
  readonly encryptionKey?: Uint8Array | string | readonly (Uint8Array | string)[] | undefined;
  /** The algorithm of keys in the store. Default `'EdDSA'`. A change takes effect with the next rotation. */
  readonly algorithm?: SigningAlgorithm | undefined;
  /** The default life of a token. Default `'10m'`, or `maxExpiresIn` if that is less. */
  readonly expiresIn?: Duration | undefined;
  /** The longest life of a token. Default `'1h'`. */
  readonly maxExpiresIn?: Duration | undefined;
  /** A key in the store signs for this long. Default `'30d'`. */
  readonly rotateEvery?: Duration | undefined;
  /** A key in the store is published this long before it signs: longer than any verifier caches a JWKS. Default `'1d'`. */
  readonly overlap?: Duration | undefined;
  /** Tokens that are bound to a key of their holder (RFC 9449). */
  readonly dpop?: DpopOptions | undefined;
}

/** Options for proofs of possession (RFC 9449 section 4.3). */
export interface DpopOptions {
  /** The origins that a proof may name in `htu`, such as `https://api.acme.dev`. Default: the origin of `audience`. */
  readonly origins?: readonly string[] | undefined;
}

/** The options, checked, completed and copied. Times are milliseconds. */
export interface AccessTokenSettings {
  readonly issuer: string;
  readonly audience: string;
  /** `null`: the store keeps them. */
  readonly keys: GivenKeys | null;
  readonly secrets: readonly Uint8Array[];
  readonly algorithm: SigningAlgorithm;
  readonly life: number;
  readonly maxLife: number;
  readonly rotateEvery: number;
  readonly overlap: number;
  readonly origins: readonly string[];
}

const DEFAULT_LIFE = 600_000;
const LEAST_LIFE = 1_000;
const LEAST_OVERLAP = 60_000;
const SECRET_LENGTH = 32;

export const nonEmpty = (what: string) => z.string(`name ${what}`).min(1, `name ${what}`).max(2_000, `name ${what}`);
const secret = z.union([bytes, z.string()], 'give bytes, or a text');

export const dpopSchema = z
  .preprocess(
    ownCopy,
    z.strictObject({
      origins: z
        .array(z.custom<string>(isOrigin, "give origins such as 'https://api.acme.dev': no path, no slash at the end"))
        .min(1)
        .optional(),
    }),
  )
  .optional();

const schema = z.strictObject({
  issuer: nonEmpty('the issuer: an address that is yours'),
  audience: nonEmpty('the audience: the address of the API that the tokens are for'),
  keys: z
    .custom<NonNullable<AccessTokensOptions['keys']>>(
      (value) => typeof value === 'object' && value !== null,
      'give a list of private JWKs, such as generateKeys() makes',
    )
    .optional(),
  encryptionKey: z.union([secret, z.array(secret).min(1)], 'give 32 bytes, or a text').optional(),
  algorithm: z.enum(SIGNING_ALGORITHMS, "use 'EdDSA' or 'ES256'").optional(),
  expiresIn: duration('1h').optional(),
  maxExpiresIn: duration('1h').default(3_600_000),
  rotateEvery: duration('30d').optional(),
  overlap: duration('1d').optional(),
  dpop: dpopSchema,
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readAccessTokensOptions(options: unknown): AccessTokenSettings {
  const given = check(schema, options, 'accessTokens', 'option_invalid');
  const keys = given.keys === undefined ? null : readKeys(given.keys);
  const maxLife = given.maxExpiresIn;
  const life = given.expiresIn ?? Math.min(DEFAULT_LIFE, maxLife);
  if (life < LEAST_LIFE) throw invalid('expiresIn', 'is less than a second');
  if (maxLife < life) throw invalid('expiresIn', 'is longer than maxExpiresIn');
  if (keys === null && given.encryptionKey === undefined) {
    throw invalid(
      'encryptionKey',
      'is required to keep keys in the store: give 32 random bytes, or give keys of your own',
    );
  }
  if (keys !== null) {
    // An option without effect would seem to protect or rotate something.
    const idle = (['encryptionKey', 'rotateEvery', 'overlap'] as const).find((name) => given[name] !== undefined);
    if (idle !== undefined) throw invalid(idle, 'is for keys in the store: leave it out, or leave keys out');
    if (given.algorithm !== undefined && given.algorithm !== keys.signing.alg) {
      throw invalid('algorithm', `is ${given.algorithm}, but the first of keys is for ${keys.signing.alg}`);
    }
  }
  const rotateEvery = given.rotateEvery ?? 30 * 86_400_000;
  const overlap = given.overlap ?? 86_400_000;
  if (overlap < LEAST_OVERLAP)
    throw invalid('overlap', 'is less than a minute: verifiers would not see a key before it signs');
  if (overlap >= rotateEvery) throw invalid('overlap', 'is not shorter than rotateEvery');
  if (keys === null && rotateEvery < maxLife) throw invalid('rotateEvery', 'is shorter than maxExpiresIn');
  return {
    issuer: given.issuer,
    audience: given.audience,
    keys,
    secrets: given.encryptionKey === undefined ? [] : readSecrets(given.encryptionKey),
    algorithm: given.algorithm ?? keys?.signing.alg ?? 'EdDSA',
    life,
    maxLife,
    rotateEvery,
    overlap,
    origins: originsOf(ownCopy(given.dpop)?.origins, [given.audience]),
  };
}

/** The given origins, or else the origins of those audiences that are addresses. */
export function originsOf(given: readonly string[] | undefined, audiences: readonly string[]): readonly string[] {
  if (given !== undefined) return [...given];
  const origins = audiences.filter((each) => URL.canParse(each)).map((each) => new URL(each).origin);
  return [...new Set(origins.filter(isOrigin))];
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
}

function readSecrets(given: NonNullable<AccessTokensOptions['encryptionKey']>): readonly Uint8Array[] {
  const list = typeof given === 'string' || isBytes(given) ? [given] : given;
  return list.map((each) => {
    if (each.length < SECRET_LENGTH) {
      throw invalid(
        'encryptionKey',
        `must be at least ${SECRET_LENGTH} random bytes, or a random text of as many characters`,
      );
    }
    return typeof each === 'string' ? utf8(each) : new Uint8Array(each);
  });
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'accessTokens' });
}
