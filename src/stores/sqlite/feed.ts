import type { Change } from '../../ports/changes.js';
import type { Invalidation, Stale } from '../../ports/store.js';
import { decode, encode, messageOf } from '../shared/feed/message.js';
import { type Listener, Listeners } from '../shared/listeners.js';
import { CHANGE_FIELDS, changeValues } from '../sql/rows.js';
import type { Connection } from './connection.js';

/** If more changes of others are found at once, listeners are told to forget everything. */
const MAX_SINGLE = 500;

const APPEND = `INSERT INTO changes (${CHANGE_FIELDS}, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`;

/**
 * In a transaction: adds a change to the audit log, with its message for other processes. Returns its number: one more than the
 * number of the previous change.
 */
export function appendChange(db: Connection, change: Change, invalidation: Stale | null): number {
  const told = invalidation && encode(messageOf(change, invalidation));
  return db.get(APPEND, ...changeValues(change), told)?.seq as number;
}

/**
 * Tells listeners of changes. Own changes are told at once. Changes of other connections, in this process or another, are looked
 * for at an interval: `PRAGMA data_version` shows that another connection has committed, and only then the audit log is read. A
 * commit without a message (a new token, uses) is not told.
 */
export class ChangeFeed {
  readonly #interval: number;
  readonly #listeners = new Listeners();
  #db: Connection | null = null;
  #stopped = false;
  #timer: ReturnType<typeof setInterval> | null = null;
  #dataVersion = 0;
  /** Every change up to this one is known here. */
  #lastSeq = 0;

  /** @param interval between two looks, in milliseconds */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** Begins to notice changes. Nobody can have read through this connection before. */
  start(db: Connection): void {
    this.#dataVersion = dataVersion(db);
    this.#lastSeq = latestSeq(db);
    this.#db = db;
  }

  stop(): void {
    this.#stopped = true;
    this.#db = null;
    this.#listeners.clear();
    this.#stopTimer();
  }

  subscribe(listener: Listener): () => void {
    if (this.#stopped) return () => {};
    const stop = this.#listeners.add(listener);
    this.#timer ??= startTimer(() => this.#poll(), this.#interval);
    return () => {
      stop();
      if (this.#listeners.size === 0) this.#stopTimer();
    };
  }

  /** An own change was committed. */
  own(seq: number, invalidation: Invalidation | null): void {
    // A gap means a change of another connection. The next look finds it, and tells this change again, which is harmless.
    if (seq === this.#lastSeq + 1) this.#lastSeq = seq;
    this.#listeners.tell(invalidation);
  }

  #poll(): void {
    if (this.#db === null) return;
    try {
      this.#look(this.#db);
    } catch {
      // Busy, or the disk failed. Nothing is marked as seen, so the next look finds it. Until then `cache.ttl` is the limit.
    }
  }

  #look(db: Connection): void {
    const version = dataVersion(db);
    if (version === this.#dataVersion) return;
    const latest = latestSeq(db);
    const missed = latest - this.#lastSeq;
    const changes =
      missed > MAX_SINGLE
        ? []
        : db.all('SELECT told FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq', this.#lastSeq, latest);
    this.#dataVersion = version;
    this.#lastSeq = latest;
    // Some changes were trimmed before they were seen here, or the file was replaced by another one.
    if (changes.length !== missed) this.#listeners.tell({ kind: 'everything' });
    else for (const { told } of changes) this.#listeners.tell(invalidationIn(told));
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function dataVersion(db: Connection): number {
  return db.get('PRAGMA data_version')?.data_version as number;
}

function latestSeq(db: Connection): number {
  // Not the highest row's number, because that row may have been trimmed.
  return (db.get("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")?.seq as number | undefined) ?? 0;
}

function invalidationIn(told: unknown): Invalidation | null {
  if (told === null) return null;
  const message = decode(told as string);
  return message.kind === 'change' ? message.invalidation : { kind: 'everything' };
}

/** A timer that doesn't keep the process alive. */
function startTimer(callback: () => void, interval: number): ReturnType<typeof setInterval> {
  const timer = setInterval(callback, interval);
  timer.unref?.();
  return timer;
}
