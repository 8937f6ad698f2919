import { tokenForm } from '../domain/token-format.js';
import { type Hash, hash } from './digest.js';
import type { Settings } from './options.js';

/** The longest credential that is looked at, in bytes. */
const MAX_LENGTH = 8192;
/** A token of a foreign form is shorter than this: no one's pattern is run over an attacker's long text. */
const MAX_IMPORTED_LENGTH = 512;

/** What identifies a credential from here on: the token itself goes no further. */
export interface CredentialKeys {
  /** SHA-256 of the whole token: the key of the cache. */
  readonly key: string;
  /** SHA-256 of the part that is the secret: what the store's digest is made of. */
  readonly secret: string;
}

export type Credential = CredentialKeys | 'token_missing' | 'token_malformed' | 'token_unknown';

/**
 * Takes a credential as it came, and says what it is by form alone: nothing is read for it. Of an own token, `secret` and
 * `key` are one. Refusals come before the hash.
 */
export function credentialReader(settings: Settings, digest: Hash = hash): (token: unknown) => Credential {
  const isOwn = tokenForm(settings.tokenPrefix);
  const { importedTokens } = settings;

  function imported(token: string): Credential {
    if (token.length > MAX_IMPORTED_LENGTH || !/^[\x21-\x7e]+$/.test(token)) return 'token_unknown';
    for (const { pattern, secret } of importedTokens) {
      const match = pattern.exec(token);
      // The whole token: `^` and `$` don't anchor every branch of `^a|b$`.
      if (match === null || match[0] !== token) continue;
      const part = secret(match);
      // ASCII, as the token is: `secret` may only choose a part of it.
      if (part !== undefined && part !== '' && token.includes(part))
        return { key: digest(token), secret: digest(part) };
    }
    return 'token_unknown';
  }

  return (token) => {
    if (token === undefined || token === null || token === '') return 'token_missing';
    if (typeof token !== 'string' || token.length > MAX_LENGTH) return 'token_malformed';
    if (isOwn(token)) {
      const key = digest(token);
      return { key, secret: key };
    }
    return importedTokens.length === 0 ? 'token_unknown' : imported(token);
  };
}
