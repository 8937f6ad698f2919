import { z } from 'zod';
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
 * What an access token grants, as `authorization_details` (RFC 9396 section 9.1): one of the first form for each endpoint, one
 * of the second for each token type with scopes.
 */
export type AuthorizationDetail =
  | {
      readonly type: 'endpoint_access';
      readonly token_type: string;
      /** An endpoint's id; `*` is every protected endpoint of the organization. */
      readonly identifier: string;
      /** Which one of all that ever had this id; left out where any is meant. */
      readonly uid?: string;
    }
  | { readonly type: 'scope_access'; readonly token_type: string; readonly scopes: readonly string[] };

/** Whose an access token is: the claims beyond those of RFC 9068 section 2.2 that a principal is made of. */
export interface PrincipalClaims {
  readonly sub: string;
  /** The id of the API token that it was exchanged from. */
  readonly client_id: string;
  /** The `kid` of the secret that it was exchanged from: it ends with that secret. */
  readonly secret_kid?: string;
  /** Every scope held (RFC 6749 section 3.3), for resource servers that know nothing of token types. Left out where there is none. */
  readonly scope?: string;
  readonly authorization_details: readonly AuthorizationDetail[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: 'personal' | 'organization';
}

/** What the claims of an access token say, once they are read. */
export interface AccessClaims {
  readonly tokenId: string;
  /** Of the secret that it was exchanged from, and ends with. */
  readonly kid: string | null;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly grants: StoredGrants;
  readonly methods: readonly string[] | null;
  /** RFC 7800; what it asks for is not judged yet. */
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

/** The claims that a principal and its grants are written as. */
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
 * Reads the claims of a token whose signature was verified. A detail that is not understood, or says more than is understood,
 * grants nothing: it may be of a later version. So does a scope that the catalog doesn't know.
 *
 * @param named whether endpoints are known by their ids alone: in a process whose endpoints are not the issuer's
 * @returns `null` where they are not those of an access token of ours
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
  // One type is of one form: what grants both says nothing that can be relied on.
  if ([...scopes.keys()].some((type) => endpoints.has(type)) || scopes.size + endpoints.size === 0) return null;
  const grants: [string, StoredGrant][] = [
    ...[...endpoints].map(([type, reached]): [string, StoredGrant] => [type, { endpoints: reached }]),
    ...[...scopes].map(([type, held]): [string, StoredGrant] => [type, { scopes: held }]),
  ];
  return Object.fromEntries(grants);
}
