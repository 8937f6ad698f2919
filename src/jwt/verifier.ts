import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import type { AttachableAuthenticator, AuthenticatorHost } from '../ports/authenticator.js';
import { AccessAuthenticator, type Parents } from './access-authenticator.js';
import { trustedUrl } from './fetch-json.js';
import { SIGNING_ALGORITHMS } from './keys.js';
import { FOR_GOOD, isKeySet, type JsonWebKeySet, localKeys } from './local-keys.js';
import { type DpopOptions, dpopSchema, nonEmpty, originsOf } from './options.js';
import {
  type KeyServerOptions,
  type KeyServerSettings,
  keyServerFields,
  keyServerSettings,
  remoteKeys,
} from './remote-keys.js';
import type { VerificationKeys } from './verify.js';

/** Options of `accessTokens.verifier`. */
export interface VerifierOptions extends KeyServerOptions {
  /** The `issuer` of the `accessTokens` that made the tokens. */
  readonly issuer: string;
  /** The `aud` of a token must name one of these. */
  readonly audience: string | readonly string[];
  /** The public keys: the address of the issuer's JWKS, or a JSON Web Key Set that never changes. */
  readonly jwks: URL | string | JsonWebKeySet;
  /**
   * How the API token behind an access token is checked. Default `'if-known'`: if this instance's store has it, the access token
   * ends with it and has at most its present rights; if not, the access token stands alone until it expires. `'required'`: the
   * store must have it. `'unchecked'`: it is not looked for. Use `'required'` if the store is the issuer's own: a token that was
   * deleted before this process saw it looks like a token of another store.
   */
  readonly parents?: Parents | undefined;
  /** Tokens that are bound to a key of their holder (RFC 9449). */
  readonly dpop?: DpopOptions | undefined;
}

const audience = nonEmpty('the audience: the address of the API that the tokens are for');

const schema = z.strictObject({
  ...keyServerFields,
  issuer: nonEmpty('the issuer of the tokens'),
  audience: z.union(
    [audience.transform((each) => [each]), z.array(audience).min(1, 'name an audience')],
    'name the audience',
  ),
  jwks: z.custom<VerifierOptions['jwks']>(
    (value) => typeof value === 'string' || value instanceof URL || isKeySet(value),
    'give the address of the keys, or { keys: […] }',
  ),
  parents: z
    .enum(['if-known', 'required', 'unchecked'], "use 'if-known', 'required' or 'unchecked'")
    .default('if-known'),
  dpop: dpopSchema,
});

/**
 * Accepts the access tokens of an issuer with its public keys alone: it needs no store, and gives the same principal. If the API
 * token behind an access token is not in the store, endpoints are matched by their ids alone.
 *
 * @example
 * const signed = accessTokens.verifier({ issuer: 'https://auth.acme.dev', audience: 'https://api.acme.dev', jwks: 'https://auth.acme.dev/.well-known/jwks.json' });
 * const postern = createPostern({ store: memoryStore(), authenticators: [signed] });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function accessTokenVerifier(options: VerifierOptions): AttachableAuthenticator {
  const what = 'accessTokens.verifier';
  const given = check(schema, options, what, 'option_invalid');
  const { issuer, audience, jwks, parents, dpop, ...rest } = given;
  const keyServer = keyServerSettings(rest, what);
  const trustedFor = isKeySet(jwks) ? FOR_GOOD : keyServer.maxAge;
  const origins = originsOf(ownCopy(dpop)?.origins, audience);
  const keysFor = readKeys(jwks, keyServer);
  return Object.freeze({
    attach: (host: AuthenticatorHost) =>
      new AccessAuthenticator(host, { issuer, audience, keys: keysFor(host), trustedFor, parents, origins }),
  });
}

function readKeys(
  jwks: VerifierOptions['jwks'],
  settings: KeyServerSettings,
): (host: AuthenticatorHost) => VerificationKeys {
  const algorithms = SIGNING_ALGORITHMS;
  if (!isKeySet(jwks)) {
    const server = trustedUrl(jwks, 'jwks', settings.allowInsecureKeys);
    return ({ now, fault }) => remoteKeys({ server, settings, algorithms, clock: now, onFault: fault });
  }
  const keys = localKeys(jwks, algorithms);
  if (keys.size > 0) return () => keys;
  throw new PosternError(
    'option_invalid',
    `has no public key for ${algorithms.join(' or ')}: give the result of jwks(), or its address`,
    { path: 'jwks', input: 'accessTokens.verifier' },
  );
}
