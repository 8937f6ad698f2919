import { files, page } from './assets.js';

/** The console's answer to a GET. */
export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Only its own script, style and API; no framing; no text becomes markup (Trusted Types). */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const SAFETY = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

/** The paths of the page. Its script shows the part that belongs to the address. */
const PAGES: ReadonlySet<string> = new Set(['/', '/api_tokens', '/endpoints', '/audit', '/sign-in']);
const FOLDER = '/console/';

/**
 * The console's answer for a path, or `null` for other paths. The page is the same for everyone. The API checks the
 * rights of each person.
 *
 * The page names its files relative to itself. So it works below any path that a proxy strips, and no header of the request
 * has to be believed.
 *
 * @param path the request's path, without its query and without `basePath`
 * @param from the way from the page's folder to `basePath`: empty, or `admin/` for the page at `/admin` itself
 */
export function consoleAsset(path: string, from = ''): ConsoleAnswer | null {
  if (PAGES.has(path)) {
    const headers = { ...SAFETY, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' };
    return { status: 200, headers, body: rendered(from) };
  }
  const file = path.startsWith(FOLDER) ? files.find(({ name }) => name === path.slice(FOLDER.length)) : undefined;
  if (file === undefined) return null;
  // The name changes with the content (RFC 8246).
  const headers = { ...SAFETY, 'content-type': file.type, 'cache-control': 'public, max-age=31536000, immutable' };
  return { status: 200, headers, body: file.body };
}

function rendered(from: string): string {
  const [script, style] = files;
  const address = (name: string) => attribute(`${from}${FOLDER.slice(1)}${name}`);
  return page.replace('{script}', () => address(script.name)).replace('{style}', () => address(style.name));
}

function attribute(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
