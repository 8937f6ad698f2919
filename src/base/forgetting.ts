import type { Confirmation } from '../ports/store.js';

/** What management tells the caches of decisions after a change that was made here. */
export interface Forgetting {
  /**
   * Nothing that was read of this token before is served again. The store need not have it any more. Never forgotten before its
   * time: where too many are told at once, everything is read again.
   */
  token(id: string): void;
  /** Nothing that was read of this organization's endpoints before is served again. */
  endpoints(organization: string): void;
  /** A credential that was unknown may be known now: an import brought it. */
  absences(): void;
  /** Resolves once no live process serves what was changed before: each has said so, or what it knew is too old. */
  confirm(): Promise<Confirmation>;
}
