import * as z from 'zod';
import { ownCopy } from '../base/check.js';
import { TOKEN_ID } from '../base/ids.js';
import { isEndpointId, isOrganizationName } from '../domain/endpoint.js';
import {
  compileGrants,
  type EndpointGrant,
  isEndpointGrant,
  type StoredGrant,
  type StoredGrants,
} from '../domain/grants.js';
import type { Ownership, Principal } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';

/**
 * A grant of an access token, as an entry of `authorization_details` (RFC 9396 section 9.1): the first form for each endpoint,
 * the second for each token type with scopes.
 */
export type AuthorizationDetail =
  | {
      readonly type: 'endpoint_access';
      readonly token_type: string;
      /** An endpoint's id, or `*` for every protected endpoint of the organization. */
      readonly identifier: string;
      /** Tells apart the endpoints that had this id one after the other. Left out: any of them. */
      readonly uid?: string;
    }
  | { readonly type: 'scope_access'; readonly token_type: string; readonly scopes: readonly string[] };

/** The claims of a principal, beyond those of RFC 9068 section 2.2. */
export interface PrincipalClaims {
  readonly sub: string;
  /** The id of the API token that it was exchanged from. */
  readonly client_id: string;
  /** The `kid` of the API token's secret. The access token ends with that secret. */
  readonly secret_kid?: string;
  /** All scopes (RFC 6749 section 3.3), for resource servers that don't know token types. Left out if there are none. */
  readonly scope?: string;
  readonly authorization_details: readonly AuthorizationDetail[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: 'personal' | 'organization';
}

/** The claims of an access token, read and checked. */
export interface AccessClaims {
  readonly tokenId: string;
  /** The `kid` of the API token's secret, or `null`. The access token ends with that secret. */
  readonly kid: string | null;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly grants: StoredGrants;
  readonly methods: readonly string[] | null;
  /** The confirmation claim (RFC 7800), not checked yet. */
  readonly cnf: unknown;
}

const MAX_DETAILS = 2_000;

const name = z.string().min(1).max(200);
const details = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('endpoint_access'),
    token_type: name,
    identifier: z.union([z.literal('*'), z.custom<string>(isEndpointId)]),
    uid: name.optional(),
  }),
  z.strictObject({ type: z.literal('scope_access'), token_type: name, scopes: z.array(name) }),
]);

const claimsSchema = z.object({
  sub: z.string(),
  client_id: z.string().regex(TOKEN_ID),
  secret_kid: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
  jti: name,
  iat: z.number(),
  organization: z.custom<string>(isOrganizationName),
  owner: z.string().nullable(),
  ownership: z.enum(['personal', 'organization']),
  authorization_details: z.array(z.unknown()).max(MAX_DETAILS),
  methods: z.array(z.string()).min(1).optional(),
});

/** Writes a principal and its grants as claims. */
export function claimsOf(
  principal: Pick<Principal, 'tokenId' | 'owner' | 'ownership' | 'organization'>,
  grants: StoredGrants,
  catalog: Catalog,
): PrincipalClaims {
  const { tokenId, owner, ownership, organization } = principal;
  const held = compileGrants(grants, catalog, { named: true }).scopes;
  const scope = [...catalog.scopes].filter((each) => held.has(each)).join(' ');
  return {
    sub: owner ?? tokenId,
    client_id: tokenId,
    ...(scope !== '' && { scope }),
    authorization_details: Object.entries(grants).flatMap(([type, grant]) => detailsOf(type, grant)),
    organization,
    owner,
    ownership,
  };
}

function detailsOf(type: string, grant: StoredGrant): AuthorizationDetail[] {
  if (!isEndpointGrant(grant)) {
    return grant.scopes.length === 0 ? [] : [{ type: 'scope_access', token_type: type, scopes: grant.scopes }];
  }
  if (grant.endpoints === '*') return [{ type: 'endpoint_access', token_type: type, identifier: '*' }];
  return grant.endpoints.map(({ id, uid }) => ({
    type: 'endpoint_access',
    token_type: type,
    identifier: id,
    ...(uid !== null && { uid }),
  }));
}

/**
 * Reads the claims of a token whose signature was verified. A detail of an unknown form, or with unknown members, grants
 * nothing: it may be of a later version. A scope that the catalog doesn't know grants nothing either.
 *
 * @param named whether endpoints are matched by id alone, for a process whose endpoints are not the issuer's
 * @returns `null` if the claims are not those of our access tokens
 */
export function readAccessClaims(payload: object, { named }: { named: boolean }): AccessClaims | null {
  const result = claimsSchema.safeParse(payload);
  if (!result.success) return null;
  const {
    sub,
    client_id: tokenId,
    secret_kid: kid = null,
    owner,
    ownership,
    organization,
    methods,
    authorization_details,
  } = ownCopy(result.data);
  if (sub !== (owner ?? tokenId)) return null;
  const grants = readDetails(authorization_details, named);
  if (grants === null) return null;
  return {
    tokenId,
    kid,
    owner,
    ownership,
    organization,
    grants,
    methods: methods ?? null,
    cnf: (payload as { readonly cnf?: unknown }).cnf,
  };
}

function readDetails(given: readonly unknown[], named: boolean): StoredGrants | null {
  const scopes = new Map<string, string[]>();
  const endpoints = new Map<string, '*' | EndpointGrant[]>();
  for (const each of given) {
    const result = details.safeParse(ownCopy(each));
    if (!result.success) continue;
    const detail = ownCopy(result.data);
    const { token_type: type } = detail;
    if (detail.type === 'scope_access') scopes.set(type, [...(scopes.get(type) ?? []), ...detail.scopes]);
    else {
      const { identifier: id, uid } = detail;
      const before = endpoints.get(type) ?? [];
      const grant = { id, uid: named ? null : (uid ?? null) };
      endpoints.set(type, id === '*' || before === '*' ? '*' : [...before, grant]);
    }
  }
  // A token type has one form. Claims that give it both are not trusted at all.
  if ([...scopes.keys()].some((type) => endpoints.has(type)) || scopes.size + endpoints.size === 0) return null;
  const grants: [string, StoredGrant][] = [
    ...[...endpoints].map(([type, reached]): [string, StoredGrant] => [type, { endpoints: reached }]),
    ...[...scopes].map(([type, held]): [string, StoredGrant] => [type, { scopes: held }]),
  ];
  return Object.fromEntries(grants);
}
