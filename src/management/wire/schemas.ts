import * as z from 'zod';
import { ACCESS, isEndpointId } from '../../domain/endpoint.js';
import { TOKEN_STATES } from '../../domain/token-state.js';
import { CHANGE_TYPES } from '../../ports/changes.js';
import { limitStanding, quota, rateLimit } from './limits.js';
import { isDay, parseTime } from './time.js';

/*
 * The wire. These schemas read the input and make the OpenAPI document. The library checks lengths, so that they are counted in one
 * place.
 */

const time = z.string().meta({ format: 'date-time' });
const count = z.int('give a whole number').min(0, 'give at least 0');

export const cursor = z
  .string('give the next_cursor of the page before')
  .meta({ description: 'next_cursor of the page before' });
export const pageSize = z
  .int('give a whole number from 1 to 1000')
  .min(1, 'give at least 1')
  .max(1_000, 'give at most 1000')
  .default(100);

// Answers are open: clients ignore fields of a newer server. Input is closed: unknown fields are refused.

export const userAnswer = z
  .object({ name: z.string(), email: z.string(), first_name: z.string(), last_name: z.string() })
  .meta({ id: 'User', description: 'Texts, empty if unknown' });

const labelFields = { key: z.string(), value: z.string() };
const labelAnswer = z.object(labelFields).meta({ id: 'Label' });
export const label = z.strictObject(labelFields);

export const organizationAnswer = z
  .object({
    uid: z.string(),
    created_at: time,
    updated_at: time.nullable(),
    deleted_at: time.nullable(),
    name: z.string(),
    resource_type: z.literal('organization'),
    labels: z.array(labelAnswer),
    description: z.string(),
  })
  .meta({ id: 'Organization' });

const grant = z.union(
  [
    z.strictObject({ scopes: z.array(z.string('give names of scopes'), 'give a list of scopes') }),
    z.strictObject({
      endpoints: z.union(
        [z.literal('*'), z.array(z.string('give ids of endpoints'))],
        "give a list of endpoints' ids, or '*' for all",
      ),
    }),
  ],
  'give { scopes: […] } or { endpoints: […] }',
);

export const types = z
  .record(z.string(), grant, 'give an object, such as { developer: { scopes: ["models:read"] } }')
  .meta({
    id: 'Types',
    description: 'Token type → its grant: scopes, or endpoints by id ("*": every protected endpoint)',
    examples: [{ user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } }],
  });

const tokenAnswerFields = {
  uid: z.string(),
  created_at: time,
  updated_at: time.nullable(),
  deleted_at: time.nullable(),
  name: z.string(),
  resource_type: z.literal('api_token'),
  labels: z.array(labelAnswer),
  description: z.string(),
  scopes: z
    .array(z.string())
    .meta({ description: "In BentoCloud's words. A scope without such a word has its own name" }),
  user: userAnswer,
  organization: organizationAnswer,
  expired_at: time.nullable().meta({ description: 'null: never' }),
  last_used_at: time.nullable(),
  is_expired: z.boolean(),
  is_api_token: z.literal(true),
  is_organization_token: z.boolean(),
  is_global_access: z.boolean().meta({ description: 'Reaches every protected endpoint' }),
  types,
  dead_grants: z.array(z.object({ type: z.string(), endpoint: z.string() })).meta({
    description: 'Those of `types` whose endpoint was deleted: they reach nothing. An update drops or renews them',
  }),
  owner: z.string().nullable(),
  hint: z.string().meta({ description: 'The first and the last characters of the token, to recognise it' }),
  revoked_at: time.nullable(),
  rate_limit: rateLimit.nullable(),
  quota: quota.nullable(),
  cut_fields: z.array(z.string()).meta({
    description: 'Fields that are shortened here, in pages by number (start) only: get the token to see all of it',
  }),
};

export const tokenAnswer = z.object(tokenAnswerFields).meta({ id: 'Token' });

export const tokenDetailAnswer = z
  .object({
    ...tokenAnswerFields,
    limits: z.array(limitStanding).nullable().meta({
      description: 'What is left of its limits. Empty: it has none. null: the counts can not be read at the moment',
    }),
    secrets: z.array(z.object({ created_at: time, ends_at: time.nullable() })).meta({
      description: 'The secrets that work, the current one first: after a rotation, old ones until their grace ends',
    }),
  })
  .meta({ id: 'TokenDetail' });

export const issuedTokenAnswer = z
  .object({
    ...tokenAnswerFields,
    token: z.string().meta({ description: 'The secret. It is shown here and never again' }),
  })
  .meta({ id: 'IssuedToken' });

export const tokenPageAnswer = z.object({
  start: count,
  count: count.meta({
    description:
      'The next page begins at start + count. It is as requested in pages by number, unless a search stopped early',
  }),
  total: count.meta({
    description:
      'The number of matching tokens, counted up to 10,000, and always more than the page ends with if there are others. A search counts among the newest 50,000 tokens',
  }),
  more: z.boolean().meta({ description: 'Whether there are, or may be, more than the total' }),
  items: z.array(tokenAnswer).meta({
    description:
      'By number (start): all that were requested, with long fields shortened (cut_fields). By cursor: whole tokens, perhaps fewer than requested',
  }),
  next_cursor: z.string().nullable().meta({ description: 'null: there is nothing after these' }),
});

export const ownership = z.enum(['personal', 'organization'], "use 'personal' or 'organization'");

