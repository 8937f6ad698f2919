import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { duration } from '../base/duration-input.js';
import type { Duration } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import type {
  AttachableAuthenticator,
  Authenticator,
  AuthenticatorHost,
  Refusal,
  Vouched,
} from '../ports/authenticator.js';
import { ALGORITHMS, isAlgorithm, type SignatureAlgorithm } from './algorithms.js';
import { bindingOf } from './binding.js';
import { mediaType, readCompact } from './compact.js';
import { discoveryUrl } from './discovery.js';
import { trustedUrl } from './fetch-json.js';
import { type IssuerLookup, type Issuers, type KeySource, type KeysOf, LookedUpIssuers, oneIssuer } from './issuers.js';
import { isKeySet, localKeys } from './local-keys.js';
import { readMapped, subjectId, type TrustedPrincipal } from './mapped-principal.js';
import { type DpopOptions, dpopSchema, originsOf } from './options.js';
import {
  type KeyServerOptions,
  type KeyServerSettings,
  keyServerFields,
  keyServerSettings,
  remoteKeys,
} from './remote-keys.js';
import { isAccessToken } from './token-kind.js';
import {
  checkTimes,
  expiryOf,
  isForAudience,
  type RegisteredClaims,
  type VerificationKeys,
  verifySignature,
} from './verify.js';

/** The claims of a token whose signature was verified. Only the registered claims are checked. */
export type TrustedClaims = RegisteredClaims & Readonly<Record<string, unknown>>;

/** Options of `trustedIssuer`. */
export interface TrustedIssuerOptions extends KeyServerOptions {
  /**
   * The `iss` of the tokens, compared exactly. Without `jwks` it is also the address of the issuer's metadata. With an issuer
   * for each tenant: a function that decides by the unverified `iss`. Its answer is kept for `maxAge`, for at most 1,000
   * issuers. Put such an authenticator last, because it takes every token for the audience.
   */
  readonly issuer: string | IssuerLookup;
  /** The audience of the tokens: the claim `audienceClaim` must name one of these. */
  readonly audience: string | readonly string[];
  /**
   * The claim that names the audience. Default `'aud'`. Access tokens of Amazon Cognito have none: use `'client_id'`. A token
   * that has `aud` beside it must name one of the audiences there too (RFC 7519 section 4.1.3).
   */
  readonly audienceClaim?: string | undefined;
  /**
   * The issuer's keys: their address, or a JSON Web Key Set that never changes. Default: the address in the issuer's metadata
   * (`/.well-known/openid-configuration`).
   */
  readonly jwks?: KeySource | undefined;
  /** The accepted signature algorithms. Default: RS256, PS256, ES256, ES384, EdDSA and Ed25519. */
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined;
  /** The accepted `typ`s. `'JWT'` accepts tokens without a `typ` too. Default: `at+jwt` (RFC 9068) and `JWT`. */
  readonly tokenType?: string | readonly string[] | undefined;
  /** How far the issuer's clock may be off, for `iat`, `nbf` and `exp`. Default `'5s'`, at most `'5m'`. */
  readonly clockTolerance?: Duration | undefined;
  /** Tokens that are bound to a key of their holder (`cnf.jkt`, RFC 9449). */
  readonly dpop?: DpopOptions | undefined;
  /**
   * Maps verified claims to a principal and its rights. `null` refuses the token (`token_unknown`). The result is checked: an
   * unknown type or scope is a fault, never an allow. It is called once in `maxAge` for each token, so changes in the data that
   * it looks up take effect within `maxAge`.
   */
  readonly principal: (claims: TrustedClaims) => TrustedPrincipal | null | Promise<TrustedPrincipal | null>;
}

const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const text = (message: string) => z.string(message).min(1, message).max(1_000, message);
const oneOrMore = (each: z.ZodType<string>, message: string) =>
  z.union([each.transform((value) => [value]), z.array(each).min(1, message)], message);

const MAX_TOLERANCE: Duration = '5m';

const keySource = z.custom<KeySource>(
  (value) => typeof value === 'string' || value instanceof URL || isKeySet(value),
  'give the address of the keys, or { keys: […] }',
);

const lookedUp = z.union(
  [z.boolean(), z.null(), z.strictObject({ jwks: keySource })],
  'return true, false or { jwks }',
);

