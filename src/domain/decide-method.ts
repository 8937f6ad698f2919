import type { Trace } from './decide.js';
import { type Denied, denied, scopeMissing } from './decision.js';
import type { CompiledRequirement } from './requirement.js';
import { quote } from './text.js';

/** Denies a token that is limited to other methods than this one; otherwise `null`. */
export function decideMethod(
  methods: readonly string[] | null,
  method: string | null,
  requirement: CompiledRequirement,
  trace?: Trace,
): Denied | null {
  if (methods === null) return null;
  const passed = method !== null && methods.includes(method);
  const asked = method === null ? 'the call does not say its method' : `this is ${quote(method, 100)}`;
  trace?.push({
    check: 'method',
    passed,
    detail: `the token is good for ${methods.join(', ') || 'no method'}; ${asked}`,
  });
  if (passed) return null;
  if (requirement.kind === 'endpoint') return denied('endpoint_not_granted');
  return requirement.kind === 'scope' ? scopeMissing(requirement.scopes) : denied('scope_missing');
}