export const tokenQuery = z.strictObject({
  start: z.int('give a whole number').min(0, 'give at least 0').max(1e9, 'give less').optional(),
  count: pageSize,
  search: z.string().optional().meta({ description: 'A text in the name or the description' }),
  type: z.string().optional(),
  owner: z.string().optional(),
  ownership: ownership.optional(),
  state: z
    .enum(TOKEN_STATES, `use one of ${TOKEN_STATES.join(', ')}`)
    .optional()
    .meta({
      description: 'expiring: it expires within 7 days. idle: not used for 30 days. active: none of the others',
    }),
  expires: z.string().optional().meta({ description: 'Within this time from now, such as 30d, or never' }),
  cursor: cursor.optional(),
});

const expiredAt = z
  .string('give a time, such as 2027-01-31T00:00:00Z')
  .nullable()
  .meta({ description: 'ISO 8601, or YYYY-MM-DD HH:MM:SS.ffffff; without an offset: UTC. null: never' });

const description = z.string('give a text').meta({ maxLength: 2_000 });
const name = z.string('give a text of 1 to 200 characters').meta({ minLength: 1, maxLength: 200 });
const labels = z.array(label, 'give a list of { key, value }').max(50, 'give at most 50');

const scopes = z
  .array(z.string('give names of scopes'), 'give a list of scopes')
  .max(1_000, 'give at most 1000')
  .meta({ description: "BentoCloud's words (api, read_organization, …) or names such as models:read" });

export const duration = z.string("give a duration, such as '30d'").meta({ examples: ['1h', '30d'] });

export const newToken = z.strictObject({
  name,
  description: description.nullish(),
  scopes: scopes.nullish(),
  types: types.nullish(),
  expired_at: expiredAt.optional(),
  expires_in: duration.nullish().meta({ description: 'From now, in place of expired_at' }),
  labels: labels.nullish(),
  ownership: ownership.nullish().meta({ description: "Default: 'personal'" }),
  rate_limit: rateLimit.nullish(),
  quota: quota.nullish(),
});

export const tokenChanges = z.strictObject({
  name: name.nullish(),
  description: description.nullish(),
  scopes: scopes.nullish(),
  types: types.nullish(),
  expired_at: expiredAt.optional(),
  labels: labels.nullish(),
  rate_limit: rateLimit.nullish().meta({ description: 'null: none. A changed limit starts new windows' }),
  quota: quota.nullish().meta({ description: 'null: none. A changed limit starts new windows' }),
});

export const rotation = z.strictObject({
  grace: duration.nullish().meta({ description: 'The time that the old secret still works. Default: none' }),
});

export const nothing = z.strictObject({});

export const usageAnswer = z.object({
  items: z.array(z.object({ endpoint: z.string().nullable(), count, last_used_at: time })),
});

const date = z.string('give a day').refine(isDay, 'give a day, such as 2026-01-31').meta({ format: 'date' });
const days = { from: date.optional(), to: date.optional() };

export const tokenUsageQuery = z.strictObject({ by: z.literal('day', "use 'day'").optional(), ...days });
export const usageQuery = z.strictObject(days);

export const dailyUsageAnswer = z.object({
  items: z.array(
    z.object({
      day: z.string().meta({ format: 'date', description: 'In UTC' }),
      endpoint: z.string().nullable().meta({ description: 'null: calls without an endpoint' }),
      scopes: z.array(z.string()).meta({ description: 'The scopes that each of the calls needed' }),
      count,
    }),
  ),
});

const access = z.enum(ACCESS, `use ${ACCESS.join(', ')}`);

export const endpointAnswer = z
  .object({ id: z.string(), organization: z.string(), access, created_at: time, updated_at: time })
  .meta({ id: 'Endpoint' });

export const endpointPageAnswer = z.object({
  items: z.array(endpointAnswer),
  next_cursor: z.string().nullable(),
});
export const endpointQuery = z.strictObject({
  count: pageSize,
  // A cursor is the last id of a page. Not every store accepts every text.
  cursor: cursor.refine(isEndpointId, 'give the next_cursor of the page before').optional(),
});
export const newEndpoint = z.strictObject({
  id: z.string('give an id').meta({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$' }),
  access: access.default('protected'),
});
export const endpointChanges = z.strictObject({ access });

const affected = z.array(z.object({ token: tokenAnswer, last_used_at: time.nullable() }));
export const previewAnswer = z.object({
  from: access,
  to: access,
  open_to_anyone: z.boolean(),
  gain_count: count,
  lose_count: count,
  more: z.boolean().meta({
    description: 'Only the newest 50,000 tokens were checked, and there are more: both counts are "at least"',
  }),
  gain: affected.meta({ description: 'The tokens that you may see: the 100 that used it last' }),
  lose: affected,
});

const moment = z
  .string('give a time')
  .refine((text) => parseTime(text) !== null, 'give a time, such as 2026-01-31T12:00:00Z')
  .meta({ format: 'date-time' });

export const auditQuery = z.strictObject({
  count: pageSize,
  cursor: cursor.optional(),
  type: z.enum(CHANGE_TYPES, `use one of ${CHANGE_TYPES.join(', ')}`).optional(),
  subject: z.string().optional(),
  actor: z
    .string()
    .optional()
    .meta({ description: "Changes by this owner, by the token of this id, or by the 'application'" }),
  since: moment.optional().meta({ description: 'Changes at this time or later' }),
  until: moment.optional().meta({ description: 'Changes before this time' }),
});

export const auditAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      type: z.enum(CHANGE_TYPES),
      at: time,
      actor: z.union([
        z.object({ kind: z.literal('application') }),
        z.object({ kind: z.literal('principal'), token_id: z.string().nullable(), owner: z.string().nullable() }),
      ]),
      from: z.string().nullable(),
      organization: z.string(),
      subject: z.string(),
      before: z.unknown(),
      after: z.unknown(),
    }),
  ),
  next_cursor: z.string().nullable(),
});
