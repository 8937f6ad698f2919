import type { Confirmation } from '../ports/store.js';

/** Tells the caches of the deciding room about a change that was made in this process. */
export interface Forgetting {
  /** Older reads of this token are never served again, also if the store no longer has it. */
  token(id: string): void;
  /** Older reads of this organization's endpoints are never served again. */
  endpoints(organization: string): void;
  /** An import was made: a credential that was unknown before may be known now. */
  absences(): void;
  /** Resolves once no live process serves the old state: each has confirmed it, or its cache entries have become too old. */
  confirm(): Promise<Confirmation>;
}
