/** Who may call an endpoint: anyone; holders of a token that reaches it; only callers in the internal zone. */
export type Access = 'public' | 'protected' | 'private';

export const ACCESS: readonly Access[] = ['public', 'protected', 'private'];

/** Where the caller stands. What is unknown is external. */
export type Zone = 'internal' | 'external';

const ENDPOINT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const ORGANIZATION_LENGTH = 100;

export function isEndpointId(value: unknown): value is string {
  return typeof value === 'string' && ENDPOINT_ID.test(value);
}

/**
 * An organization is named by 1 to 100 characters, none of them a control character. Compared by code unit, so no half of a
 * surrogate pair either: UTF-8 writes them all as one character, and two organizations would become one in a store. Nor
 * `'*'`, which stands for all of them where tokens are listed.
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

/** A guarded thing with a name, as the registry shows it. */
export interface Endpoint {
  readonly id: string;
  readonly organization: string;
  readonly access: Access;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What a decision needs to know of an endpoint. */
export interface EndpointPolicy {
  readonly id: string;
  readonly organization: string;
  readonly access: Access;
  /**
   * Which one of all that ever had this name: grants are bound to it, so an endpoint that is deleted and made again is
   * not reached by the grants of the one before.
   */
  readonly uid: string;
}
