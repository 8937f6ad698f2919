import { files, page } from './assets.js';
import type { PageData } from './page-data.js';

/** The console's answer to a GET. */
export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The settings of the management API that concern the console. */
export interface ConsoleSettings {
  /** The way from the page's folder to the mount path of the API: empty, `../`, or `admin/` for the page at `/admin` itself. */
  readonly from?: string;
  readonly branding?: PageData['branding'];
  readonly loginUrl?: string | null;
  readonly signOut?: string | null;
}

/** Only its own script, style and API, and the application's logo; no framing; no text becomes markup (Trusted Types). */
function contentSecurityPolicy(logo: string | undefined): string {
  const elsewhere = logo !== undefined && /^https?:/.test(logo) ? ` ${new URL(logo).origin}` : '';
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    `img-src 'self' data:${elsewhere}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function safety(logo?: string) {
  return {
    'content-security-policy': contentSecurityPolicy(logo),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}

/** The paths of the page. Its script shows the part that belongs to the address. */
const PAGES = /^\/(api_tokens(\/[A-Za-z0-9_-]{1,64})?|endpoints|usage|audit|sign-in)?$/;
const FOLDER = '/console/';

/**
 * The console's answer for a path, or `null` for other paths. The page is the same for everyone. The API checks the
 * rights of each person.
 *
 * @param path the request's path, without its query and without `basePath`
 */
export function consoleAsset(path: string, settings: ConsoleSettings = {}): ConsoleAnswer | null {
  if (PAGES.test(path)) return consolePage(200, settings);
  const file = path.startsWith(FOLDER) ? files.find(({ name }) => name === path.slice(FOLDER.length)) : undefined;
  if (file === undefined) return null;
  // The name changes with the content (RFC 8246).
  const headers = { ...safety(), 'content-type': file.type, 'cache-control': 'public, max-age=31536000, immutable' };
  return { status: 200, headers, body: file.body };
}

/**
 * The page. It names its files relative to itself, so it works below any path that a proxy strips, and no header of the request
 * has to be believed. With 404 its script says that there is no page at this address.
 */
export function consolePage(status: 200 | 404, settings: ConsoleSettings): ConsoleAnswer {
  const { from = '', branding = {}, loginUrl = null, signOut = null } = settings;
  const data: PageData = { branding, loginUrl, signOut, found: status === 200 };
  const [script, style] = files;
  const values: Readonly<Record<string, string>> = {
    script: from + FOLDER.slice(1) + script.name,
    style: from + FOLDER.slice(1) + style.name,
    data: JSON.stringify(data),
  };
  const body = page.replace(/\{(script|style|data)\}/g, (_, name: string) => attribute(values[name] ?? ''));
  const headers = {
    ...safety(branding.logo),
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
  };
  return { status, headers, body };
}

function attribute(text: string): string {
  return text.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
