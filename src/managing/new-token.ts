import { hash } from '../base/digest.js';
import { newId } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import { NO_LIMITS, stringifyLimits } from '../domain/limits.js';
import { formatToken, SECRET_BYTES } from '../domain/token-format.js';
import type { Core } from '../instance/core.js';
import type { NewSecret, StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import { type createTokenInput, expiryFrom, limitsFrom } from './inputs.js';

/** @throws PosternError `option_invalid` where the `random` option gives something else than was asked of it */
export async function newSecret(
  core: Core,
  now: number,
): Promise<{ readonly token: string; readonly secret: NewSecret }> {
  const { random, tokenPrefix } = core.settings;
  const bytes = random(SECRET_BYTES);
  if (!(bytes instanceof Uint8Array) || bytes.length !== SECRET_BYTES) {
    throw new PosternError('option_invalid', `random(${SECRET_BYTES}) must return ${SECRET_BYTES} bytes`, {
      path: 'random',
    });
  }
  const token = formatToken(tokenPrefix, bytes);
  // Loaded with the first token that is made: a process that only verifies makes none.
  const { derivedKeyOf, keyIdOf } = await import('../base/derived-key.js');
  const key = await derivedKeyOf(token);
  const publicHalf = key && { id: core.digester.write(keyIdOf(key.kid)).digest, publicKey: key.x };
  return { token, secret: { ...core.digester.write(hash(token)), createdAt: now, endsAt: null, key: publicHalf } };
}

/** @throws PosternError `owner_forbidden`, `expiry_past`, `option_invalid` */
export function newToken(
  core: Core,
  authority: Authority,
  input: ReturnType<typeof createTokenInput.parse>,
  granted: { readonly organization: string; readonly grants: StoredGrants },
  hint: string,
  now: number,
): StoredToken {
  return {
    id: newId(core.settings.random),
    organization: granted.organization,
    owner: authority.owner(input.owner),
    ownership: input.ownership,
    name: input.name,
    description: input.description,
    types: JSON.stringify(granted.grants),
    typeNames: Object.keys(granted.grants),
    metadata: JSON.stringify(input.metadata),
    hint,
    limits: readLimits(core, input),
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
export function readLimits(core: Core, input: Parameters<typeof limitsFrom>[0], before = NO_LIMITS): string | null {
  const limits = stringifyLimits(limitsFrom(input, before));
  if (limits === null || core.settings.rateLimiter !== null) return limits;
  throw new PosternError(
    'option_invalid',
    'this postern has nothing that counts: give createPostern a rateLimiter, such as memoryRateLimiter()',
    { path: 'rateLimiter' },
  );
}
