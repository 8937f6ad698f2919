import type { LeaseSources } from './lease.js';
import type { Leases } from './leases.js';

/** The leases of an instance. They are made with the first of them: the core entry does not load their code. */
export interface Holding extends LeaseSources {
  /** `null`: none was opened yet. */
  leases: Leases | null;
}
