import { type Denied, denied, scopeMissing } from './decision.js';
import type { CompiledRequirement } from './requirement.js';
import type { Trace } from './trace.js';

/** Denies a token that is limited to other methods than this one; otherwise `null`. */
export function decideMethod(
  methods: readonly string[] | null,
  method: string | null,
  requirement: CompiledRequirement,
  trace?: Trace,
): Denied | null {
  if (methods === null) return null;
  const passed = method !== null && methods.includes(method);
  trace?.method(methods, method, passed);
  if (passed) return null;
  if (requirement.kind === 'endpoint') return denied('endpoint_not_granted');
  return requirement.kind === 'scope' ? scopeMissing(requirement.scopes) : denied('scope_missing');
}
