import type { Credential } from '../base/credential.js';
import { TOKEN_ID } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';

/**
 * Reads the id of a token. The text of a secret is none: taken for one it would be nobody's, and whoever meant to end that
 * token would think it done.
 *
 * @returns `null` for a text that no token has for an id
 * @throws PosternError `input_invalid` for the text of a secret
 */
export function readTokenId(id: unknown, call: string, readCredential: (text: unknown) => Credential): string | null {
  if (typeof id !== 'string') return null;
  const credential = readCredential(id);
  if (typeof credential !== 'string') {
    const advice =
      call === 'revoke' || call === 'delete' ? 'to end it, call tokens.revokeSecret(token)' : 'give record.id';
    throw new PosternError('input_invalid', `is the text of a secret, and tokens.${call} takes an id: ${advice}`, {
      path: 'id',
    });
  }
  return TOKEN_ID.test(id) ? id : null;
}

/** For what `tokens.revokeSecret` can't look up. The text itself is not repeated: it may hold a secret. */
export function invalidSecret(credential: Credential): PosternError {
  const problem =
    typeof credential === 'string'
      ? 'has the form of no API token here: give its whole text, or revoke by id'
      : 'is a signed token, which ends with the API token that it comes from: revoke that one';
  return new PosternError('input_invalid', problem, { path: 'token', input: 'tokens.revokeSecret' });
}
