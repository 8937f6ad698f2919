import { consoleAsset } from './console/index.js';

/**
 * Answers with the console's pages and assets; `null` for other paths and methods.
 *
 * @param pathname the whole path of the request
 * @param path the part of it below the API's `basePath`
 */
export function consoleAnswer(method: string, pathname: string, path: string): Response | null {
  if (method !== 'GET' && method !== 'HEAD') return null;
  // The page at `/admin` lies in the folder `/`.
  const from = pathname.endsWith(path) ? '' : `${pathname.slice(pathname.lastIndexOf('/') + 1)}/`;
  const asset = consoleAsset(path, from);
  return asset && new Response(asset.body, { status: asset.status, headers: asset.headers });
}
