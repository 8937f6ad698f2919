import type { FoundToken, StoredToken } from '../../../ports/records.js';
import type { Invalidation, Mirror, MirrorAnswer, MirrorWatcher, VerificationReads } from '../../../ports/store.js';
import { elapsed } from '../../shared/deadline.js';
import type { Dialect } from '../dialect.js';
import type { SqlDriver, SqlRow, SqlStatement } from '../driver.js';
import { EndpointStatements } from '../endpoints.js';
import { firstFound, firstFoundByKey, toEndpoint, toToken } from '../rows.js';
import { TokenStatements } from '../tokens.js';
import { Heard } from './heard.js';
import { Marks } from './marks.js';

/** How long a replica may take for an answer, in milliseconds. It is near; then the primary is asked. */
export const READER_TIMEOUT = 1_000;
/** The time between two marks, in milliseconds: at most this, and several in `maxLag`. */
const MARK_INTERVAL = 1_000;
const MARKS_IN_LAG = 5;

/** The replica of a store, as its options give it. */
export interface Reader {
  /** It rejects within {@link READER_TIMEOUT}. */
  readonly driver: Pick<SqlDriver, 'query' | 'close'>;
  /** Milliseconds. */
  readonly maxLag: number;
}

export interface MirrorOptions extends Reader {
  readonly dialect: Dialect;
  /** The same reads at the primary. */
  readonly primary: VerificationReads;
  /** Writes at the primary. */
  readonly write: SqlDriver['batch'];
  /** To be called before each read. */
  readonly enter: () => Promise<void>;
}

/** One of the reads, for the replica and for the primary. */
interface Read<Value> {
  readonly statement: SqlStatement;
  /** `null`: the replica does not know it. */
  readonly from: (rows: readonly SqlRow[]) => Value | null;
  readonly primary: () => Promise<Value | null>;
  /** Under these keys changes of it are heard. */
  readonly keys: (value: Value | null) => readonly string[];
}

/** `value` is `undefined` if the replica gave no answer. */
interface Answer<Value> {
  readonly by: MirrorAnswer;
  readonly value: Value | null | undefined;
}

const keyOfToken = (id: string) => `token ${id}`;
const keyOfEndpoints = (organization: string) => `endpoints ${organization}`;

/**
 * Reads from a replica as long as its answer shows a mark that was made after the last change that was heard of, and not longer than
 * `maxLag` ago. Everything else is read from the primary. So it makes no difference which of several replicas answers, whether one
 * falls behind its own earlier state, or is a primary by now.
 */
