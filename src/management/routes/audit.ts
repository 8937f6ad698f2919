import { inTurn } from '../../base/turns.js';
import { requirePermission } from '../permissions.js';
import { auditAnswer, auditQuery } from '../wire/schemas.js';
import { auditShape } from '../wire/shapes.js';
import { parseTime } from '../wire/time.js';
import { type Route, route } from './route.js';

/** The audit log. */
export const auditRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/audit',
    id: 'listChanges',
    summary: 'Changes of tokens and endpoints, newest first, with actor, time and address',
    tag: 'Audit',
    query: auditQuery,
    answer: auditAnswer,
    permit: (context, caller) => requirePermission(context, caller, 'readAudit', 'see the audit log'),
    async handle({ library, query: { count, since, until, ...query } }) {
      const page = await library.audit.list({ ...query, since: timeOf(since), until: timeOf(until), limit: count });
      return { body: { items: await inTurn(page.items, auditShape), next_cursor: page.nextCursor } };
    },
  }),
];

function timeOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : (parseTime(text) ?? undefined);
}
