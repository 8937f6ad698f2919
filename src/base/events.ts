import type { Decision, DenialReason } from '../domain/decision.js';
import type { Endpoint } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { Transport } from '../domain/transport.js';
import type { Actor, ChangeType } from '../ports/changes.js';
import type { ObservedCall, Observer } from '../ports/observer.js';
import { FaultLog } from './fault-log.js';

/** This instance changed a token or an endpoint. Never holds a secret. */
export interface ChangeEvent {
  readonly type: ChangeType;
  readonly at: Date;
  readonly actor: Actor;
  /** The caller's address, as the application gave it; otherwise `null`. */
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** The state after the change. After a deletion: the last known state, if any. */
  readonly record?: TokenRecord;
  readonly endpoint?: Endpoint;
}

/** A decision was made. At most 50 such events a second; `skipped` counts those left out before this one. */
export interface DecisionEvent {
  readonly type: 'decision';
  readonly at: Date;
  readonly allowed: boolean;
  /** `null` if the attempt was allowed. */
  readonly reason: DenialReason | null;
  /** The token's id; `null` if no token was needed, or none was found. */
  readonly tokenId: string | null;
  readonly organization: string | null;
  readonly skipped: number;
}

/** Something failed: a decision (`unavailable`, `internal_error`), a flush of uses, a clock that was set back. */
export interface FaultEvent {
  readonly type: 'fault';
  readonly at: Date;
  readonly during:
    | 'decision'
    | 'record'
    | 'usage'
    | 'clock'
    | 'feed'
    | 'reader'
    | 'limiter'
    | 'issuer'
    | 'trimming'
    | 'management';
  readonly error: unknown;
}

/** Whether the store reports other processes' changes at once. While it doesn't, the cache serves nothing older than 5 seconds. */
export interface FeedEvent {
  readonly type: 'feed';
  readonly at: Date;
  readonly connected: boolean;
}

/** Whether verification reads from the store's replica. While it doesn't, it reads from the primary. */
export interface ReaderEvent {
  readonly type: 'reader';
  readonly at: Date;
  readonly used: boolean;
}

/** The events of `onEvent`, distinguished by `type`. They hold no secret. */
export type PosternEvent = ChangeEvent | DecisionEvent | FaultEvent | FeedEvent | ReaderEvent;

/** The `onEvent` option. Its errors and rejections are ignored. */
export type EventListener = (event: PosternEvent) => unknown;

const DECISIONS_PER_SECOND = 50;

/**
 * Hands events to the application's listener, and ignores the listener's errors. Without a listener, faults are written to
 * `console.error`.
 */
export class Events {
  readonly #listener: EventListener | null;
  readonly #log = new FaultLog();
  #observer: Observer | null = null;
  /** Nobody sees decisions. */
  #idle: boolean;
  #windowStart = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  #skipped = 0;

  constructor(listener: EventListener | null) {
    this.#listener = listener;
    this.#idle = listener === null;
  }

  /** `null`: there is none. */
  get observer(): Observer | null {
    return this.#observer;
  }

  /**
   * Lets an observer see the work of this instance. Returns a function that ends this; it is idempotent.
   *
   * @throws PosternError `input_invalid` if there is one already
   */
  observe(observer: Observer): () => void {
    if (this.#observer !== null) {
      throw new PosternError('input_invalid', 'is instrumented already: close() the earlier one first', {
        path: 'postern',
        input: 'instrument',
      });
    }
    this.#observer = observer;
    this.#idle = false;
    return () => {
      if (this.#observer !== observer) return;
      this.#observer = null;
      this.#idle = this.#listener === null;
    };
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
    this.#observer?.fault(during);
    if (this.#listener === null) this.#log.write(during, error, now);
    else this.emit({ type: 'fault', at: new Date(now), during, error });
  }

  /** @param call the decided call; `null`: it could not be read */
  decision(decision: Decision, call: ObservedCall | null, now: number, transport: Transport | null = null): void {
    if (this.#idle) return;
    this.#observer?.decided(decision, call, call?.transport ?? transport);
    if (this.#listener !== null) this.#sample(decision, call, now);
  }

  #sample(decision: Decision, call: ObservedCall | null, now: number): void {
    if (now - this.#windowStart >= 1000 || now < this.#windowStart) {
      this.#windowStart = now;
      this.#inWindow = 0;
    }
    if (++this.#inWindow > DECISIONS_PER_SECOND) {
      this.#skipped++;
      return;
    }
    const principal = decision.allowed ? decision.principal : (call?.knownHolder?.principal ?? null);
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
