import { consoleAsset } from './console/index.js';

/** Answers with the console's pages and assets; `null` for other paths and methods. */
export function consoleAnswer(method: string, path: string, basePath: string): Response | null {
  if (method !== 'GET' && method !== 'HEAD') return null;
  const asset = consoleAsset(path, basePath);
  return asset && new Response(asset.body, { status: asset.status, headers: asset.headers });
}
