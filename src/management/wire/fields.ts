import { type PosternError, shownPath } from '../../domain/errors.js';

/** The library's field names → the wire's. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['expiresAt', 'expired_at'],
  ['expiresIn', 'expires_in'],
  ['metadata', 'labels'],
  ['offset', 'start'],
  ['rateLimit', 'rate_limit'],
  ['subjectToken', 'subject_token'],
]);

export function wirePath({ path }: PosternError): string | undefined {
  return path?.replace(/^[^.]+/, (field) => FIELDS.get(field) ?? field);
}

/** The library's error as a sentence, with the wire's field names. */
export function wireSentence(error: PosternError): string {
  const path = wirePath(error);
  const { problem } = error;
  const text =
    path === undefined ? problem.charAt(0).toUpperCase() + problem.slice(1) : `${shownPath(path)}: ${problem}`;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
