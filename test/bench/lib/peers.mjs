import { checkAPIKey, extractShortToken, generateAPIKey } from 'prefixed-api-key';
import { start } from './child.mjs';
import { freshStrings, HOT } from './tokens.mjs';

/**
 * better-auth in a process of its own: it uses AsyncLocalStorage, which on Node 20 makes every promise of its process
 * dearer, ours too.
 */
export async function betterAuthProcess(sampleMs) {
  const process = await start('groups/better-auth-worker.mjs', [sampleMs]);
  return { name: 'better-auth api-key', take: () => process.ask('sample'), stop: () => process.stop() };
}

/** prefixed-api-key brings the check; where the hashes are kept is left to its user, here a Map by the short token. */
export async function prefixedApiKeyCase() {
  const hashes = new Map();
  const tokens = [];
  for (let i = 0; i < HOT; i++) {
    const { shortToken, longTokenHash, token } = await generateAPIKey({ keyPrefix: 'pst' });
    hashes.set(shortToken, longTokenHash);
    tokens.push(token);
  }
  const check = (token) => {
    const hash = hashes.get(extractShortToken(token));
    return hash !== undefined && checkAPIKey(token, hash);
  };
  if (!tokens.every(check)) throw new Error('prefixed-api-key does not verify');
  const next = freshStrings(tokens);
  return { name: 'prefixed-api-key', op: () => check(next()) };
}
