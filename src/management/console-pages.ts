import { type ConsoleAnswer, consoleAsset, consolePage } from './console/index.js';
import type { Settings } from './options.js';

/**
 * Answers with the console's pages and assets; `null` for other paths and methods, and without a console.
 *
 * @param pathname the whole path of the request
 * @param path the part of it below the API's `basePath`
 */
export function consoleAnswer(method: string, pathname: string, path: string, settings: Settings): Response | null {
  if (!settings.console || !reads(method)) return null;
  return responseOf(consoleAsset(path, { ...settings, from: wayToBase(pathname, path) }));
}

/** For a browser, a page that says that there is none at its address, with the way back; `null` for other clients. */
export function unknownPage({ method, headers }: Request, path: string, settings: Settings): Response | null {
  if (!settings.console || !reads(method) || !(headers.get('accept') ?? '').includes('text/html')) return null;
  return responseOf(consolePage(404, { ...settings, from: wayToBase(path, path) }));
}

/** The page at `/admin` lies in the folder `/`, the one at `/admin/api_tokens/42` in `/admin/api_tokens/`. */
function wayToBase(pathname: string, path: string): string {
  if (!pathname.endsWith(path)) return `${pathname.slice(pathname.lastIndexOf('/') + 1)}/`;
  return '../'.repeat(path.split('/').length - 2);
}

function reads(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function responseOf(answer: ConsoleAnswer): Response;
function responseOf(answer: ConsoleAnswer | null): Response | null;
function responseOf(answer: ConsoleAnswer | null): Response | null {
  return answer && new Response(answer.body, { status: answer.status, headers: answer.headers });
}
