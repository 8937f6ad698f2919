import type { Endpoint } from '../../domain/endpoint.js';
import type { Words } from '../../domain/token-type-words.js';
import type { Catalog } from '../../domain/token-types.js';
import type { AuditEntry } from '../../managing/audit.js';
import type { Context } from '../context.js';
import type { Organization, TokenType, AuditEntry as WireAuditEntry, Endpoint as WireEndpoint } from './types.js';

/** Organizations are only names here. Clients want a `created_at`, so they get the start of this API. */
export function organizationShape({ startedAt }: Context, name: string): Organization {
  return {
    uid: name,
    created_at: startedAt.toISOString(),
    updated_at: null,
    deleted_at: null,
    name,
    resource_type: 'organization',
    labels: [],
    description: '',
  };
}

export function endpointShape({ id, organization, access, createdAt, updatedAt }: Endpoint): WireEndpoint {
  return { id, organization, access, created_at: createdAt.toISOString(), updated_at: updatedAt.toISOString() };
}

export function auditShape({ actor, at, ...entry }: AuditEntry): WireAuditEntry {
  const { id, type, from, organization, subject, before, after } = entry;
  return {
    id,
    type,
    at: at.toISOString(),
    actor:
      actor.kind === 'application'
        ? { kind: 'application' }
        : // A person of the application's session has no token.
          { kind: 'principal', token_id: actor.tokenId === '' ? null : actor.tokenId, owner: actor.owner },
    from,
    organization,
    subject,
    before: before ?? null,
    after: after ?? null,
  };
}

/** The token types of an instance, for a choice in a form. */
export function tokenTypeShapes(catalog: Catalog): readonly TokenType[] {
  return [...catalog.types].map(([name, type]) => {
    if (type.form === 'endpoint_access') {
      return { name, form: 'endpoint_access', ...wordsOf(type.words), noun: type.words.noun ?? null };
    }
    const words = Object.entries(type.words.scopes ?? {}).map(([scope, each]) => [scope, wordsOf(each ?? {})]);
    return {
      name,
      form: 'scope_access',
      ...wordsOf(type.words),
      words: Object.fromEntries(words),
      resources: resourcesOf(type.expansions),
    };
  });
}

function wordsOf({ label, description }: Words) {
  return { label: label ?? null, description: description ?? null };
}

/** Resource → action → included actions, found from the expansions of scopes. */
function resourcesOf(expansions: ReadonlyMap<string, readonly string[]>) {
  const resources: Record<string, Record<string, string[]>> = {};
  for (const scope of expansions.get('*') ?? []) {
    const [resource = '', action = ''] = scope.split(':');
    const actions = resources[resource] ?? {};
    resources[resource] = actions;
    actions[action] = (expansions.get(scope) ?? [])
      .filter((included) => included !== scope)
      .map((included) => included.slice(resource.length + 1));
  }
  return resources;
}
