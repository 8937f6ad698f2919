import { z } from 'zod';
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
import { isKeySet, type JsonWebKeySet, localKeys } from './local-keys.js';
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
  checkClaims,
  expiryOf,
  isForAudience,
  type RegisteredClaims,
  type VerificationKeys,
  verifySignature,
} from './verify.js';

/** The claims of a token whose signature was verified. Those beyond the registered ones are as the provider wrote them. */
export type TrustedClaims = RegisteredClaims & Readonly<Record<string, unknown>>;

/** Options of `trustedIssuer`: whose tokens are taken, and who they make of a caller. */
export interface TrustedIssuerOptions extends KeyServerOptions {
  /** Who issues the tokens: `iss`, compared to the character. With no `jwks`, its address too. */
  readonly issuer: string;
  /** Whom the tokens are for: `aud` must name one of these. */
  readonly audience: string | readonly string[];
  /**
   * The issuer's keys: their address, or a JSON Web Key Set that never changes. Default: what the issuer's own metadata names
   * (`/.well-known/openid-configuration`).
   */
  readonly jwks?: URL | string | JsonWebKeySet | undefined;
  /** The algorithms that a token may be signed with. Default: RS256, PS256, ES256, ES384, EdDSA and Ed25519. */
  readonly algorithms?: readonly SignatureAlgorithm[] | undefined;
  /** The `typ`s that are accepted; `'JWT'` takes tokens without one, too. Default: `at+jwt` (RFC 9068) and `JWT`. */
  readonly tokenType?: string | readonly string[] | undefined;
  /** How far the issuer's clock may be off: on `iat`, `nbf`, and once on `exp`. Default `'5s'`, at most `'5m'`. */
  readonly clockTolerance?: Duration | undefined;
  /** Tokens that are bound to a key of their holder (`cnf.jkt`, RFC 9449). */
  readonly dpop?: DpopOptions | undefined;
  /**
   * Who that is here, and what it may do. The claims are verified; what they mean is the application's knowledge. `null`:
   * nobody, and the token is refused (`token_unknown`). What it returns is checked: an unknown type or scope is a fault, and
   * never an allow. Asked once in `maxAge` for each token, so what it looks up shows that late at most.
   */
  readonly principal: (claims: TrustedClaims) => TrustedPrincipal | null | Promise<TrustedPrincipal | null>;
}

const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const text = (message: string) => z.string(message).min(1, message).max(1_000, message);
const oneOrMore = (each: z.ZodType<string>, message: string) =>
  z.union([each.transform((value) => [value]), z.array(each).min(1, message)], message);

const MAX_TOLERANCE: Duration = '5m';

const schema = z.strictObject({
  ...keyServerFields,
  issuer: text("name the issuer: what its tokens have in 'iss'"),
  audience: oneOrMore(
    text('name an audience'),
    "name the audience: what the tokens have in 'aud' when they are for you",
  ),
  jwks: z
    .custom<NonNullable<TrustedIssuerOptions['jwks']>>(
      (value) => typeof value === 'string' || value instanceof URL || isKeySet(value),
      'give the address of the keys, or { keys: […] }',
    )
    .optional(),
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
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly algorithms: readonly SignatureAlgorithm[];
  /** In lower case. */
  readonly types: readonly string[];
  /** Milliseconds. */
  readonly tolerance: number;
  readonly maxAge: number;
  readonly origins: readonly string[];
  readonly principal: TrustedIssuerOptions['principal'];
  readonly keysFor: (host: AuthenticatorHost) => VerificationKeys;
}

/**
 * Accepts the access tokens of an identity provider: JWTs that are signed with its keys, for this audience. No token is looked
 * up anywhere. The provider's keys are fetched when the first token comes, and again as they get old or a new one is named;
 * an outage of the provider is a fault (`unavailable`, cause `issuer`), never a verdict on a token. A key that the provider
 * withdraws is unknown after `maxAge`, and what was verified with it is verified again after `maxAge`.
 *
 * A token that is bound to a key of its holder (`cnf.jkt`) needs a proof with each call (RFC 9449); one that is bound otherwise
 * (to a certificate: RFC 8705) is refused, because nothing here can tell whose it is.
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
  const { issuer, audience, algorithms, principal, jwks } = given;
  const { fetch, cooldown, maxAge, staleIfUnavailable, timeout } = given;
  const keyServer = keyServerSettings({ fetch, cooldown, maxAge, staleIfUnavailable, timeout }, what);
  return {
    issuer,
    audience,
    algorithms,
    types: given.tokenType.map(mediaType),
    tolerance: given.clockTolerance,
    maxAge: keyServer.maxAge,
    origins: originsOf(ownCopy(given.dpop)?.origins, audience),
    principal,
    keysFor: readKeys(jwks, issuer, algorithms, keyServer),
  };
}

function readKeys(
  jwks: TrustedIssuerOptions['jwks'],
  issuer: string,
  algorithms: readonly SignatureAlgorithm[],
  settings: KeyServerSettings,
): Settings['keysFor'] {
  if (isKeySet(jwks)) {
    const keys = localKeys(jwks, algorithms);
    if (keys.size > 0) return () => keys;
    throw new PosternError(
      'option_invalid',
      `has no public key for ${algorithms.join(', ')}: give the issuer's keys, or their address`,
      { path: 'jwks', input: 'trustedIssuer' },
    );
  }
  if (jwks === undefined) discoveryUrl(issuer);
  const server = jwks === undefined ? issuer : trustedUrl(jwks, 'jwks');
  return ({ now, fault }) => remoteKeys({ server, settings, algorithms, clock: now, onFault: fault });
}

class TrustedIssuer implements Authenticator {
  readonly #settings: Settings;
  readonly #host: AuthenticatorHost;
  readonly #keys: VerificationKeys;

  constructor(settings: Settings, host: AuthenticatorHost) {
    this.#settings = settings;
    this.#host = host;
    this.#keys = settings.keysFor(host);
  }

  accepts(token: string): boolean {
    const jws = readCompact(token);
    const { issuer, audience, types } = this.#settings;
    if (jws === null || jws.payload.iss !== issuer || !isForAudience(jws.payload.aud, audience)) return false;
    return isAccessToken(jws, types);
  }

  async authenticate(token: string, now: number): Promise<Vouched | Refusal> {
    const { issuer, audience, algorithms, types, tolerance, maxAge, origins } = this.#settings;
    const jws = readCompact(token);
    if (jws === null || !algorithms.includes(jws.header.alg) || !isAccessToken(jws, types)) return 'token_unknown';
    const refusal = checkClaims(jws.payload, { issuer, audience, now, tolerance, expiryTolerance: tolerance });
    if (refusal === 'token_unknown') return refusal;
    const binding = bindingOf(jws.payload.cnf, { host: this.#host, token, origins });
    if (binding === 'refused') return 'token_unknown';
    if (!(await verifySignature(token, jws, this.#keys))) return 'token_unknown';
    // Only of a token that is the issuer's can it be said that it has expired.
    if (refusal !== null) return refusal;
    const claims = jws.payload as TrustedClaims;
    // What is taken from the claims is taken first: the function may change what it is given.
    const tokenId = subjectId(claims);
    const endsAt = new Date(expiryOf(claims, tolerance));
    const mapped = await this.#settings.principal(claims);
    return mapped === null
      ? 'token_unknown'
      : { ...readMapped(mapped), tokenId, endsAt, trustedFor: `${maxAge}ms`, ...binding };
  }
}
