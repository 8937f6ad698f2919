import { readFileSync } from 'node:fs';
import { serve } from '../lib/child.mjs';
import { sampler, shuffled } from '../lib/measure.mjs';
import { load } from '../lib/postern.mjs';
import { freshStrings, HOT, prepared, SCOPE, warm } from '../lib/tokens.mjs';

const [kind, filename, sampleMs] = process.argv.slice(2);
const { createPostern } = await load('index');
const { sqliteStore } = await load('stores/sqlite');
const tokens = shuffled(readFileSync(`${filename}.tokens`, 'latin1').split('\n'));
// Uses are not written: the other processes read the same file, and would wait for the lock.
const store = { ...sqliteStore({ filename, driver: 'libsql' }), recordUsage: async () => {} };
const cache = kind === 'warm' ? { ttl: '1h', maxTokens: 100_000 } : false;
const postern = createPostern({ store, cache });
const requirement = prepared(postern, SCOPE);
const hot = tokens.slice(0, HOT);
// The hot ones last: they are in the cache, whatever else it holds.
await warm(postern, kind === 'warm' ? [...tokens, ...hot] : hot, requirement);

const next = freshStrings(kind === 'warm' ? hot : tokens);
const attempt = () => ({ token: next(), zone: 'external', requirement });
const take = await sampler(
  kind === 'warm'
    ? { op: () => postern.tryAuthorize(attempt()) }
    : { op: () => postern.authorize(attempt()), async: true },
  Number(sampleMs),
);
if (kind === 'warm' && hot.some((token) => postern.tryAuthorize({ token, requirement })?.allowed !== true)) {
  throw new Error('a hot token is not in the cache');
}

serve(null, take);
