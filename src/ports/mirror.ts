import type { Store } from './store.js';

/** The reads of a verification. */
export type VerificationReads = Pick<
  Store,
  'findTokenByDigest' | 'findTokenByKeyId' | 'findToken' | 'findEndpoint' | 'listEndpoints'
>;

/**
 * Where a read of a {@link Mirror} was answered: by the `replica`; or by the primary, because the replica did not know the row
 * (`absent`), because this process knows of a later change (`changed`), or because the replica was too far behind (`behind`), failed
 * (`failed`) or was not in use (`unused`).
 */
export type MirrorAnswer = 'replica' | 'absent' | 'changed' | 'behind' | 'failed' | 'unused';

/** Its methods never throw. */
export interface MirrorWatcher {
  /** The replica is used from now on, or no longer. */
  used(isUsed: boolean, error: unknown): void;
  /** A read was answered. */
  answered(by: MirrorAnswer): void;
}

/**
 * Reads of verification from a replica, which may be behind. They never return a state from before a change that the store's
 * listeners were told of, nor from before the first of these reads. An absence comes from the primary only, except that an
 * organization may lack endpoints whose creation was not told yet.
 */
export interface Mirror extends VerificationReads {
  /** A state older than this is not returned. Milliseconds. */
  readonly maxLag: number;
  /** The last answer of the replica was at most so old, in milliseconds; `null`: it has shown nothing of this process yet. */
  readonly lag: number | null;
  /** Returns a function that ends it. */
  watch(watcher: MirrorWatcher): () => void;
}
