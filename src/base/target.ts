/**
 * The path of a request's target as it came, if it is one: nothing that the URL parser would change. It takes a backslash for a
 * slash, goes up at `..` and `%2e%2e`, leaves out tabs and all behind a `#`. Whoever looks at the path before us, a proxy or a
 * rule of the application, sees it as it came, and so must we: a target whose path becomes another one is nobody's.
 *
 * @param target origin-form or absolute-form (RFC 9112 section 3.2), with its query
 */
export function pathOfTarget(target: string): string | null {
  const start = pathStart(target);
  if (start < 0) return null;
  const query = target.indexOf('?', start);
  const path = target.slice(start, query < 0 ? undefined : query);
  if (PLAIN.test(path)) return path;
  // Appended, not resolved: `//other.example/` would be resolved to another host.
  const url = `http://host${path}`;
  return URL.canParse(url) && new URL(url).pathname === path ? path : null;
}

/** The path and query of a target whose path is one ({@link pathOfTarget}): the host of an absolute form is the sender's choice. */
export function originForm(target: string): string | null {
  return pathOfTarget(target) === null ? null : target.slice(pathStart(target));
}

/** Paths that the URL parser leaves as they are, for certain. */
const PLAIN = /^(?:\/(?:[\w-]+(?:\.[\w-]+)*)?)+$/;

/** Where the path begins; -1: there is none. */
function pathStart(target: string): number {
  return target.startsWith('/') ? 0 : (/^https?:\/\/[^/\\?#\s]+(?=\/)/i.exec(target)?.[0].length ?? -1);
}
