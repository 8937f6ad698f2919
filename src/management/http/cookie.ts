import { Problem } from './problem.js';

/**
 * The cookie of the console's own sign-in. On https its name has the prefix by which browsers take it only from this host,
 * for every path, over https (RFC 6265bis section 4.1.3.2): no other host of the domain can put one there.
 */
export function cookieName(secure: boolean): string {
  return secure ? '__Host-postern' : 'postern_session';
}

export function sessionCookie(token: string, secure: boolean): string {
  return `${cookieName(secure)}=${encodeURIComponent(token)}; ${attributes(secure)}`;
}

export function endedCookie(secure: boolean): string {
  return `${cookieName(secure)}=; Max-Age=0; ${attributes(secure)}`;
}

/** No `Max-Age`: it ends with the browser, or with the token that it holds. */
function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/**
 * The token of the session's cookie, or `null`.
 *
 * @throws Problem 400 for two of them: one was put there by somebody else
 */
export function readSessionCookie(header: string | null, secure: boolean): string | null {
  const name = cookieName(secure);
  const values = (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  if (values.length > 1)
    throw new Problem(400, 'token_malformed', 'Two sessions came with this request: sign in again.');
  const value = values[0] ?? '';
  if (value === '') return null;
  try {
    return decodeURIComponent(value);
  } catch {
    // No token of any form: to be refused as one that nobody issued.
    return '%';
  }
}
