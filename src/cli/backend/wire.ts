import { z } from 'zod';
import type {
  AffectedView,
  EndpointView,
  ExplanationView,
  Inspection,
  PreviewView,
  TokenView,
  UsageView,
} from './backend.js';
import { labelsOf, NOT_ACTIVE } from './views.js';

/**
 * What the management API answers, in the parts that the command reads. Loose: an older or newer server, or BentoCloud's own,
 * has more or less, and what is missing is shown as nothing.
 */
const time = z.string().nullable();
const grants = z.record(
  z.string(),
  z.looseObject({
    scopes: z.array(z.string()).optional(),
    endpoints: z.union([z.literal('*'), z.array(z.string())]).optional(),
  }),
);

const user = z.looseObject({ name: z.string(), email: z.string().default('') });
const organization = z.looseObject({ name: z.string() });

export const tokenOnWire = z
  .looseObject({
    uid: z.string(),
    name: z.string(),
    description: z.string().default(''),
    types: grants.default({}),
    labels: z.array(z.unknown()).default([]),
    user,
    organization,
    owner: z.string().nullish(),
    hint: z.string().nullish(),
    is_organization_token: z.boolean().default(false),
    is_expired: z.boolean().default(false),
    created_at: z.string(),
    updated_at: time.default(null),
    expired_at: time.default(null),
    revoked_at: time.default(null),
    last_used_at: time.default(null),
  })
  .transform((token): TokenView => {
    return {
      uid: token.uid,
      name: token.name,
      description: token.description,
      // The server's word on what has ended: this machine's clock may be wrong.
      status: token.revoked_at !== null ? 'revoked' : token.is_expired ? 'expired' : 'active',
      types: token.types,
      organization: token.organization.name,
      owner: token.owner === undefined ? token.user.name || null : token.owner,
      ownership: token.is_organization_token ? 'organization' : 'personal',
      hint: token.hint ?? null,
      labels: labelsOf(token.labels),
      created_at: token.created_at,
      updated_at: token.updated_at,
      expired_at: token.expired_at,
      revoked_at: token.revoked_at,
      last_used_at: token.last_used_at,
    };
  });

export const issuedOnWire = z.looseObject({ token: z.string() });

export const tokensOnWire = z.looseObject({
  items: z.array(tokenOnWire),
  next_cursor: z.string().nullish(),
});

export const endpointOnWire = z
  .looseObject({
    id: z.string(),
    access: z.enum(['public', 'protected', 'private']),
    organization: z.union([z.string(), organization.transform(({ name }) => name)]).default(''),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .transform(({ id, access, organization: of, created_at, updated_at }): EndpointView => {
    return { id, access, organization: of, created_at, updated_at };
  });

export const endpointsOnWire = z.looseObject({ items: z.array(endpointOnWire), next_cursor: z.string().nullish() });

export const usageOnWire = z.looseObject({
  items: z.array(
    z
      .looseObject({ endpoint: z.string().nullable(), count: z.number(), last_used_at: z.string() })
      .transform(({ endpoint, count, last_used_at }): UsageView => ({ endpoint, count, last_used_at })),
  ),
});

const affected = z
  .looseObject({ token: tokenOnWire, last_used_at: time })
  .transform(({ token, last_used_at }): AffectedView => {
    return { uid: token.uid, name: token.name, owner: token.owner, last_used_at };
  });

export const previewOnWire = z
  .looseObject({
    from: z.enum(['public', 'protected', 'private']),
    to: z.enum(['public', 'protected', 'private']),
    open_to_anyone: z.boolean(),
    gain_count: z.number(),
    lose_count: z.number(),
    gain: z.array(affected),
    lose: z.array(affected),
  })
  .transform(({ from, to, open_to_anyone, gain_count, lose_count, gain, lose }): PreviewView => {
    return { from, to, open_to_anyone, gain_count, lose_count, gain, lose };
  });

export const userOnWire = user;
export const organizationOnWire = organization;

/** RFC 7662, with the endpoints beside. */
export const introspectionOnWire = z
  .looseObject({
    active: z.boolean(),
    scope: z.string().default(''),
    client_id: z.string().nullish(),
    exp: z.number().nullish(),
    owner: z.string().nullish(),
    organization: z.string().nullish(),
    endpoints: z.union([z.literal('*'), z.array(z.string())]).default([]),
  })
  .transform((found): Inspection => {
    if (!found.active) return { ...NOT_ACTIVE, reason: null };
    return {
      active: true,
      reason: null,
      uid: found.client_id ?? null,
      owner: found.owner ?? null,
      organization: found.organization ?? null,
      scopes: found.scope.split(' ').filter((scope) => scope !== ''),
      endpoints: found.endpoints,
      expired_at: typeof found.exp === 'number' ? new Date(found.exp * 1000).toISOString() : null,
    };
  });

export const explanationOnWire = z
  .looseObject({
    allowed: z.boolean(),
    reason: z.string().nullable(),
    steps: z.array(z.looseObject({ check: z.string(), passed: z.boolean(), detail: z.string() })),
    remedy: z.looseObject({ types: z.unknown(), message: z.string() }).nullish(),
  })
  .transform(({ allowed, reason, steps, remedy }): ExplanationView => {
    return {
      allowed,
      reason,
      steps: steps.map(({ check, passed, detail }) => ({ check, passed, detail })),
      remedy: remedy ? { types: remedy.types, message: remedy.message } : null,
    };
  });
