import { consoleAsset } from './console/index.js';

/** The console's pages and what they load; `null` for a path or a method that is none of theirs. */
export function consoleAnswer(method: string, path: string, basePath: string): Response | null {
  if (method !== 'GET' && method !== 'HEAD') return null;
  const asset = consoleAsset(path, basePath);
  return asset && new Response(asset.body, { status: asset.status, headers: asset.headers });
}