const schema = z.strictObject({
  ...keyServerFields,
  issuer: z.union(
    [text("name the issuer: the 'iss' of its tokens"), z.custom<IssuerLookup>((value) => typeof value === 'function')],
    "name the issuer: the 'iss' of its tokens, or give a function that decides by it",
  ),
  audience: oneOrMore(text('name an audience'), "name the audience: the 'aud' of tokens that are for you"),
  audienceClaim: text("name a claim, such as 'client_id'").default('aud'),
  jwks: keySource.optional(),
  algorithms: z
    .array(
      z.custom<SignatureAlgorithm>(isAlgorithm, `use asymmetric algorithms: ${ALGORITHMS.join(', ')}`),
      'give a list of algorithms',
    )
    .min(1, 'name at least one algorithm, or leave it out')
    .default([...DEFAULT_ALGORITHMS]),
  tokenType: oneOrMore(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+/-]{0,126}$/, "give a media type such as 'at+jwt'"),
    "give a media type such as 'at+jwt', or a list",
  ).default(['at+jwt', 'JWT']),
  clockTolerance: duration('5s', { most: MAX_TOLERANCE }).default(5_000),
  dpop: dpopSchema,
  principal: z.custom<TrustedIssuerOptions['principal']>(
    (value) => typeof value === 'function',
    'give a function of the claims that returns { owner, types }, or null for nobody',
  ),
});

/** The options, checked and completed. */
interface Settings {
  readonly audience: readonly string[];
  readonly audienceClaim: string;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** In lower case. */
  readonly types: readonly string[];
  /** Milliseconds. */
  readonly tolerance: number;
  readonly maxAge: number;
  readonly origins: readonly string[];
  readonly principal: TrustedIssuerOptions['principal'];
  readonly issuersFor: (host: AuthenticatorHost) => Issuers;
}

