import * as z from 'zod';
import { duration } from '../base/duration-input.js';
import { NAME_LENGTH, organization, owner, ownership, text } from '../base/name-inputs.js';
import { ACCESS, isEndpointId, isOrganizationName } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import type { Limits, TokenRules } from '../domain/limits.js';
import { TOKEN_STATES } from '../domain/token-state.js';
import { CHANGE_TYPES } from '../ports/changes.js';
import { metadata, metadataOrUpdate } from './metadata.js';

const DESCRIPTION_LENGTH = 2_000;
export const MAX_PAGE = 1_000;
const DEFAULT_PAGE = 100;

const name = text(1, NAME_LENGTH).refine((value) => value.trim() !== '', 'give a name with visible characters');
const description = text(0, DESCRIPTION_LENGTH);
const organizationOrAll = z.custom<string>(
  (value) => value === '*' || isOrganizationName(value),
  "name an organization, or '*' for all",
);
const date = z.date('give a Date');
const types = z.unknown();
const limit = z.int(`give a whole number from 1 to ${MAX_PAGE}`).min(1).max(MAX_PAGE).default(DEFAULT_PAGE);
const cursor = z.string('give the nextCursor of the page before');

const points = z
  .int('give a whole number of points, at least 1')
  .min(1, 'give at least 1 point')
  .max(1e9, 'give at most 1,000,000,000 points');
/** A window without a length would renew its points at once. */
const windowLength = duration('1m', { least: '1s' });
const rateLimit = z.strictObject({ points, duration: windowLength }).nullable();
const quota = z.strictObject({ points, refill: windowLength }).nullable();

const tokenFields = {
  name,
  description: description.default(''),
  types,
  organization: organization.optional(),
  owner: owner.nullish(),
  ownership: ownership.optional(),
  expiresIn: duration('90d').optional(),
  expiresAt: date.nullish(),
  metadata: metadata.prefault({}),
  rateLimit: rateLimit.optional(),
  quota: quota.optional(),
  mayIssue: z.boolean('use true or false').default(true),
};

export const createTokenInput = z.strictObject(tokenFields);

export const importTokenInput = z.strictObject({
  ...tokenFields,
  digest: z
    .string('give the SHA-256 of the token in hexadecimal')
    .regex(/^[0-9a-fA-F]{64}$/, 'give the SHA-256 of the token: 64 hexadecimal digits')
    .transform((digest) => digest.toLowerCase()),
});

export const updateTokenInput = z.strictObject({
  name: name.optional(),
  description: description.optional(),
  types: types.optional(),
  expiresIn: duration('90d').optional(),
  expiresAt: date.nullish(),
  metadata: metadataOrUpdate.optional(),
  rateLimit: rateLimit.optional(),
  quota: quota.optional(),
});

/** It was taken out before. It stands here for the advice to who misspells it. */
const within = z.undefined().optional();

export const transactionInput = z.strictObject({ within });

export const revokeTokenInput = z.strictObject({ wait: z.boolean().default(false), within });

export const listChangesInput = z.strictObject({
  organization: organizationOrAll.optional(),
  subject: text(1, NAME_LENGTH).optional(),
  type: z.enum(CHANGE_TYPES, `use one of ${CHANGE_TYPES.join(', ')}`).optional(),
  actor: text(1, NAME_LENGTH).optional(),
  since: date.optional(),
  until: date.optional(),
  limit,
  cursor: cursor.nullish(),
});

const days = { from: date.optional(), to: date.optional() };

export const usageInput = z.strictObject({ organization: organization.optional(), ...days });

export const tokenUsageInput = z.strictObject({ by: z.literal('day', "use 'day'").optional(), ...days });

export const previewEndpointInput = z.strictObject({ access: z.enum(ACCESS, `use ${ACCESS.join(', ')}`) });

export const rotateTokenInput = z.strictObject({ grace: duration('1h').default(0), within });

export const countTokensInput = z.strictObject({
  organization: organizationOrAll.optional(),
  owner: owner.optional(),
  ownership: ownership.optional(),
  type: text(1, 50).optional(),
  search: text(0, NAME_LENGTH).optional(),
  state: z.enum(TOKEN_STATES, `use one of ${TOKEN_STATES.join(', ')}`).optional(),
  expires: z.union([z.literal('never'), duration('30d', { most: '36500d' })]).optional(),
});

export const listTokensInput = countTokensInput.extend({
  limit,
  cursor: cursor.nullish(),
  offset: z.int('give a whole number').min(0).max(1e9).default(0),
});

export const revokeOwnedInput = z.strictObject({ owner, organization: organization.optional() });

export const pruneInput = z.strictObject({ olderThan: duration('30d').default(0) });

export const createEndpointInput = z.strictObject({
  id: z.custom<string>(
    isEndpointId,
    'give 1 to 100 letters, digits, dots, dashes or underscores, the first a letter or digit',
  ),
  access: z.enum(ACCESS, `use ${ACCESS.join(', ')}`),
  organization: organization.optional(),
});

export const updateEndpointInput = z.strictObject({ access: z.enum(ACCESS, `use ${ACCESS.join(', ')}`).optional() });

export const organizationInput = z.strictObject({ organization: organization.optional(), within });

export const listEndpointsInput = z.strictObject({
  organization: organization.optional(),
  limit,
  cursor: z.custom<string>(isEndpointId, 'give the nextCursor of the page before').nullish(),
});

/**
 * A token's requested expiry, in epoch milliseconds; `null`: never; `undefined`: not given.
 *
 * @throws PosternError `expiry_past`, `input_invalid`
 */
export function expiryFrom(
  input: { readonly expiresIn?: number | undefined; readonly expiresAt?: Date | null | undefined },
  now: number,
): number | null | undefined {
  const { expiresIn, expiresAt } = input;
  if (expiresIn !== undefined && expiresAt !== undefined) {
    throw new PosternError('input_invalid', 'can not be combined with expiresAt: give one of them', {
      path: 'expiresIn',
    });
  }
  if (expiresIn !== undefined) return future(now + expiresIn, now, 'expiresIn');
  return expiresAt ? future(expiresAt.getTime(), now, 'expiresAt') : expiresAt;
}

function future(at: number, now: number, path: string): number {
  if (at > now) return at;
  throw new PosternError('expiry_past', 'is not in the future: give a later time, or leave it out for never', {
    path,
  });
}

/** The rules in an input. A missing one stays as it is; `null` removes a limit. */
export interface RulesInput {
  readonly rateLimit?: Limits['rateLimit'] | undefined;
  readonly quota?: Limits['quota'] | undefined;
  readonly mayIssue?: boolean | undefined;
}

/** The rules after an input. A changed limit starts new windows. */
export function rulesFrom({ rateLimit, quota, mayIssue }: RulesInput, before: TokenRules): TokenRules {
  const limits = {
    rateLimit: rateLimit === undefined ? before.rateLimit : rateLimit,
    quota: quota === undefined ? before.quota : quota,
  };
  const same = JSON.stringify(limits) === JSON.stringify({ rateLimit: before.rateLimit, quota: before.quota });
  return { ...limits, windows: same ? before.windows : before.windows + 1, mayIssue: mayIssue ?? before.mayIssue };
}
