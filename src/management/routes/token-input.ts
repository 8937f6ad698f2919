import type * as z from 'zod';
import { ownCopy } from '../../base/check.js';
import { isPosternError, PosternError } from '../../domain/errors.js';
import type { Metadata } from '../../domain/token-record.js';
import type { GrantsOf, TokenTypes } from '../../domain/token-types.js';
import type { CreateToken } from '../../managing/tokens-api.js';
import type { Context } from '../context.js';
import { Problem } from '../http/problem.js';
import type { newToken, tokenChanges } from '../wire/schemas.js';
import type { ScopeWords } from '../wire/scope-words.js';
import { hasOffset, parseTime } from '../wire/time.js';

type NewToken = z.output<typeof newToken>;
type TokenChanges = z.output<typeof tokenChanges>;
type Named = Pick<NewToken, 'types' | 'scopes'>;

/** `null` and a missing field mean the same, because BentoCloud's client sends both for "not given". */
function given<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

/**
 * The types of a body: its `types`, together with its `scopes` in BentoCloud's words. `undefined` if it has neither.
 *
 * @throws PosternError `scope_unknown`; Problem 400 if both name one type
 */
export function typesFrom({ types, scopes }: Named, words: ScopeWords): GrantsOf<TokenTypes> | undefined {
  const named = given(types) ? types : undefined;
  if (!given(scopes) || scopes.length === 0) return named as GrantsOf<TokenTypes> | undefined;
  const spoken = words.toTypes(scopes);
  const twice = Object.keys(spoken).find((type) => named !== undefined && Object.hasOwn(named, type));
  if (twice !== undefined) {
    const detail = `scopes and types both name grants of the type ${twice}: give one of them.`;
    throw new Problem(400, 'input_invalid', detail, { path: 'scopes' });
  }
  return { ...named, ...spoken } as GrantsOf<TokenTypes>;
}

/** Refuses a token, or a login, without a type. @throws PosternError `types_missing` */
export function needed(types: GrantsOf<TokenTypes> | undefined, { words: { known }, ground }: Context) {
  if (types !== undefined && Object.keys(types).length > 0) return types;
  const typeNames = [...ground.settings.catalog.types.keys()];
  const words = known.length > 0 ? `, or in scopes: ${known.join(', ')}` : '';
  throw new PosternError(
    'types_missing',
    `name the token's rights, at least one type (${typeNames.join(', ')})${words}`,
    { path: 'types' },
  );
}

/** The input of a new token for the library, without its types. */
export function creationFrom(body: NewToken) {
  return {
    name: body.name,
    description: body.description ?? '',
    ...lifeFrom(body),
    ...(given(body.labels) && { metadata: { labels: body.labels } }),
    ...limitsFrom(body),
  };
}

/** @throws Problem 400 for a limit that nothing would count */
export function assertCounted(
  { rate_limit, quota }: Pick<NewToken, 'rate_limit' | 'quota'>,
  { ground }: Context,
): void {
  if (ground.settings.rateLimiter !== null || !(given(rate_limit) || given(quota))) return;
  throw new Problem(
    400,
    'input_invalid',
    'This server counts no calls, so tokens have no limits: it needs a rateLimiter.',
    {
      path: given(rate_limit) ? 'rate_limit' : 'quota',
    },
  );
}

/** The library refuses texts that are no durations. */
function limitsFrom({ rate_limit, quota }: Pick<NewToken, 'rate_limit' | 'quota'>) {
  return {
    ...(rate_limit !== undefined && { rateLimit: rate_limit as CreateToken['rateLimit'] }),
    ...(quota !== undefined && { quota: quota as CreateToken['quota'] }),
  };
}

function lifeFrom({ expired_at, expires_in }: NewToken) {
  if (given(expired_at) && given(expires_in)) {
    throw new Problem(400, 'input_invalid', 'expired_at and expires_in say the same: give one of them.', {
      path: 'expires_in',
    });
  }
  // The library refuses texts that are no durations.
  if (given(expires_in)) return { expiresIn: expires_in as '1d' };
  return given(expired_at) ? { expiresAt: timeFrom(expired_at) } : {};
}

/** Changes for the library. `null` means "no change", except for `expired_at` ("never") and the limits ("none"). */
export function changesFrom(body: TokenChanges, words: ScopeWords) {
  const types = typesFrom(body, words);
  const { name, description, expired_at, labels } = body;
  // Unchanged fields must not be read from `Object.prototype`.
  return ownCopy({
    ...(given(name) && { name }),
    ...(given(description) && { description }),
    ...(types !== undefined && { types }),
    ...(expired_at !== undefined && { expiresAt: expired_at === null ? null : timeFrom(expired_at) }),
    ...limitsFrom(body),
    ...(given(labels) && { metadata: (current: Metadata): Metadata => ({ ...current, labels }) }),
  });
}

/**
 * Runs a change with a time in it. If the time is refused and has no offset, the error says how it was read, because the sender may
 * have meant another time.
 */
export async function toldAsRead<Outcome>(time: string | null | undefined, change: Promise<Outcome>): Promise<Outcome> {
  try {
    return await change;
  } catch (error) {
    if (!given(time) || hasOffset(time) || !isPosternError(error) || error.path !== 'expiresAt') throw error;
    const read = timeFrom(time).toISOString();
    const { code, problem, path } = error;
    const told = `${problem}. It has no offset, so it was read as UTC: ${read}`;
    throw new PosternError(code, told, { path, cause: error });
  }
}

/** @throws Problem 400 */
function timeFrom(text: string): Date {
  const time = parseTime(text);
  if (time !== null) return time;
  const detail = 'expired_at is not a time: give one such as 2027-01-31T00:00:00Z, or leave it out for never.';
  throw new Problem(400, 'input_invalid', detail, { path: 'expired_at' });
}
