import { apiKey } from '@better-auth/api-key';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { serve } from '../lib/child.mjs';
import { sampler } from '../lib/measure.mjs';
import { freshStrings, HOT } from '../lib/tokens.mjs';

serve(null, await sampler(await betterAuthCase(), Number(process.argv[2])));

/** better-auth's api-key plugin on a Map as its secondary storage. */
async function betterAuthCase() {
  const storage = new Map();
  const database = { user: [], session: [], account: [], verification: [], apikey: [] };
  const auth = betterAuth({
    baseURL: 'http://localhost',
    secret: 'a secret of the benchmark, of no use anywhere else',
    database: memoryAdapter(database),
    secondaryStorage: {
      get: async (key) => storage.get(key) ?? null,
      set: async (key, value) => void storage.set(key, value),
      delete: async (key) => void storage.delete(key),
    },
    telemetry: { enabled: false },
    logger: { level: 'error' },
    plugins: [apiKey({ storage: 'secondary-storage', rateLimit: { enabled: false } })],
  });
  const keys = [];
  for (let i = 0; i < HOT; i++) {
    // A user each: better-auth rewrites the list of a user's keys at every verification, and ours have an owner each too.
    const userId = `user-${i}`;
    const now = new Date();
    database.user.push({ id: userId, email: `${userId}@example.com`, name: userId, createdAt: now, updatedAt: now });
    const { key } = await auth.api.createApiKey({ body: { userId, name: `key ${i}` } });
    keys.push(key);
  }
  for (const key of keys.slice(0, 10)) {
    const { valid } = await auth.api.verifyApiKey({ body: { key } });
    if (!valid) throw new Error('better-auth does not verify');
  }
  const next = freshStrings(keys);
  return { async: true, op: () => auth.api.verifyApiKey({ body: { key: next() } }) };
}
