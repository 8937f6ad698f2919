import type { Decision, DenialReason } from '../domain/decision.js';
import type { Endpoint } from '../domain/endpoint.js';
import type { Principal } from '../domain/principal.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { Actor, ChangeType } from '../ports/changes.js';

/** A token or an endpoint was changed, by this instance. Never holds a secret. */
export interface ChangeEvent {
  readonly type: ChangeType;
  readonly at: Date;
  readonly actor: Actor;
  /** From where, as the application names it; `null` where it doesn't. */
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** As it is after the change; of something deleted: as it was, where that was known. */
  readonly record?: TokenRecord;
  readonly endpoint?: Endpoint;
}

/** An attempt was decided. Sampled: at most 50 a second, `skipped` says how many were left out before this one. */
export interface DecisionEvent {
  readonly type: 'decision';
  readonly at: Date;
  readonly allowed: boolean;
  /** `null` where it was allowed. */
  readonly reason: DenialReason | null;
  /** Whose token; `null` where none was looked at or none was known. */
  readonly tokenId: string | null;
  readonly organization: string | null;
  readonly skipped: number;
}

/** Something failed inside: what was denied as `unavailable` or `internal_error`, a flush of uses, a clock set back. */
export interface FaultEvent {
  readonly type: 'fault';
  readonly at: Date;
  readonly during: 'decision' | 'record' | 'usage' | 'clock' | 'feed' | 'limiter' | 'issuer' | 'trimming';
  readonly error: unknown;
}

/** Whether changes made by other processes are told at once. While they are not, the cache serves nothing older than 5 seconds. */
export interface FeedEvent {
  readonly type: 'feed';
  readonly at: Date;
  readonly connected: boolean;
}

/** What `onEvent` is told, told apart by `type`. Holds no secret. */
export type PosternEvent = ChangeEvent | DecisionEvent | FaultEvent | FeedEvent;

/** The `onEvent` option. What it throws, or rejects with, changes nothing. */
export type EventListener = (event: PosternEvent) => unknown;

const DECISIONS_PER_SECOND = 50;

/** Hands events to the application. What its listener throws, or rejects with, changes nothing here. */
export class Events {
  readonly #listener: EventListener | null;
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #skipped = 0;

  constructor(listener: EventListener | null) {
    this.#listener = listener;
  }

  emit(event: PosternEvent): void {
    if (this.#listener === null) return;
    try {
      const outcome = this.#listener(event);
      if (typeof (outcome as { then?: unknown } | null | undefined)?.then === 'function') {
        Promise.resolve(outcome).catch(() => {});
      }
    } catch {}
  }

  fault(during: FaultEvent['during'], error: unknown, now: number): void {
    this.emit({ type: 'fault', at: new Date(now), during, error });
  }

  /** @param denied whose credential it was, where it was known and denied */
  decision(decision: Decision, denied: Principal | null, now: number): void {
    if (this.#listener === null) return;
    if (now - this.#windowStart >= 1000 || now < this.#windowStart) {
      this.#windowStart = now;
      this.#inWindow = 0;
    }
    if (++this.#inWindow > DECISIONS_PER_SECOND) {
      this.#skipped++;
      return;
    }
    const principal = decision.allowed ? decision.principal : denied;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.emit({
      type: 'decision',
      at: new Date(now),
      allowed: decision.allowed,
      reason: decision.allowed ? null : decision.reason,
      tokenId: principal?.tokenId ?? null,
      organization: principal?.organization ?? null,
      skipped,
    });
  }
}
