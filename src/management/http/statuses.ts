import type { PosternErrorCode } from '../../domain/errors.js';

/** `PosternErrorCode` → status, for every code. The compiler complains if one is missing. */
export const STATUSES: Readonly<Record<PosternErrorCode, number>> = {
  closed: 503,
  conflict: 409,
  driver_missing: 503,
  endpoint_exists: 409,
  endpoint_not_granted: 403,
  endpoint_unknown: 404,
  expiry_beyond: 403,
  expiry_past: 400,
  guard_missing: 500,
  input_invalid: 400,
  issuance_forbidden: 403,
  limits_forbidden: 403,
  option_invalid: 500,
  option_unknown: 400,
  organization_forbidden: 403,
  owner_forbidden: 403,
  record_unreadable: 500,
  requirement_invalid: 400,
  scope_missing: 403,
  scope_unknown: 400,
  store_invalid: 503,
  store_newer: 503,
  token_exists: 409,
  token_expired: 409,
  token_revoked: 409,
  token_unknown: 404,
  type_unknown: 400,
  types_missing: 400,
  unavailable: 503,
};

/** Codes of this API alone, for HTTP, browsers and logins. */
export type OwnCode =
  | 'access_denied'
  | 'authorization_pending'
  | 'body_too_large'
  | 'content_type_unsupported'
  | 'expired_token'
  | 'internal_error'
  | 'method_not_allowed'
  | 'not_found'
  | 'origin_mismatch'
  | 'rate_limited'
  | 'session_over'
  | 'token_in_url'
  | 'token_malformed'
  | 'token_missing'
  | 'user_code_missing'
  | 'user_code_wrong';
