import type { DenialReason } from '../domain/decision.js';

/** A status of gRPC, which Connect has too. */
export interface RpcStatus {
  /** 1 to 16, as gRPC numbers them. */
  readonly code: number;
  readonly details: string;
}

const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const INTERNAL = 13;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const NOTHING_HERE: RpcStatus = { code: NOT_FOUND, details: 'There is nothing here.' };

/** Reason → status, for every reason there is: the table of docs/contract.md. */
export const STATUSES: Readonly<Record<DenialReason, RpcStatus>> = {
  token_missing: { code: UNAUTHENTICATED, details: 'This needs a token, and none came with the call.' },
  token_malformed: { code: UNAUTHENTICATED, details: 'Send exactly one token, in one metadata entry.' },
  token_unknown: { code: UNAUTHENTICATED, details: 'The token is not valid.' },
  token_expired: { code: UNAUTHENTICATED, details: 'The token has expired.' },
  proof_invalid: { code: UNAUTHENTICATED, details: 'The proof of possession is not valid.' },
  token_revoked: { code: UNAUTHENTICATED, details: 'The token was revoked.' },
  scope_missing: {
    code: PERMISSION_DENIED,
    details: 'The token does not hold the scope that this needs.',
  },
  endpoint_not_granted: { code: PERMISSION_DENIED, details: 'The token does not reach this endpoint.' },
  endpoint_unknown: NOTHING_HERE,
  endpoint_private: NOTHING_HERE,
  requirement_missing: { code: PERMISSION_DENIED, details: 'This is not open to anyone.' },
  rate_limited: {
    code: RESOURCE_EXHAUSTED,
    details: 'The token has reached its limit for now.',
  },
  unavailable: {
    code: UNAVAILABLE,
    details: 'The token can not be checked at the moment. Keep it, and try again.',
  },
  internal_error: { code: INTERNAL, details: 'Something went wrong.' },
};
