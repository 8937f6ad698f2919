import type { DenialReason, Denied } from 'postern';

/**
 * What the guards tell their operator: the true reason of a denial, where a client sees less (to it, a private and an
 * unknown endpoint are the same). All guards of the demo have `onDenied` as an option; it renders nothing, so that each sends its own
 * standard answer.
 */
export interface Witness {
  readonly onDenied: (denial: Denied) => undefined;
  /** The reason of the denial since the last call of this, `null` for none. The demo makes one call at a time. */
  take(): DenialReason | null;
}

export function createWitness(): Witness {
  let reason: DenialReason | null = null;
  return {
    onDenied(denial) {
      reason = denial.reason;
    },
    take() {
      const taken = reason;
      reason = null;
      return taken;
    },
  };
}
