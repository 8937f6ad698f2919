import * as z from 'zod';
import { check } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { internalsOf } from '../instance/internals.js';
import type { AttachableAuthenticator, AuthenticatorHost } from '../ports/authenticator.js';
import { AccessAuthenticator } from './access-authenticator.js';
import { type ExchangedToken, type ExchangeOptions, exchangeToken } from './exchange.js';
import { jwksHandler } from './jwks-handler.js';
import type { PublishedKeySet } from './keys.js';
import { type AccessTokenSettings, type AccessTokensOptions, readAccessTokensOptions } from './options.js';
import { sealFor } from './seal.js';
import { givenKeys, type RotatedKeys, type RotateOptions, type SigningKeys } from './signing-keys.js';
import { StoredKeys } from './stored-keys.js';
import { accessTokenVerifier } from './verifier.js';

/** Issues access tokens, and verifies them as one of an instance's `authenticators`. */
export interface AccessTokens extends AttachableAuthenticator {
  /** The `aud` of the tokens. */
  readonly audience: string;
  /**
   * Issues an access token (RFC 9068) in exchange for an API token, or for a token derived from one. It has at most the rights
   * and the life of that token. It ends with the API token: at once for processes with this instance's store, for others at its
   * own expiry.
   *
   * @param postern the instance that knows the subject token
   * @throws PosternError `scope_missing`, `endpoint_not_granted`, `scope_unknown`, `endpoint_unknown` for the options;
   *   `input_invalid` (an access token, too), `token_unknown`, `token_expired`, `token_revoked` for the subject token;
   *   `unavailable`, `record_unreadable`, `option_invalid` (the encryption key)
   */
  exchange<T extends TokenTypes>(
    postern: Postern<T>,
    subjectToken: string,
    options?: ExchangeOptions<T>,
  ): Promise<ExchangedToken>;
  /**
   * The public keys, as a JSON Web Key Set.
   *
   * @throws PosternError `input_invalid` if the keys need a store and no instance is attached yet; `unavailable`,
   *   `option_invalid` (the encryption key), `record_unreadable`
   */
  jwks(): Promise<PublishedKeySet>;
  /** Serves them at `/.well-known/jwks.json`, with `Cache-Control` and `ETag`. Answers 503 if they can't be read. */
  readonly jwksHandler: (request: Request) => Promise<Response>;
  /**
   * Makes a new key now. It is published at once and signs after the overlap, so that no token fails. If a new key is waiting
   * already, that one is returned.
   *
   * @throws PosternError `input_invalid` if the keys are the application's own; the errors of {@link jwks}
   */
  rotateKeys(options?: RotateOptions): Promise<RotatedKeys>;
}

const rotateOptions = z.strictObject({ withdraw: z.boolean('use true or false').optional() });

function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const settings = readAccessTokensOptions(options);
  const own = settings.keys === null ? null : givenKeys(settings.keys);
  /** The keys by instance. */
  const attached = new Map<AuthenticatorHost, SigningKeys>();
  const byAuthenticator = new WeakMap<object, SigningKeys>();

  function all(): readonly SigningKeys[] {
    const keys = own === null ? [...attached.values()] : [own];
    if (keys.length > 0) return keys;
    throw new PosternError(
      'input_invalid',
      'there is no store for them yet: pass accessTokens to createPostern() in `authenticators` first, or give accessTokens keys of your own',
      { path: 'keys' },
    );
  }

  function keysFor(postern: unknown): SigningKeys {
    const authenticator = internalsOf(postern).attached(tokens);
    const keys = own ?? (authenticator === null ? undefined : byAuthenticator.get(authenticator));
    if (keys !== undefined) return keys;
    throw new PosternError(
      'input_invalid',
      'this instance does not keep the keys of these accessTokens: pass them to createPostern() in `authenticators`',
      { path: 'postern' },
    );
  }

  async function jwks(): Promise<PublishedKeySet> {
    const published = (await Promise.all(all().map((keys) => keys.published()))).flat();
    return { keys: [...new Map(published.map((jwk) => [jwk.kid, jwk])).values()] };
  }

  const tokens: AccessTokens = Object.freeze({
    audience: settings.audience,
    attach(host: AuthenticatorHost) {
      const keys = own ?? storedKeys(settings, host);
      const { issuer, audience, origins } = settings;
      const { trustedFor } = keys;
      const rules = { issuer, audience: [audience], keys, trustedFor, parents: 'required', origins } as const;
      const close = () => void attached.delete(host);
      const authenticator = Object.assign(new AccessAuthenticator(host, rules), { close });
      attached.set(host, keys);
      byAuthenticator.set(authenticator, keys);
      return authenticator;
    },
    async exchange<T extends TokenTypes>(postern: Postern<T>, subjectToken: string, options: ExchangeOptions<T> = {}) {
      const keys = keysFor(postern);
      return exchangeToken(internalsOf(postern), { ...settings, signer: () => keys.signer() }, subjectToken, options);
    },
    jwks,
    jwksHandler: jwksHandler(jwks, () => Math.min(...all().map(({ maxAge }) => maxAge))),
    async rotateKeys(options: RotateOptions = {}) {
      const asked = check(rotateOptions, options, 'rotateKeys', 'input_invalid');
      const rotated = await Promise.all(all().map((keys) => keys.rotate(asked)));
      return rotated[0] as RotatedKeys;
    },
  });
  return tokens;
}

function storedKeys(settings: AccessTokenSettings, host: AuthenticatorHost): SigningKeys {
  const { issuer, secrets } = settings;
  return new StoredKeys(host, { ...settings, seal: sealFor(issuer, secrets) });
}

/**
 * Access tokens (RFC 9068): short-lived JWTs, signed here and verified anywhere without a store.
 *
 * @example
 * const signed = accessTokens({ issuer: 'https://auth.acme.dev', audience: 'https://api.acme.dev', keys: await generateKeys() });
 * const postern = createPostern({ store, authenticators: [signed] });
 * const { accessToken } = await signed.exchange(postern, apiToken, { scopes: ['models:read'], expiresIn: '10m' });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export const accessTokens: {
  (options: AccessTokensOptions): AccessTokens;
  /** Makes an authenticator for processes that have only the public keys. */
  readonly verifier: typeof accessTokenVerifier;
} = /* @__PURE__ */ Object.assign(createAccessTokens, { verifier: accessTokenVerifier });
