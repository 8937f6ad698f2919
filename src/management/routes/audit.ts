import { inTurn } from '../../base/turns.js';
import { requirePermission } from '../permissions.js';
import { auditAnswer, auditQuery } from '../wire/schemas.js';
import { auditShape } from '../wire/shapes.js';
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
    async handle({ library, query: { count, ...query } }) {
      const page = await library.audit.list({ ...query, limit: count });
      return { body: { items: await inTurn(page.items, auditShape), next_cursor: page.nextCursor } };
    },
  }),
];
