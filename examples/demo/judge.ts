import type { DenialReason } from 'postern';
import type { Answer, Client } from './clients/client.js';
import type { Expected } from './plan.js';

/** What came of one attempt. */
export interface Verdict {
  readonly decision: 'allowed' | 'denied';
  /** What the guard told its operator. */
  readonly reason: DenialReason | null;
  readonly status: string;
  /** `null`: as expected. Else what was expected. */
  readonly wanted: string | null;
}

/** How a client sees each denial: the contract's table. */
const STATUSES: Readonly<Record<Exclude<Expected, 'allowed'>, Readonly<Record<Client['protocol'], string>>>> = {
  token_missing: { http: '401', grpc: 'UNAUTHENTICATED' },
  token_malformed: { http: '400', grpc: 'UNAUTHENTICATED' },
  token_unknown: { http: '401', grpc: 'UNAUTHENTICATED' },
  scope_missing: { http: '403', grpc: 'PERMISSION_DENIED' },
  endpoint_not_granted: { http: '403', grpc: 'PERMISSION_DENIED' },
  endpoint_unknown: { http: '404', grpc: 'NOT_FOUND' },
  endpoint_private: { http: '404', grpc: 'NOT_FOUND' },
};

/** Both sides have to agree with the expectation: the reason that the guard gave, and the status that the client got. */
export function judge(
  expected: Expected,
  protocol: Client['protocol'],
  answer: Answer,
  reason: DenialReason | null,
): Verdict {
  const decision = answer.ok ? 'allowed' : 'denied';
  const asExpected =
    expected === 'allowed'
      ? answer.ok && reason === null
      : !answer.ok && reason === expected && answer.status === STATUSES[expected][protocol];
  const wanted = expected === 'allowed' ? expected : `${expected}, ${STATUSES[expected][protocol]}`;
  return { decision, reason, status: answer.status, wanted: asExpected ? null : wanted };
}
