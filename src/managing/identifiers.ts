import type { Credential } from '../base/credential.js';
import { TOKEN_ID } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';

/**
 * Reads the id of a token. The text of a secret is refused. As an id it would be unknown, and a caller that meant to revoke the
 * token would believe that it is done.
 *
 * @returns `null` for a text that can't be an id
 * @throws PosternError `input_invalid` for the text of a secret, and for an object where a token is to end
 */
export function readTokenId(id: unknown, call: string, readCredential: (text: unknown) => Credential): string | null {
  const ends = call === 'revoke' || call === 'delete';
  if (ends && typeof id === 'object' && id !== null) {
    throw new PosternError('input_invalid', `is an object, but tokens.${call} takes an id: give record.id`, {
      path: 'id',
    });
  }
  if (typeof id !== 'string') return null;
  const credential = readCredential(id);
  if (typeof credential !== 'string') {
    const advice = ends ? 'to end it, call tokens.revokeSecret(token)' : 'give record.id';
    throw new PosternError('input_invalid', `is the text of a secret, but tokens.${call} takes an id: ${advice}`, {
      path: 'id',
    });
  }
  return TOKEN_ID.test(id) ? id : null;
}

/** The error for a text that `tokens.revokeSecret` can't look up. It doesn't repeat the text, which may hold a secret. */
export function invalidSecret(credential: Credential): PosternError {
  const problem =
    typeof credential === 'string'
      ? 'does not have the form of an API token of this instance: give its whole text, or revoke by id'
      : 'is a signed token, which ends with its API token: revoke the API token';
  return new PosternError('input_invalid', problem, { path: 'token', input: 'tokens.revokeSecret' });
}
