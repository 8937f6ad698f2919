import type { Trace } from '../domain/decide.js';
import type { DenialReason } from '../domain/decision.js';
import type { Holder } from './holder.js';

/** Whose a credential turned out to be. */
export function pushKnown(trace: Trace, holder: Holder | DenialReason): void {
  const passed = typeof holder !== 'string';
  const detail = passed ? `token ${holder.principal.tokenId}` : 'no token has this secret or signature';
  trace.push({ check: 'known', passed, detail });
}

/** Why a credential is none that can be looked up. */
export function pushCredential(trace: Trace, problem: DenialReason): void {
  const details: Partial<Record<DenialReason, string>> = {
    token_missing: 'no credential came with the call',
    token_malformed: 'several credentials came, or one that is no single token of at most 8 KiB',
    token_unknown: 'the credential has the form of no token of this instance, or a wrong checksum',
  };
  trace.push({ check: 'credential', passed: false, detail: details[problem] ?? problem });
}