/**
 * Accepts the access tokens of an identity provider: JWTs that are signed with its keys, for this audience. Tokens are not looked
 * up anywhere. The provider's keys are fetched with the first token, and again when they get old or a token names a new key. An
 * outage of the provider is a fault (`unavailable`, cause `issuer`), never a verdict on a token. A withdrawn key is unknown
 * after `maxAge`, and tokens that were verified with it are verified again after `maxAge`.
 *
 * A token that is bound to a key of its holder (`cnf.jkt`) needs a proof with each call (RFC 9449). Tokens with another binding
 * (to a certificate: RFC 8705) are refused, because it can't be checked here.
 *
 * @example
 * trustedIssuer({
 *   issuer: 'https://login.acme.dev',
 *   audience: 'https://api.acme.dev',
 *   principal: (claims) => {
 *     const scopes = claimedScopes(claims, ['models:read', 'models:write']);
 *     return scopes.length === 0 ? null : { owner: claims.sub, types: { developer: { scopes } } };
 *   },
 * })
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function trustedIssuer(options: TrustedIssuerOptions): AttachableAuthenticator {
  const settings = readOptions(options);
  return Object.freeze({ attach: (host: AuthenticatorHost) => new TrustedIssuer(settings, host) });
}

function readOptions(options: TrustedIssuerOptions): Settings {
  const what = 'trustedIssuer';
  const given = check(schema, options, what, 'option_invalid');
  const { audience, audienceClaim, algorithms, principal } = given;
  const { fetch, cooldown, maxAge, staleIfUnavailable, timeout, allowInsecureKeys } = given;
  const keyServer = keyServerSettings(
    { fetch, cooldown, maxAge, staleIfUnavailable, timeout, allowInsecureKeys },
    what,
  );
  return {
    audience,
    audienceClaim,
    algorithms,
    types: given.tokenType.map(mediaType),
    tolerance: given.clockTolerance,
    maxAge: keyServer.maxAge,
    origins: originsOf(ownCopy(given.dpop)?.origins, audience),
    principal,
    issuersFor: readIssuers(given.issuer, given.jwks, keyServer.maxAge, (issuer, source) =>
      readKeys(source, issuer, algorithms, keyServer),
    ),
  };
}

function readIssuers(
  issuer: string | IssuerLookup,
  jwks: KeySource | undefined,
  maxAge: number,
  keysOf: KeysOf,
): Settings['issuersFor'] {
  if (typeof issuer === 'string') {
    const keys = keysOf(issuer, jwks);
    return (host) => oneIssuer(issuer, keys(host));
  }
  const lookUp: IssuerLookup = async (iss) =>
    check(lookedUp, await issuer(iss), 'the answer of the issuer option of trustedIssuer', 'input_invalid');
  // The set that all issuers share is read once, so that a mistake in it shows at the start.
  const shared = jwks === undefined ? null : keysOf('', jwks);
  return (host) => {
    const keys = shared?.(host) ?? null;
    const keysFor = (iss: string, source: KeySource | undefined) =>
      (source === undefined && keys) || keysOf(iss, source)(host);
    return new LookedUpIssuers(lookUp, keysFor, maxAge);
  };
}

function readKeys(
  jwks: KeySource | undefined,
  issuer: string,
  algorithms: readonly SignatureAlgorithm[],
  settings: KeyServerSettings,
): (host: AuthenticatorHost) => VerificationKeys {
  if (isKeySet(jwks)) {
    const keys = localKeys(jwks, algorithms);
    if (keys.size > 0) return () => keys;
    throw new PosternError(
      'option_invalid',
      `has no public key for ${algorithms.join(', ')}: give the issuer's keys, or their address`,
      { path: 'jwks', input: 'trustedIssuer' },
    );
  }
  const insecure = settings.allowInsecureKeys;
  if (jwks === undefined) discoveryUrl(issuer, insecure);
  const server = jwks === undefined ? issuer : trustedUrl(jwks, 'jwks', insecure);
  return ({ now, fault }) => remoteKeys({ server, settings, algorithms, clock: now, onFault: fault });
}

class TrustedIssuer implements Authenticator {
  readonly #settings: Settings;
  readonly #host: AuthenticatorHost;
  readonly #issuers: Issuers;

  constructor(settings: Settings, host: AuthenticatorHost) {
    this.#settings = settings;
    this.#host = host;
    this.#issuers = settings.issuersFor(host);
  }

  accepts(token: string): boolean {
    const jws = readCompact(token);
    return (
      jws !== null &&
      this.#issuers.mayBe(jws.payload.iss) &&
      this.#isForUs(jws.payload) &&
      isAccessToken(jws, this.#settings.types)
    );
  }

  async authenticate(token: string, now: number): Promise<Vouched | Refusal> {
    const { algorithms, types, tolerance, maxAge, origins } = this.#settings;
    const jws = readCompact(token);
    if (jws === null || !algorithms.includes(jws.header.alg) || !isAccessToken(jws, types)) return 'token_unknown';
    const { iss: issuer } = jws.payload;
    if (!this.#issuers.mayBe(issuer) || !this.#isForUs(jws.payload)) return 'token_unknown';
    const refusal = checkTimes(jws.payload, { now, tolerance, expiryTolerance: tolerance });
    if (refusal === 'token_unknown') return refusal;
    const known = this.#issuers.keysOf(issuer, now);
    const keys = known instanceof Promise ? await known : known;
    if (keys === null) return 'token_unknown';
    const binding = bindingOf(jws.payload.cnf, { host: this.#host, token, origins });
    if (binding === 'refused') return 'token_unknown';
    const isSigned = verifySignature(jws, keys);
    if (isSigned !== true && !(await isSigned)) return 'token_unknown';
    // Only a token that the issuer signed is said to have expired.
    if (refusal !== null) return refusal;
    const claims = jws.payload as TrustedClaims;
    // Read before the function runs, because it may change the claims.
    const tokenId = subjectId(claims);
    const endsAt = new Date(expiryOf(claims, tolerance));
    const mapped = await this.#settings.principal(claims);
    return mapped === null
      ? 'token_unknown'
      : { ...readMapped(mapped), tokenId, endsAt, trustedFor: `${maxAge}ms`, ...binding };
  }

  #isForUs(payload: Readonly<Record<string, unknown>>): boolean {
    const { audience, audienceClaim } = this.#settings;
    if (!isForAudience(payload[audienceClaim], audience)) return false;
    return payload.aud === undefined || isForAudience(payload.aud, audience);
  }
}
