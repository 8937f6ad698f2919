import { runNext } from '../lib/next.mjs';

export const host = 'Next.js 16';
export const how = 'webpack: next build, next start; a guarded route, management in a route, SQLite';

export const run = (context) => runNext(context, 'webpack');
