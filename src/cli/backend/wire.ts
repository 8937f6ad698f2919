import * as z from 'zod';
import { introspectionAnswer } from '../../management/wire/oauth-schemas.js';
import {
  endpointPageAnswer,
  issuedTokenAnswer,
  organizationAnswer,
  previewAnswer,
  tokenDetailAnswer,
  userAnswer,
} from '../../management/wire/schemas.js';
import type { AffectedView, Inspection, TokenDetail, TokenView } from './backend.js';
import { labelsOf, NOT_ACTIVE } from './views.js';

/*
 * Turns the management API's answers into the command's views. An older or newer server, or BentoCloud's own, may send more or
 * fewer fields. Missing ones are shown as empty.
 */

const user = userAnswer.partial().required({ name: true });
const organization = organizationAnswer.partial().required({ name: true });

const sent = tokenDetailAnswer
  .partial()
  .required({ uid: true, name: true, created_at: true })
  .extend({ user, organization });

export const tokenOnWire = sent.transform(tokenView);
export const tokenDetailOnWire = sent.transform((token): TokenDetail => {
  return { ...tokenView(token), limits: token.limits ?? null, secrets: token.secrets ?? null };
});

function tokenView(token: z.output<typeof sent>): TokenView {
  const { revoked_at = null } = token;
  return {
    uid: token.uid,
    name: token.name,
    description: token.description ?? '',
    // The server decides, because this machine's clock may be wrong.
    status: revoked_at !== null ? 'revoked' : token.is_expired ? 'expired' : 'active',
    types: token.types ?? {},
    dead_grants: token.dead_grants ?? [],
    organization: token.organization.name,
    owner: token.owner === undefined ? token.user.name || null : token.owner,
    ownership: token.is_organization_token ? 'organization' : 'personal',
    hint: token.hint ?? null,
    labels: labelsOf(token.labels),
    created_at: token.created_at,
    updated_at: token.updated_at ?? null,
    expired_at: token.expired_at ?? null,
    revoked_at,
    last_used_at: token.last_used_at ?? null,
    rate_limit: token.rate_limit ?? null,
    quota: token.quota ?? null,
  };
}

export const issuedOnWire = issuedTokenAnswer.pick({ token: true });

const nextCursor = endpointPageAnswer.shape.next_cursor.optional();
export const tokensOnWire = endpointPageAnswer.extend({ items: tokenOnWire.array(), next_cursor: nextCursor });

const affected = previewAnswer.shape.gain.element
  .extend({ token: tokenOnWire })
  .transform(({ token: { uid, name, owner }, last_used_at }): AffectedView => ({ uid, name, owner, last_used_at }))
  .array();

export const previewOnWire = previewAnswer.extend({ gain: affected, lose: affected, more: z.boolean().default(false) });

export const userOnWire = user;
export const organizationOnWire = organization;

export const introspectionOnWire = introspectionAnswer.transform((found): Inspection => {
  const { limits = [] } = found;
  if (!found.active) return { ...NOT_ACTIVE, reason: limits.length > 0 ? 'rate_limited' : null, limits };
  return {
    active: true,
    reason: null,
    uid: found.client_id ?? null,
    owner: found.owner ?? null,
    organization: found.organization ?? null,
    scopes: (found.scope ?? '').split(' ').filter((scope) => scope !== ''),
    endpoints: found.endpoints ?? [],
    dead_endpoints: found.dead_endpoints ?? [],
    limits,
    expired_at: found.exp === undefined ? null : new Date(found.exp * 1000).toISOString(),
  };
});
