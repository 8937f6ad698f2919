/** The callers of an endpoint: anyone; holders of a token that reaches it; only callers in the internal zone. */
export type Access = 'public' | 'protected' | 'private';

export const ACCESS: readonly Access[] = ['public', 'protected', 'private'];

/** The caller's side of the network. An unknown caller is external. */
export type Zone = 'internal' | 'external';

const ENDPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const ORGANIZATION_LENGTH = 100;

export function isEndpointId(value: unknown): value is string {
  return typeof value === 'string' && ENDPOINT_ID.test(value);
}

/**
 * An organization's name has 1 to 100 characters. Control characters are refused. Half a surrogate pair is refused: UTF-8 writes
 * every such half as the same character, so a store would take two organizations for one. `'*'` is refused: in a list of
 * tokens it means all organizations.
 */
export function isOrganizationName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= ORGANIZATION_LENGTH &&
    value !== '*' &&
    !/[\p{Cc}\p{Cs}]/u.test(value)
  );
}

/** A registered endpoint. */
export interface Endpoint {
  readonly id: string;
  readonly organization: string;
  readonly access: Access;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The facts about an endpoint that a decision needs. */
export interface EndpointPolicy {
  readonly id: string;
  readonly organization: string;
  readonly access: Access;
  /**
   * Unique for ever. Grants are bound to it: a new endpoint under a deleted endpoint's name is not reached by the old grants.
   */
  readonly uid: string;
}
