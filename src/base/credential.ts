import { DERIVED_HEAD } from '../domain/derived-head.js';
import { MAX_TOKEN_LENGTH, tokenForm } from '../domain/token-format.js';
import { type Hash, hash } from './digest.js';
import type { Settings } from './options.js';

/** The longest imported token. Patterns of the application are never run over an attacker's long text. */
const MAX_IMPORTED_LENGTH = 512;
/** The beginning of every JOSE header, as base64url: `{"`. */
const JWS_HEAD = 'eyJ';

/**
 * Stands for an API token when the token itself is not kept, such as in a session. Decisions about it are the same as for the
 * token. It is an object of this class, so no client can send one.
 */
export class SecretReference {
  /** The secret's digest, as the store keeps it. */
  readonly digest: string;

  constructor(digest: string) {
    this.digest = digest;
  }
}

/** A token that is looked up in the store. Its text is dropped here: from now on only its hashes are used. */
export interface OpaqueCredential {
  /** SHA-256 of the whole token: the key of the cache. */
  readonly key: string;
  /** SHA-256 of the secret part, from which the store's digest is made; or that digest itself. */
  readonly secret: string;
  readonly by: 'secret' | 'digest';
  readonly signed: null;
}

/** A credential that looks like a signed token: it has the beginning, and dots. It is parsed only if the cache doesn't know it. */
export interface SignedCredential {
  /** SHA-256 of the whole token: the key of the cache. */
  readonly key: string;
  readonly secret: null;
  /** The token itself. */
  readonly signed: string;
}

export type Credential = OpaqueCredential | SignedCredential | 'token_missing' | 'token_malformed' | 'token_unknown';

/**
 * Classifies a credential by its form alone, without I/O. For a token of this instance's own form, `secret` and `key` are the
 * same. Refusals come before hashing.
 */
export function credentialReader(settings: Settings, digest: Hash = hash): (token: unknown) => Credential {
  const isOwn = tokenForm(settings.tokenPrefix);
  const { importedTokens } = settings;
  // Without an authenticator the only signed tokens are derived tokens. They all begin with the same characters.
  const signedHead = settings.authenticators.length === 0 ? DERIVED_HEAD : JWS_HEAD;

  function imported(token: string): Credential {
    if (token.length > MAX_IMPORTED_LENGTH || !/^[\x21-\x7e]+$/.test(token)) return 'token_unknown';
    for (const { pattern, secret } of importedTokens) {
      const match = pattern.exec(token);
      // The match must be the whole token: `^` and `$` don't anchor every branch of `^a|b$`.
      if (match === null || match[0] !== token) continue;
      const part = secret(match);
      // `secret` may only choose a part of the token, so the part is ASCII like the token.
      if (part !== undefined && part !== '' && token.includes(part))
        return { key: digest(token), secret: digest(part), by: 'secret', signed: null };
    }
    return 'token_unknown';
  }

  return (token) => {
    if (token === undefined || token === null || token === '') return 'token_missing';
    if (typeof token !== 'string') {
      if (!(token instanceof SecretReference)) return 'token_malformed';
      return { key: `digest:${token.digest}`, secret: token.digest, by: 'digest', signed: null };
    }
    if (token.length > MAX_TOKEN_LENGTH) return 'token_malformed';
    if (isOwn(token)) {
      const key = digest(token);
      return { key, secret: key, by: 'secret', signed: null };
    }
    // An imported token may begin like this by chance. Without a dot it is not a JWS (RFC 7515 section 7.1).
    if (token.startsWith(signedHead) && token.indexOf('.') > 0)
      return { key: digest(token), secret: null, signed: token };
    return importedTokens.length === 0 ? 'token_unknown' : imported(token);
  };
}
