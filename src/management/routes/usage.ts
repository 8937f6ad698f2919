import * as z from 'zod';
import { tokenUnknown } from '../http/problem.js';
import { assertMaySee, requirePermission, sees } from '../permissions.js';
import { dailyUsageAnswer, tokenUsageQuery, usageAnswer, usageQuery } from '../wire/schemas.js';
import { type Route, route } from './route.js';

const tag = 'Usage';

/** Uses of tokens: in total, and by day. */
export const usageRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/api_tokens/{uid}/usage',
    id: 'tokenUsage',
    summary: 'The uses of a token by endpoint, or of its last 90 days by day, endpoint and scopes (by=day)',
    tag,
    query: tokenUsageQuery,
    answer: z.union([usageAnswer, dailyUsageAnswer]),
    refusals: [404],
    permit: assertMaySee,
    async handle({ context, caller, library, params, query: { by, ...days } }) {
      const record = await library.tokens.get(params.uid as string);
      if (record === null || !sees(context, caller, record)) throw tokenUnknown();
      if (by === 'day') return { body: { items: await library.tokens.usage(record.id, { by, ...datesOf(days) }) } };
      const uses = await library.tokens.usage(record.id);
      const items = uses.map(({ endpoint, count, lastUsedAt }) => {
        return { endpoint, count, last_used_at: lastUsedAt.toISOString() };
      });
      return { body: { items } };
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/usage',
    id: 'usage',
    summary: 'The uses of all tokens of the organization in the last 90 days, by day, endpoint and scopes',
    tag,
    query: usageQuery,
    answer: dailyUsageAnswer,
    permit: (context, caller) => requirePermission(context, caller, 'listTokens', "see the organization's usage"),
    async handle({ library, query }) {
      return { body: { items: await library.usage(datesOf(query)) } };
    },
  }),
];

function datesOf({ from, to }: z.output<typeof usageQuery>) {
  return { ...(from !== undefined && { from: new Date(from) }), ...(to !== undefined && { to: new Date(to) }) };
}
