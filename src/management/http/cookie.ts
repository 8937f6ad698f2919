import { Problem } from './problem.js';

/**
 * The cookie of the console's own sign-in. On https its name has a prefix with which browsers accept it only from this host, for
 * every path, over https (RFC 6265bis section 4.1.3.2). So no other host of the domain can set it.
 */
export function cookieName(secure: boolean): string {
  return secure ? '__Host-postern' : 'postern_session';
}

/** @param id of the session, not its token: servers on other ports of the host get cookies too (RFC 6265 section 8.5) */
export function sessionCookie(id: string, secure: boolean): string {
  return `${cookieName(secure)}=${id}; ${attributes(secure)}`;
}

export function endedCookie(secure: boolean): string {
  return `${cookieName(secure)}=; Max-Age=0; ${attributes(secure)}`;
}

/** No `Max-Age`: it ends with the browser, or with the session. */
function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/** The values of all cookies of this name. A second one was set by someone else. */
export function sessionCookies(header: string | null, secure: boolean): readonly string[] {
  const name = cookieName(secure);
  return (header ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

/**
 * The id of the session, or `null`.
 *
 * @throws Problem 400 for two of them
 */
export function readSessionCookie(header: string | null, secure: boolean): string | null {
  const values = sessionCookies(header, secure);
  if (values.length > 1)
    throw new Problem(400, 'token_malformed', 'Two sessions came with this request: sign in again.');
  return values[0] || null;
}
