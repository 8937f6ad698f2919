import type { Change, Invalidation } from '../../services/ports.js';
import type { Connection } from './connection.js';

type Listener = (invalidation: Invalidation) => void;

/** More changes of others than this at once are told as one: forget everything. */
const MAX_SINGLE = 500;

/** In a transaction: adds a change to the audit log. Returns its id: one more than that of the change before. */
export function appendChange(db: Connection, { type, at, actor, organization, subject }: Change): number {
  const row = db.get(
    `INSERT INTO changes (at, type, actor_kind, actor_token, actor_owner, organization, subject)
     VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    at,
    type,
    actor.kind,
    actor.kind === 'principal' ? actor.tokenId : null,
    actor.kind === 'principal' ? actor.owner : null,
    organization,
    subject,
  );
  return row?.id as number;
}

/**
 * Tells listeners of changes. Own ones at once; those of other connections, in this process or another, are looked for at
 * an interval: `PRAGMA data_version` moves when someone else has committed, and only then the audit log is read for what
 * it was. A commit without an audit row (uses of tokens) is told to nobody.
 */
export class ChangeFeed {
  readonly #interval: number;
  readonly #listeners = new Set<Listener>();
  #db: Connection | null = null;
  #stopped = false;
  #timer: ReturnType<typeof setInterval> | null = null;
  #dataVersion = 0;
  /** Every change up to this one is known here. */
  #lastId = 0;

  /** @param interval between two looks, in milliseconds */
  constructor(interval: number) {
    this.#interval = interval;
  }

  /** From here on changes are noticed. What was changed before, nobody can have read through this connection. */
  start(db: Connection): void {
    this.#dataVersion = dataVersion(db);
    this.#lastId = latestId(db);
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
    // An entry of its own for each call: the same function may listen twice, and stop once.
    const entry: Listener = (invalidation) => listener(invalidation);
    this.#listeners.add(entry);
    this.#timer ??= startTimer(() => this.#poll(), this.#interval);
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#stopTimer();
    };
  }

  /** A change of our own was committed. */
  own(id: number, change: Change): void {
    // A gap is a change of someone else that is still to be looked at, this one then a second time: that does no harm.
    if (id === this.#lastId + 1) this.#lastId = id;
    this.#tell(invalidationOf(change));
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
    const changes = db.all(
      'SELECT id, type, organization, subject FROM changes WHERE id > ? ORDER BY id LIMIT ?',
      this.#lastId,
      MAX_SINGLE + 1,
    );
    const latest = changes.length > 0 && changes.length <= MAX_SINGLE ? (changes.at(-1)?.id as number) : latestId(db);
    // A log that is shorter than it was: another file was put in this one's place.
    const isInDoubt = changes.length > MAX_SINGLE || latest < this.#lastId;
    this.#dataVersion = version;
    this.#lastId = latest;
    if (isInDoubt) this.#tell({ kind: 'everything' });
    else for (const change of changes) this.#tell(invalidationOf(change as unknown as Told));
  }

  #tell(invalidation: Invalidation | null): void {
    if (invalidation === null) return;
    for (const listener of this.#listeners) {
      try {
        listener(invalidation);
      } catch {
        // What a listener throws must not make a change that was committed look as if it had failed.
      }
    }
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

function dataVersion(db: Connection): number {
  return db.get('PRAGMA data_version')?.data_version as number;
}

function latestId(db: Connection): number {
  return (db.get('SELECT max(id) AS id FROM changes')?.id as number | null | undefined) ?? 0;
}

type Told = Pick<Change, 'type' | 'organization' | 'subject'>;

/** `null` for a new token: nobody can have read it before. */
function invalidationOf({ type, organization, subject }: Told): Invalidation | null {
  if (type === 'token.created') return null;
  return type.startsWith('endpoint.') ? { kind: 'endpoints', organization } : { kind: 'token', id: subject };
}

/** A timer that does not keep the process alive. */
function startTimer(callback: () => void, interval: number): ReturnType<typeof setInterval> {
  const timer = setInterval(callback, interval);
  timer.unref?.();
  return timer;
}
