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
const MAX_NAME = 200;
/** SHA-256, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

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
 * @param payload without a prototype, as `readCompact` gives it
 * @param named whether endpoints are matched by id alone, for a process whose endpoints are not the issuer's
 * @returns `null` if the claims are not those of our access tokens
 */
export function readAccessClaims(
  payload: Readonly<Record<string, unknown>>,
  { named }: { named: boolean },
): AccessClaims | null {
  const { client_id: tokenId, secret_kid: kid, owner, ownership, organization, methods, cnf } = payload;
  if (typeof tokenId !== 'string' || !TOKEN_ID.test(tokenId)) return null;
  if (kid !== undefined && !(typeof kid === 'string' && THUMBPRINT.test(kid))) return null;
  if (!isName(payload.jti) || !Number.isFinite(payload.iat)) return null;
  if (!isOrganizationName(organization) || (owner !== null && typeof owner !== 'string')) return null;
  if (ownership !== 'personal' && ownership !== 'organization') return null;
  if (methods !== undefined && !(isListOf(methods, isText) && methods.length > 0)) return null;
  if (payload.sub !== (owner ?? tokenId)) return null;
  const { authorization_details: details } = payload;
  if (!Array.isArray(details) || details.length > MAX_DETAILS) return null;
  const grants = readDetails(details, named);
  if (grants === null) return null;
  return { tokenId, kid: kid ?? null, owner, ownership, organization, grants, methods: methods ?? null, cnf };
}

function readDetails(given: readonly unknown[], named: boolean): StoredGrants | null {
  const scopes = new Map<string, readonly string[]>();
  const endpoints = new Map<string, '*' | readonly EndpointGrant[]>();
  for (const each of given) {
    const detail = readDetail(each);
    if (detail === null) continue;
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

/** `null`: its form, or one of its members, is unknown. */
function readDetail(value: unknown): AuthorizationDetail | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const detail = ownCopy(value) as Record<string, unknown>;
  const { type, token_type, identifier, uid, scopes } = detail;
  if (!isName(token_type) || !Object.keys(detail).every(isMember)) return null;
  if (type === 'scope_access' && identifier === undefined && uid === undefined) {
    return isListOf(scopes, isName) ? { type, token_type, scopes } : null;
  }
  if (type !== 'endpoint_access' || scopes !== undefined) return null;
  if (!(identifier === '*' || isEndpointId(identifier)) || !(uid === undefined || isName(uid))) return null;
  return { type, token_type, identifier, ...(uid !== undefined && { uid }) };
}

const MEMBERS = ['type', 'token_type', 'identifier', 'uid', 'scopes'];

function isMember(name: string): boolean {
  return MEMBERS.includes(name);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isListOf(value: unknown, fits: (each: unknown) => each is string): value is readonly string[] {
  return Array.isArray(value) && value.every(fits);
}
