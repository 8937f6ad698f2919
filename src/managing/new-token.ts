import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import { NO_LIMITS, stringifyLimits } from '../domain/limits.js';
import { formatToken, SECRET_BYTES } from '../domain/token-format.js';
import type { NewSecret, StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import { type createTokenInput, expiryFrom, limitsFrom } from './inputs.js';

/** @throws PosternError `option_invalid` where the `random` option gives something else than was asked of it */
export async function newSecret(
  ground: Ground,
  now: number,
): Promise<{ readonly token: string; readonly secret: NewSecret }> {
  const { random, tokenPrefix } = ground.settings;
  const bytes = random(SECRET_BYTES);
  if (!(bytes instanceof Uint8Array) || bytes.length !== SECRET_BYTES) {
    throw new PosternError('option_invalid', `did not return the ${SECRET_BYTES} bytes that it was asked for`, {
      path: 'random',
      input: 'createPostern',
    });
  }
  const token = formatToken(tokenPrefix, bytes);
  // Loaded with the first token that is made: a process that only verifies makes none.
  const { derivedKeyOf, keyIdOf } = await import('../base/derived-key.js');
  const key = await derivedKeyOf(token);
  const publicHalf = key && { id: ground.digester.write(keyIdOf(key.kid)).digest, publicKey: key.x };
  return { token, secret: { ...ground.digester.write(hash(token)), createdAt: now, endsAt: null, key: publicHalf } };
}

/** @throws PosternError `owner_forbidden`, `expiry_past`, `option_invalid` */
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
    ownership: input.ownership,
    name: input.name,
    description: input.description,
    types: JSON.stringify(granted.grants),
    typeNames: Object.keys(granted.grants),
    metadata: JSON.stringify(input.metadata),
    hint,
    limits: readLimits(ground, input),
    createdAt: now,
    updatedAt: now,
    expiresAt: expiryFrom(input, now),
    revokedAt: null,
    lastUsedAt: null,
    version: 1,
  };
}

/**
 * Limits as the store keeps them. Where nothing counts, a limit would be a promise that nobody keeps.
 *
 * @throws PosternError `option_invalid`
 */
export function readLimits(ground: Ground, input: Parameters<typeof limitsFrom>[0], before = NO_LIMITS): string | null {
  const limits = stringifyLimits(limitsFrom(input, before));
  if (limits === null || ground.settings.rateLimiter !== null) return limits;
  throw new PosternError('option_invalid', 'nothing counts calls here: give one, such as memoryRateLimiter()', {
    path: 'rateLimiter',
    input: 'createPostern',
  });
}
