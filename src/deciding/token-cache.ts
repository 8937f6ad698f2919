import type { CacheLimits } from '../base/options.js';
import { Remembered } from '../base/remembered.js';
import type { Account } from './holder.js';
import type { KnownToken } from './known-token.js';

const MAX_ABSENT = 10_000;
const ABSENT_TTL = 5_000;
/** While the feed of changes is lost, nothing older than this is served. Milliseconds. */
const FEEDLESS_TTL = 5_000;
/** With more single invalidations than this, everything is forgotten: it is cheaper. */
const MAX_INVALIDATIONS = 250_000;

/**
 * Caches tokens by the hash of the whole token. An invalidation is kept by the token's id until every earlier read is too old to
 * be served. An entry counts only if no invalidation came after its read began. So a read that was in progress during a
 * revocation can't bring the old record back, and no index from id to entries is needed.
 */
export class TokenCache {
  readonly #limits: CacheLimits;
  /** An absence is the clock time before the read that found no token. */
  readonly #entries: Remembered<string, KnownToken, number>;
  #sequence = 0;
  /** Reads that began before this invalidation don't count. */
  #floor = 0;
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  #ttl: number;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
    this.#ttl = limits.ttl;
    this.#entries = new Remembered(limits.maxTokens, MAX_ABSENT);
  }

  /** The number of the last invalidation. Take it before a read, and pass it to the resulting {@link KnownToken}. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How long what was read may be served now, in milliseconds; 0: not at all. */
  get ttl(): number {
    return this.#ttl;
  }

  /** `null`: a recent read found no such token. `undefined`: the store must be read. */
  peek(key: string, now: number): KnownToken | null | undefined {
    const token = this.#entries.value(key);
    if (token !== undefined) {
      return now - token.loadedAt < this.#ttl && this.isCurrent(token) ? token : undefined;
    }
    const absentAt = this.#entries.absence(key);
    return absentAt !== undefined && now - absentAt < Math.min(ABSENT_TTL, this.#ttl) ? null : undefined;
  }

  /** The token from before an outage, if it may still be served. Changes that were seen since then count. */
  peekStale(key: string, now: number): KnownToken | undefined {
    const { ttl, staleIfUnavailable } = this.#limits;
    const token = staleIfUnavailable > 0 ? this.#entries.value(key) : undefined;
    return token && now - token.loadedAt < ttl + staleIfUnavailable && this.isCurrent(token) ? token : undefined;
  }

  /** Sets whether other processes' changes are reported at once. Without that, entries are served for a shorter time. */
  setFeed(connected: boolean): void {
    this.#ttl = feedTtl(this.#limits, connected);
  }

  /** Whether the token was not invalidated since its read began. */
  isCurrent(token: Account): boolean {
    if (token.sequence === this.#sequence) return true;
    if (token.sequence < this.#floor) return false;
    const id = token.principal.tokenId;
    return (this.#recent.get(id) ?? -1) <= token.sequence && (this.#earlier.get(id) ?? -1) <= token.sequence;
  }

  set(key: string, token: KnownToken): void {
    if (this.#limits.ttl === 0 || !this.isCurrent(token)) return;
    // A later read found the token gone.
    const absentAt = this.#entries.absence(key);
    if (absentAt === undefined || absentAt < token.loadedAt) this.#entries.setValue(key, token);
  }

  /** @param sequence {@link sequence} before the read that found nothing */
  setAbsent(key: string, now: number, sequence: number): void {
    if (this.#limits.ttl === 0) return;
    // If an invalidation came after the read began, the absence is not sure. The older entry is dropped in any case.
    if (sequence === this.#sequence) this.#entries.setAbsence(key, now);
    else this.#entries.delete(key);
  }

  invalidate(id: string, now: number): void {
    this.#sequence++;
    if (now - this.#turnedAt >= this.#limits.ttl + this.#limits.staleIfUnavailable) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
      this.#turnedAt = now;
    }
    this.#recent.set(id, this.#sequence);
    if (this.#recent.size > MAX_INVALIDATIONS) this.clear();
  }

  /** After an import: the token may have been tried before, and cached as absent. */
  forgetAbsences(): void {
    this.#sequence++;
    this.#entries.clearAbsences();
  }

  clear(): void {
    this.#floor = ++this.#sequence;
    this.#entries.clear();
    this.#recent = new Map();
    this.#earlier = new Map();
    this.#turnedAt = Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.#entries.size;
  }
}

/** How long a read may be served, in milliseconds. */
export function feedTtl({ ttl }: CacheLimits, connected: boolean): number {
  return connected ? ttl : Math.min(ttl, FEEDLESS_TTL);
}
