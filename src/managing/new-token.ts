import { isBytes } from '../base/bytes.js';
import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { expiryOf } from '../base/token-reader.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import { isLimited, NO_RULES, stringifyRules, type TokenRules } from '../domain/limits.js';
import { formatToken, SECRET_BYTES } from '../domain/token-format.js';
import type { NewSecret, StoredToken } from '../ports/records.js';
import type { Store } from '../ports/store.js';
import type { Authority } from './authority.js';
import { type createTokenInput, expiryFrom, rulesFrom } from './inputs.js';

/** Reads the `types` of a token, and refuses grants that its maker may not give. */
export type ResolveGrants = (
  types: unknown,
  organization: string,
  findEndpoint?: Store['findEndpoint'],
) => Promise<StoredGrants>;

/** @throws PosternError `option_invalid` if the `random` option doesn't return the requested bytes */
export async function newSecret(
  ground: Ground,
): Promise<{ readonly token: string; readonly makeSecret: (now: number) => NewSecret }> {
  const { random, tokenPrefix } = ground.settings;
  const bytes = random(SECRET_BYTES);
  if (!isBytes(bytes) || bytes.length !== SECRET_BYTES) {
    throw new PosternError('option_invalid', `random(${SECRET_BYTES}) must return ${SECRET_BYTES} bytes`, {
      path: 'random',
    });
  }
  const token = formatToken(tokenPrefix, bytes);
  // Loaded on demand: a process that only verifies makes no tokens.
  const { derivedKeyOf, keyIdOf } = await import('../base/derived-key.js');
  const key = await derivedKeyOf(token);
  const publicHalf = key && { id: ground.digester.write(keyIdOf(key.kid)).digest, publicKey: key.x };
  const digested = ground.digester.write(hash(token));
  return { token, makeSecret: (now) => ({ ...digested, createdAt: now, endsAt: null, key: publicHalf }) };
}

/** @throws PosternError `owner_forbidden`, `expiry_past`, `expiry_beyond`, `option_invalid` */
export function newToken(
  ground: Ground,
  authority: Authority,
  input: ReturnType<typeof createTokenInput.parse>,
  granted: { readonly organization: string; readonly grants: StoredGrants },
  hint: string,
  now: number,
): StoredToken {
  return {
    id: newId(ground.settings.random),
    organization: granted.organization,
    owner: authority.owner(input.owner),
    ownership: authority.ownership(input.ownership),
    name: input.name,
    description: input.description,
    types: JSON.stringify(granted.grants),
    typeNames: Object.keys(granted.grants),
    metadata: JSON.stringify(input.metadata),
    hint,
    limits: writeRules(ground, rulesFrom(input, NO_RULES)),
    createdAt: now,
    updatedAt: now,
    expiresAt: authority.end(expiryFrom(input, now), now),
    revokedAt: null,
    lastUsedAt: null,
    version: 1,
  };
}

/**
 * Rules as the store keeps them. Limits are refused if there is no limiter to enforce them.
 *
 * @throws PosternError `option_invalid`
 */
export function writeRules(ground: Ground, rules: TokenRules): string | null {
  if (!isLimited(rules) || ground.settings.rateLimiter !== null) return stringifyRules(rules);
  throw new PosternError('option_invalid', 'is needed for limits: give one, such as memoryRateLimiter()', {
    path: 'rateLimiter',
    input: 'createPostern',
  });
}

export function assertUnexpired(token: StoredToken, now: number): void {
  if (expiryOf(token) > now) return;
  throw new PosternError('token_expired', 'an expired token stays expired: create a new one', { path: 'id' });
}
