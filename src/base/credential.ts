import { DERIVED_HEAD } from '../domain/derived-head.js';
import { MAX_TOKEN_LENGTH, tokenForm } from '../domain/token-format.js';
import { type Hash, hash } from './digest.js';
import type { Settings } from './options.js';

/** A token of a foreign form is shorter than this: no one's pattern is run over an attacker's long text. */
const MAX_IMPORTED_LENGTH = 512;
/** How every JOSE header begins, as base64url: `{"`. */
const JWS_HEAD = 'eyJ';

/** A token that is looked up in the store. What it is goes no further: from here on it is named by its hashes. */
export interface OpaqueCredential {
  /** SHA-256 of the whole token: the key of the cache. */
  readonly key: string;
  /** SHA-256 of the part that is the secret: what the store's digest is made of. */
  readonly secret: string;
  readonly signed: null;
}

/** What may be a signed token, by how it begins and that it has dots: what it is of is looked at where nobody has seen it before. */
export interface SignedCredential {
  /** SHA-256 of the whole token: the key of what is remembered of it. */
  readonly key: string;
  readonly secret: null;
  /** The token itself. */
  readonly signed: string;
}

export type Credential = OpaqueCredential | SignedCredential | 'token_missing' | 'token_malformed' | 'token_unknown';

/**
 * Takes a credential as it came, and says what it is by form alone: nothing is read for it. Of an own token, `secret` and
 * `key` are one. Refusals come before the hash.
 */
export function credentialReader(settings: Settings, digest: Hash = hash): (token: unknown) => Credential {
  const isOwn = tokenForm(settings.tokenPrefix);
  const { importedTokens } = settings;
  // Without an authenticator the only signed tokens are derived ones, which all begin the same.
  const signedHead = settings.authenticators.length === 0 ? DERIVED_HEAD : JWS_HEAD;

  function imported(token: string): Credential {
    if (token.length > MAX_IMPORTED_LENGTH || !/^[\x21-\x7e]+$/.test(token)) return 'token_unknown';
    for (const { pattern, secret } of importedTokens) {
      const match = pattern.exec(token);
      // The whole token: `^` and `$` don't anchor every branch of `^a|b$`.
      if (match === null || match[0] !== token) continue;
      const part = secret(match);
      // ASCII, as the token is: `secret` may only choose a part of it.
      if (part !== undefined && part !== '' && token.includes(part))
        return { key: digest(token), secret: digest(part), signed: null };
    }
    return 'token_unknown';
  }

  return (token) => {
    if (token === undefined || token === null || token === '') return 'token_missing';
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return 'token_malformed';
    if (isOwn(token)) {
      const key = digest(token);
      return { key, secret: key, signed: null };
    }
    // An imported token may begin so by chance: one of letters and digits alone is no JWS (RFC 7515 section 7.1).
    if (token.startsWith(signedHead) && token.indexOf('.') > 0)
      return { key: digest(token), secret: null, signed: token };
    return importedTokens.length === 0 ? 'token_unknown' : imported(token);
  };
}
