import { BoundedMap } from '../base/bounded-map.js';
import type { CacheLimits } from '../base/options.js';
import type { Limits } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Account, Holder, Restriction } from './holder.js';
import type { Uses } from './uses.js';

/** What is remembered of one secret: facts, never a verdict. Each call judges them against its own clock. */
export class KnownToken implements Holder, Account {
  /** Its uses that wait to be written. */
  uses: Uses | null = null;

  constructor(
    readonly principal: VerifiedPrincipal,
    readonly revoked: boolean,
    readonly secretEndsAt: number,
    readonly expiresAt: number,
    readonly limits: Limits,
    /** By the clock, before the read began. */
    readonly loadedAt: number,
    /** The number of the last invalidation before the read began. */
    readonly sequence: number,
    /** Of a token that was looked up by its key's id: the key, for derived tokens to be verified with. */
    readonly publicKey: string | null = null,
  ) {}

  get account(): this {
    return this;
  }

  get restriction(): Restriction | null {
    return null;
  }
}
/** Unknown tokens are remembered apart from known ones, so that a flood of them drives none of those out. */
const MAX_UNKNOWN = 10_000;
const UNKNOWN_TTL = 5_000;
/** While the feed of changes is lost, nothing older than this is served: others' changes are not told. Milliseconds. */
const FEEDLESS_TTL = 5_000;
/** Beyond this many single invalidations at once it is cheaper to forget everything. */
const MAX_INVALIDATIONS = 100_000;

/**
 * Tokens by the hash of the whole token. An invalidation is remembered by the token's id until everything that was read
 * before it is too old to be served; an entry counts only if no invalidation came after its read began. So a read that
 * was under way during a revocation can't put the old record back, and no index from id to entries is kept.
 */
export class TokenCache {
  readonly #limits: CacheLimits;
  readonly #known: BoundedMap<string, KnownToken>;
  readonly #unknown = new BoundedMap<string, number>(MAX_UNKNOWN);
  #sequence = 0;
  /** Everything read before this invalidation is forgotten. */
  #floor = 0;
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  #ttl: number;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
    this.#ttl = limits.ttl;
    this.#known = new BoundedMap(limits.maxTokens);
  }

  /** Where a read begins: note it, and hand it to the {@link KnownToken} that comes of it. */
  get sequence(): number {
    return this.#sequence;
  }

  get(key: string, now: number): KnownToken | undefined {
    const token = this.#known.get(key);
    if (token === undefined || now - token.loadedAt >= this.#ttl || !this.isCurrent(token)) return undefined;
    return token;
  }

  /** What was known before the store went down, if it may still be served. A change that was seen since then counts. */
  getStale(key: string, now: number): KnownToken | undefined {
    const { ttl, staleIfUnavailable } = this.#limits;
    const token = staleIfUnavailable > 0 ? this.#known.get(key) : undefined;
    return token && now - token.loadedAt < ttl + staleIfUnavailable && this.isCurrent(token) ? token : undefined;
  }

  /** Whether changes made by other processes are told at once. Without that, less is trusted. */
  setFeed(connected: boolean): void {
    this.#ttl = feedTtl(this.#limits, connected);
  }

  /** Whether nothing was invalidated since its read began. */
  isCurrent(token: KnownToken): boolean {
    if (token.sequence === this.#sequence) return true;
    if (token.sequence < this.#floor) return false;
    const id = token.principal.tokenId;
    return (this.#recent.get(id) ?? -1) <= token.sequence && (this.#earlier.get(id) ?? -1) <= token.sequence;
  }

  /** Whether the store said lately that there is no such token. */
  isUnknown(key: string, now: number): boolean {
    const until = this.#unknown.get(key);
    return until !== undefined && now < until;
  }

  set(key: string, token: KnownToken): void {
    if (this.isCurrent(token)) this.#known.set(key, token);
  }

  setUnknown(key: string, now: number, sequence: number): void {
    if (sequence === this.#sequence) this.#unknown.set(key, now + Math.min(UNKNOWN_TTL, this.#limits.ttl));
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

  /** After an import: its token may have been tried, and remembered as unknown, before. */
  forgetUnknown(): void {
    this.#sequence++;
    this.#unknown.clear();
  }

  clear(): void {
    this.#floor = ++this.#sequence;
    this.#known.clear();
    this.#unknown.clear();
    this.#recent = new Map();
    this.#earlier = new Map();
    this.#turnedAt = Number.NEGATIVE_INFINITY;
  }

  get size(): number {
    return this.#known.size;
  }
}

/** How long what was read may be served, in milliseconds. */
export function feedTtl({ ttl }: CacheLimits, connected: boolean): number {
  return connected ? ttl : Math.min(ttl, FEEDLESS_TTL);
}
