import assert from 'node:assert/strict';
import type { DenialReason } from 'postern';
import type { Case } from './cases.js';
import type { RawAnswer } from './http-client.js';

/** The HTTP columns of docs/contract.md, written a second time: status, challenge after the realm, other headers. */
const EXPECTED: Readonly<Record<DenialReason, { status: number; challenge: string | null; retryAfter?: string }>> = {
  token_missing: { status: 401, challenge: '' },
  token_malformed: { status: 400, challenge: ', error="invalid_request"' },
  token_unknown: { status: 401, challenge: ', error="invalid_token"' },
  token_expired: { status: 401, challenge: ', error="invalid_token", error_description="The token has expired"' },
  token_revoked: { status: 401, challenge: ', error="invalid_token", error_description="The token was revoked"' },
  // Cases with a proof are in test/jwt/dpop.test.ts.
  proof_invalid: { status: 401, challenge: ', error="invalid_dpop_proof"' },
  scope_missing: { status: 403, challenge: ', error="insufficient_scope", scope="SCOPES"' },
  endpoint_not_granted: { status: 403, challenge: ', error="insufficient_scope"' },
  endpoint_unknown: { status: 404, challenge: null },
  endpoint_private: { status: 404, challenge: null },
  requirement_missing: { status: 403, challenge: null },
  rate_limited: { status: 429, challenge: null },
  unavailable: { status: 503, challenge: null, retryAfter: '5' },
  internal_error: { status: 500, challenge: null },
};

/** Throws where the answer is not the one that the contract promises for the case. */
export function assertAnswered({ expected, scopes }: Case, { status, headers, body }: RawAnswer): void {
  if (expected === 'allowed') {
    assert.deepEqual({ status, body }, { status: 200, body: 'reached' });
    return;
  }
  const promised = EXPECTED[expected];
  const challenge = promised.challenge?.replace('SCOPES', scopes ?? '');
  const scope = scopes !== undefined && promised.status === 401 ? `, scope="${scopes}"` : '';
  assert.deepEqual(
    {
      status,
      challenge: headers['www-authenticate'],
      type: headers['content-type'],
      cache: headers['cache-control'],
      retryAfter: headers['retry-after'],
      members: Object.keys(JSON.parse(body)),
    },
    {
      status: promised.status,
      challenge: challenge === undefined ? undefined : `Bearer realm="postern"${challenge}${scope}`,
      type: 'application/problem+json',
      cache: 'no-store',
      retryAfter: promised.retryAfter,
      members: ['type', 'title', 'status', 'detail', 'code'],
    },
  );
  assert.equal(JSON.parse(body).status, status);
  assert.doesNotMatch(body, /secret detail|ECONNREFUSED|10\.1\.2\.3/);
}
