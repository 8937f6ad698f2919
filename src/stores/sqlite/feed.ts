import type { Change } from '../../ports/changes.js';
import type { Invalidation } from '../../ports/store.js';
import { decode, encode } from '../shared/feed/message.js';
import { type Listener, Listeners } from '../shared/listeners.js';
import { CHANGE_FIELDS, changeValues } from '../sql/rows.js';
import type { Connection } from './connection.js';

/** More changes of others than this at once are told as one: forget everything. */
const MAX_SINGLE = 500;

const APPEND = `INSERT INTO changes (${CHANGE_FIELDS}, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`;

/**
 * In a transaction: adds a change to the audit log, with what others are told of it. Returns its number: one more than that of
 * the change before.
 */
export function appendChange(db: Connection, change: Change, invalidation: Invalidation | null): number {
  const told = invalidation && encode({ kind: 'change', id: change.id, invalidation });
  return db.get(APPEND, ...changeValues(change), told)?.seq as number;
}

/**
 * Tells listeners of changes. Own ones at once; those of other connections, in this process or another, are looked for at
 * an interval: `PRAGMA data_version` moves when someone else has committed, and only then the audit log is read for what
 * it was. A commit that tells nothing (a new token, uses) is told to nobody.
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

  /** From here on changes are noticed. What was changed before, nobody can have read through this connection. */
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

  /** A change of our own was committed. */
  own(seq: number, invalidation: Invalidation | null): void {
    // A gap is a change of someone else that is still to be looked at, this one then a second time: that does no harm.
    if (seq === this.#lastSeq + 1) this.#lastSeq = seq;
    this.#listeners.tell(invalidation);
  }

  #poll(): void {
    if (this.#db === null) return;
    try {
      this.#look(this.#db);
    } catch {
      // Busy, or the disk fails: nothing is marked as seen, so the next look finds it. Until then `cache.ttl` holds.
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
    // Some were trimmed before they were seen here; or there were fewer before: another file was put in this one's place.
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
  // Not the highest row: it may have been trimmed.
  return (db.get("SELECT seq FROM sqlite_sequence WHERE name = 'changes'")?.seq as number | undefined) ?? 0;
}

function invalidationIn(told: unknown): Invalidation | null {
  if (told === null) return null;
  const message = decode(told as string);
  return message.kind === 'change' ? message.invalidation : { kind: 'everything' };
}

/** A timer that does not keep the process alive. */
function startTimer(callback: () => void, interval: number): ReturnType<typeof setInterval> {
  const timer = setInterval(callback, interval);
  timer.unref?.();
  return timer;
}
