import { BoundedMap } from '../base/bounded-map.js';
import type { CacheLimits } from '../base/options.js';
import { Remembered } from '../base/remembered.js';
import type { KnownToken } from './known-token.js';

const MAX_ABSENT = 10_000;
const ABSENT_TTL = 5_000;
/** While the feed of changes is lost, nothing older than this is served: others' changes are not told. Milliseconds. */
const FEEDLESS_TTL = 5_000;
/** Beyond this many single invalidations at once it is cheaper to forget everything. */
const MAX_INVALIDATIONS = 100_000;
const MAX_STRANGERS = 10_000;

/**
 * Tokens by the hash of the whole token. An invalidation is remembered by the token's id until everything that was read
 * before it is too old to be served; an entry counts only if no invalidation came after its read began. So a read that
 * was under way during a revocation can't put the old record back, and no index from id to entries is kept.
 */
export class TokenCache {
  readonly #limits: CacheLimits;
  /** An absence is the time, by the clock, before the read that found none began. */
  readonly #entries: Remembered<string, KnownToken, number>;
  #sequence = 0;
  /** Everything read before this invalidation is forgotten. */
  #floor = 0;
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();
  /** Invalidations of ids that the store does not have. */
  readonly #strangers = new BoundedMap<string, number>(MAX_STRANGERS);
  #turnedAt = Number.NEGATIVE_INFINITY;
  #ttl: number;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
    this.#ttl = limits.ttl;
    this.#entries = new Remembered(limits.maxTokens, MAX_ABSENT);
  }

  /** Where a read begins: note it, and hand it to the {@link KnownToken} that comes of it. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How long what was read may be served now, in milliseconds; 0: not at all. */
  get ttl(): number {
    return this.#ttl;
  }

  /** `null`: the store said lately that there is no such token. `undefined`: the store has to be asked. */
  peek(key: string, now: number): KnownToken | null | undefined {
    const token = this.#entries.value(key);
    if (token !== undefined) {
      return now - token.loadedAt < this.#ttl && this.#isCurrent(token) ? token : undefined;
    }
    const absentAt = this.#entries.absence(key);
    return absentAt !== undefined && now - absentAt < Math.min(ABSENT_TTL, this.#ttl) ? null : undefined;
  }

  /** What was known before the store went down, if it may still be served. A change that was seen since then counts. */
  peekStale(key: string, now: number): KnownToken | undefined {
    const { ttl, staleIfUnavailable } = this.#limits;
    const token = staleIfUnavailable > 0 ? this.#entries.value(key) : undefined;
    return token && now - token.loadedAt < ttl + staleIfUnavailable && this.#isCurrent(token) ? token : undefined;
  }

  /** Whether changes made by other processes are told at once. Without that, less is trusted. */
  setFeed(connected: boolean): void {
    this.#ttl = feedTtl(this.#limits, connected);
  }

  /** Whether nothing was invalidated since its read began. */
  #isCurrent(token: KnownToken): boolean {
    if (token.sequence === this.#sequence) return true;
    if (token.sequence < this.#floor) return false;
    const id = token.principal.tokenId;
    return (
      (this.#recent.get(id) ?? -1) <= token.sequence &&
      (this.#earlier.get(id) ?? -1) <= token.sequence &&
      (this.#strangers.get(id) ?? -1) <= token.sequence
    );
  }

  set(key: string, token: KnownToken): void {
    if (this.#limits.ttl === 0 || !this.#isCurrent(token)) return;
    // A read that began later has seen it gone.
    const absentAt = this.#entries.absence(key);
    if (absentAt === undefined || absentAt < token.loadedAt) this.#entries.setValue(key, token);
  }

  /** @param sequence of the read that found nothing */
  setAbsent(key: string, now: number, sequence: number): void {
    if (this.#limits.ttl === 0) return;
    // Gone is gone: a read that an invalidation has overtaken says nothing of what is there, but nothing older counts either.
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

  /** The store has no such token: another process may have deleted it, unseen by this one. */
  invalidateStranger(id: string): void {
    this.#strangers.set(id, ++this.#sequence);
  }

  /** After an import: its token may have been tried, and remembered as absent, before. */
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

/** How long what was read may be served, in milliseconds. */
export function feedTtl({ ttl }: CacheLimits, connected: boolean): number {
  return connected ? ttl : Math.min(ttl, FEEDLESS_TTL);
}