export class ReplicaMirror implements Mirror {
  readonly maxLag: number;
  readonly #driver: Reader['driver'];
  readonly #primary: VerificationReads;
  readonly #enter: () => Promise<void>;
  readonly #tokens: TokenStatements;
  readonly #endpoints: EndpointStatements;
  readonly #marks: Marks;
  readonly #heard: Heard;
  readonly #watchers = new Set<MirrorWatcher>();
  /** Whether changes of others are heard of at once. */
  #isHearing = true;
  #isUsed = false;
  /** What the watchers were told last. */
  #told: boolean | null = null;
  #startedAt: number | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #ticks = 0;
  #isLooking = false;
  /** The state of the replica's last answer held everything until this time. */
  #shown = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor({ driver, maxLag, dialect, primary, write, enter }: MirrorOptions) {
    this.maxLag = maxLag;
    this.#driver = driver;
    this.#primary = primary;
    this.#enter = enter;
    this.#tokens = new TokenStatements(dialect);
    this.#endpoints = new EndpointStatements(dialect);
    this.#marks = new Marks(dialect, write, maxLag);
    this.#heard = new Heard(maxLag);
  }

  async findTokenByDigest(digests: readonly string[]) {
    if (digests.length === 0) return null;
    return this.#findToken(`digest ${digests.join()}`, this.#tokens.byDigest(digests), {
      from: (rows) => firstFound(rows, digests),
      primary: () => this.#primary.findTokenByDigest(digests),
    });
  }

  async findTokenByKeyId(keyIds: readonly string[]) {
    if (keyIds.length === 0) return null;
    return this.#findToken(`key ${keyIds.join()}`, this.#tokens.byKeyId(keyIds), {
      from: (rows) => firstFoundByKey(rows, keyIds),
      primary: () => this.#primary.findTokenByKeyId(keyIds),
    });
  }

  async findToken(id: string) {
    return this.#read<StoredToken>({
      statement: this.#tokens.byId(id),
      from: ([row]) => (row === undefined ? null : toToken(row)),
      primary: () => this.#primary.findToken(id),
      keys: () => [keyOfToken(id)],
    });
  }

  async findEndpoint(organization: string, id: string) {
    return this.#read({
      statement: this.#endpoints.byId(organization, id),
      from: ([row]) => (row === undefined ? null : toEndpoint(row)),
      primary: () => this.#primary.findEndpoint(organization, id),
      keys: () => [keyOfEndpoints(organization)],
    });
  }

  async listEndpoints(query: Parameters<VerificationReads['listEndpoints']>[0]) {
    const found = await this.#read({
      statement: this.#endpoints.list(query),
      // Without a row there is no mark.
      from: (rows) => (rows.length === 0 ? null : rows.map(toEndpoint)),
      primary: () => this.#primary.listEndpoints(query),
      keys: () => [keyOfEndpoints(query.organization)],
    });
    return found ?? [];
  }

  get lag(): number | null {
    return this.#shown === Number.NEGATIVE_INFINITY ? null : elapsed() - this.#shown;
  }

  watch(watcher: MirrorWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Hears of changes. It must hear of them before those who read again then. */
  hear(invalidation: Invalidation): void {
    const now = elapsed();
    if (invalidation.kind === 'lost') this.#isHearing = false;
    else if (invalidation.kind === 'token') this.#heard.note(keyOfToken(invalidation.id), now);
    else if (invalidation.kind === 'endpoints') this.#heard.note(keyOfEndpoints(invalidation.organization), now);
    else this.#heard.everything(now);
    if (invalidation.kind === 'restored') this.#isHearing = true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#driver.close?.();
  }

  #findToken<Found extends FoundToken>(
    key: string,
    statement: SqlStatement,
    read: Pick<Read<Found>, 'from' | 'primary'>,
  ): Promise<Found | null> {
    return this.#read({
      ...read,
      statement,
      keys: (found) => (found === null ? [key] : [key, keyOfToken(found.token.id)]),
    });
  }

  async #read<Value>(read: Read<Value>): Promise<Value | null> {
    await this.#enter();
    this.#start();
    const near = await this.#readNear(read);
    for (const { answered } of this.#watchers) answered(near.by);
    if (near.by === 'replica') return near.value ?? null;
    const value = await read.primary();
    // The state that was seen now may be of a change that is not heard of yet. An older one must not follow it.
    if (textOf(value) !== textOf(near.value)) {
      const keys = new Set([...read.keys(near.value ?? null), ...read.keys(value)]);
      for (const key of keys) this.#heard.note(key, elapsed());
    }
    return value;
  }

  async #readNear<Value>({ statement, from, keys }: Read<Value>): Promise<Answer<Value>> {
    if (!this.#isUsed || !this.#isHearing) return { by: 'unused', value: undefined };
    try {
      const rows = await this.#driver.query(this.#marks.marked(statement));
      const value = from(rows);
      if (value === null) return { by: 'absent', value };
      const state = this.#marks.timeOf(rows[0]?.mark);
      this.#shown = state;
      if (this.#isBehind(state)) return { by: 'behind', value };
      // Asked now, not before: a change may have come in while the replica was read.
      if (!this.#isHearing) return { by: 'unused', value };
      return { by: this.#heard.last(keys(value)) < state ? 'replica' : 'changed', value };
    } catch {
      // The read itself may be at fault, so it does not decide.
      void this.#look();
      return { by: 'failed', value: undefined };
    }
  }

  /** Tells the watchers where it changes. */
  #isBehind(state: number): boolean {
    const isBehind = elapsed() - state > this.maxLag;
    const isNew = elapsed() - (this.#startedAt ?? 0) <= this.maxLag;
    if (isBehind && !isNew) {
      this.#use(false, new Error(`the replica does not have the state of ${this.maxLag} ms ago`));
    }
    return isBehind;
  }

  #use(isUsed: boolean, error: unknown): void {
    this.#isUsed = isUsed;
    if (this.#told === isUsed || this.#isClosed) return;
    this.#told = isUsed;
    for (const { used } of this.#watchers) used(isUsed, error);
  }

  #start(): void {
    if (this.#startedAt !== null || this.#isClosed) return;
    this.#startedAt = elapsed();
    const interval = Math.min(MARK_INTERVAL, this.maxLag / MARKS_IN_LAG);
    this.#timer = setInterval(() => this.#tick(), interval / 2);
    this.#timer.unref?.();
    this.#tick();
  }

  /** In turn a mark at the primary, and a look for it at the replica. If the primary fails, its other calls say so. */
  #tick(): void {
    if (this.#ticks++ % 2 === 0) this.#marks.make().catch(() => {});
    else void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const [row] = await this.#driver.query(this.#marks.reading);
      this.#shown = this.#marks.timeOf(row?.mark);
      if (!this.#isBehind(this.#shown)) this.#use(true, null);
    } catch (error) {
      this.#use(false, error);
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Without the time of the last use, which no decision depends on. */
function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (key, part: unknown) => (key === 'lastUsedAt' ? null : part));
}
