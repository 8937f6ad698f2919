import { hash } from '../../base/digest.js';
import type { Requirement } from '../../domain/requirement.js';
import { formatToken, SECRET_BYTES } from '../../domain/token-format.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { requirePermission } from '../permissions.js';
import { explanationAnswer, question } from '../wire/session-schemas.js';
import { type Route, route } from './route.js';

/** Why a call would be allowed or denied. */
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
    async handle({ context, caller, body }) {
      const { organization } = caller;
      const requirement = (
        'authenticated' in body.requirement ? body.requirement : { ...body.requirement, organization }
      ) as Requirement;
      const token = body.token == null ? null : await visible(context, caller, body.token);
      const { decision, steps, remedy } = await context.postern.explain({ token, zone: body.zone, requirement });
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

/** Another organization's token is explained as one that nobody issued: its like is made up for that. */
async function visible({ core, identifyToken }: Context, { organization }: Caller, token: string): Promise<string> {
  const holder = await identifyToken(token);
  if (!('allowed' in holder)) return holder.principal.organization === organization ? token : unknownToken(core);
  if (holder.reason !== 'token_expired' && holder.reason !== 'token_revoked') return token;
  // What has ended says no longer whose it was; the store does.
  const ascii = /^[\x21-\x7e]+$/.test(token);
  const ended = ascii ? await core.store.findTokenByDigest(core.digester.candidates(hash(token))) : null;
  return ended?.token.organization === organization ? token : unknownToken(core);
}

function unknownToken({ settings }: Context['core']): string {
  return formatToken(settings.tokenPrefix, settings.random(SECRET_BYTES));
}
