import { ownCopy } from '../../base/check.js';
import { inTurn } from '../../base/turns.js';
import { compileGrants, type Grants, type StoredGrant } from '../../domain/grants.js';
import type { TokenRecord } from '../../domain/token-record.js';
import type { TokenSecret } from '../../managing/tokens-api.js';
import type { Context } from '../context.js';
import { limitsShape } from './limits.js';
import type { Owners } from './owners.js';
import { organizationShape } from './shapes.js';
import { timeOrNull } from './time.js';
import type { Label, Token } from './types.js';

/** A token in the wire's form. All keys are always present. */
export async function tokenShape(context: Context, owners: Owners, record: TokenRecord): Promise<Token> {
  const { id, name, description, types, organization, owner, ownership, hint, expiresAt, revokedAt } = record;
  const { scopes, isGlobal } = wordsOf(types, context);
  return {
    uid: id,
    created_at: record.createdAt.toISOString(),
    updated_at: timeOrNull(record.updatedAt),
    deleted_at: null,
    name,
    resource_type: 'api_token',
    labels: labelsOf(record.metadata),
    description,
    scopes,
    user: await owners.of(owner, organization),
    organization: organizationShape(context, organization),
    expired_at: timeOrNull(expiresAt),
    last_used_at: timeOrNull(record.lastUsedAt),
    // BentoCloud's client has no other word for a revoked one.
    is_expired: revokedAt !== null || (expiresAt !== null && expiresAt.getTime() <= context.ground.time.read()),
    is_api_token: true,
    is_organization_token: ownership === 'organization',
    is_global_access: isGlobal,
    types: types as Token['types'],
    dead_grants: record.deadGrants ?? [],
    owner,
    hint,
    revoked_at: timeOrNull(revokedAt),
    ...limitsShape(record),
    cut_fields: [],
  };
}

export function secretShape({ createdAt, endsAt }: TokenSecret) {
  return { created_at: createdAt.toISOString(), ends_at: timeOrNull(endsAt) };
}

/** Those of a page. Their owners are asked for all at once. */
export async function tokenShapes(
  context: Context,
  owners: Owners,
  records: readonly TokenRecord[],
): Promise<readonly Token[]> {
  await Promise.all(records.map(({ owner, organization }) => owners.of(owner, organization)));
  return inTurn(records, (record) => tokenShape(context, owners, record));
}

interface GrantWords {
  readonly scopes: readonly string[];
  readonly isGlobal: boolean;
}

/** By the grants object of a record. Tokens with the same grants share one object, which never changes. */
const KNOWN = new WeakMap<TokenRecord['types'], GrantWords>();

function wordsOf(types: TokenRecord['types'], context: Context): GrantWords {
  const known = KNOWN.get(types);
  if (known !== undefined) return known;
  const grants = grantsOf(types, context);
  const words = { scopes: context.words.fromGrants(grants), isGlobal: grants.allEndpoints };
  KNOWN.set(types, words);
  return words;
}

/** The grants of a record, for display: endpoints are matched by name. */
function grantsOf(types: TokenRecord['types'], { ground }: Context): Grants {
  const stored = Object.entries(types).map(([name, grant]): [string, StoredGrant] => {
    const own = ownCopy(grant) as { endpoints?: '*' | readonly string[]; scopes?: readonly string[] };
    const { endpoints, scopes } = own;
    if (scopes !== undefined) return [name, { scopes }];
    return [name, { endpoints: endpoints === '*' ? '*' : (endpoints ?? []).map((id) => ({ id, uid: null })) }];
  });
  return compileGrants(Object.fromEntries(stored), ground.settings.catalog, { named: true });
}

/** Labels are kept in the record's metadata, beside the application's own data. */
export function labelsOf(metadata: TokenRecord['metadata']): Label[] {
  const labels = Object.hasOwn(metadata, 'labels') ? metadata.labels : undefined;
  if (!Array.isArray(labels)) return [];
  return labels.filter(
    (label) => typeof label?.key === 'string' && typeof label.value === 'string' && Object.keys(label).length === 2,
  );
}
