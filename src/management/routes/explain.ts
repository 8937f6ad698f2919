import type { Requirement } from '../../domain/requirement.js';
import { requirePermission } from '../permissions.js';
import { explanationAnswer, question } from '../wire/session-schemas.js';
import { type Route, route } from './route.js';

/** Explanations of decisions. */
export const explainRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/api/v1/explain',
    id: 'explain',
    summary: 'Why a call with a token would be allowed or denied, step by step',
    tag: 'Decisions',
    body: question,
    answer: explanationAnswer,
    permit: (context, caller) => requirePermission(context, caller, 'listTokens', 'ask for explanations'),
    async handle({ library, body: { token, zone, requirement } }) {
      // The library refuses unknown scopes.
      const explained = await library.explain({ token, zone, requirement: requirement as Requirement });
      const { decision, steps, remedy } = explained;
      return {
        body: {
          allowed: decision.allowed,
          reason: decision.allowed ? null : decision.reason,
          steps: steps.map(({ check, passed, detail }) => ({ check, passed, detail })),
          remedy: remedy ? { types: remedy.types, message: remedy.message } : null,
        },
      };
    },
  }),
];
