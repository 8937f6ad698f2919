import { within } from '../shared/deadline.js';
import type { Channel, Line, LineEvents } from '../shared/feed/channel.js';
import { decode, encode, type Message } from '../shared/feed/message.js';
import type { Postgres } from '../sql/dialects/postgres.js';
import type { SqlRow, SqlStatement, SqlValue } from '../sql/driver.js';
import type { PgNotification, PgQuery } from './client.js';
import type { Connections, PgListener } from './connections.js';
import type { Database } from './database.js';

/** After this time a process that starts removes the rows of dead processes. */
const FORGOTTEN_AFTER = "interval '1 hour'";

const NOTIFY = 'SELECT pg_notify($1::text, $2::text)';

/**
 * LISTEN and NOTIFY, and a table of listening processes. Notifications come in the order of their commits, and none is lost while
 * the connection lives.
 */
export class PostgresChannel implements Channel {
  readonly silence =
    'the feed is silent: its own messages do not come back. LISTEN does not work through a transaction pooler: give a direct connection in `listen`';
  /** Made from a checked name, because an identifier can't be a parameter. */
  readonly name: string;
  readonly #db: Database;
  readonly #connections: Connections;
  readonly instance: string;
  readonly #limit: number;
  readonly #listeners: string;

  /** @param limit for each answer on a line, in milliseconds */
  constructor(db: Database, connections: Connections, dialect: Postgres, instance: string, limit: number) {
    this.#db = db;
    this.#connections = connections;
    this.instance = instance;
    this.#limit = limit;
    this.name = dialect.channel;
    this.#listeners = dialect.table('listeners');
  }

  open(events: LineEvents): Line {
    return new PostgresLine(this, this.#db, this.#connections, this.#limit, events);
  }

  async enter(lifetime: number): Promise<void> {
    const forget = `WITH forgotten AS (DELETE FROM ${this.#listeners}
      WHERE live_until < clock_timestamp() - ${FORGOTTEN_AFTER} AND instance <> $1::text)`;
    await this.#run(`${forget} ${this.#upsert}`, [this.instance, lifetime]);
  }

  async leave(): Promise<void> {
    await this.#run(`DELETE FROM ${this.#listeners} WHERE instance = $1::text`, [this.instance]);
  }

  async ask(question: Message): Promise<readonly string[]> {
    const text = `WITH asked AS (${NOTIFY})
      SELECT l.instance FROM ${this.#listeners} l, asked WHERE l.live_until > clock_timestamp()`;
    const rows = await this.#run(text, [this.name, encode(question)]);
    return rows.map(({ instance }) => instance as string);
  }

  #run(sql: string, parameters: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    return this.#db.query({ sql, parameters });
  }

  /** The statement that sends a message, and makes this process count as live for `lifetime`. */
  sending(message: Message, lifetime: number): SqlStatement {
    const parameters = [this.name, encode(message)];
    if (lifetime === 0) return { sql: NOTIFY, parameters };
    return {
      sql: `WITH present AS (${this.#upsert} RETURNING 1) SELECT pg_notify($3::text, $4::text) FROM present`,
      parameters: [this.instance, lifetime, ...parameters],
    };
  }

  get #upsert(): string {
    return `INSERT INTO ${this.#listeners} (instance, live_until)
      VALUES ($1::text, clock_timestamp() + $2::bigint * interval '1 ms')
      ON CONFLICT (instance) DO UPDATE SET live_until = excluded.live_until`;
  }
}

/** One connection that listens. */
class PostgresLine implements Line {
  readonly #channel: PostgresChannel;
  readonly #db: Database;
  readonly #limit: number;
  readonly #events: LineEvents;
  #listener: PgListener | null = null;
  /** One statement at a time, as `pg` requires. */
  #queue: Promise<unknown> = Promise.resolve();
  #isProven = false;
  #isOver = false;

  constructor(channel: PostgresChannel, db: Database, connections: Connections, limit: number, events: LineEvents) {
    this.#channel = channel;
    this.#db = db;
    this.#limit = limit;
    this.#events = events;
    this.#open(connections).catch((error) => this.#end(error));
  }

  /** Until the line is proven, another connection sends: behind a pooler a connection hears only its own messages. */
  async send(message: Message, _to: string, lifetime: number): Promise<void> {
    const statement = this.#channel.sending(message, lifetime);
    const { sql: text, parameters } = statement;
    await (this.#isProven ? this.#query({ text, values: [...parameters] }) : this.#db.query(statement));
  }

  close(): void {
    this.#isOver = true;
    this.#listener?.close();
  }

  async #open(connections: Connections): Promise<void> {
    const listener = await connections.openListener();
    if (this.#isOver) return listener.close();
    this.#listener = listener;
    const { client } = listener;
    client.on('error', (error) => this.#end(error));
    client.on('end', () => this.#end(new Error('the connection was closed')));
    client.on('notification', (notification) => this.#hear(notification));
    // Listening must not keep the process alive.
    client.unref?.();
    await this.#query({ text: `LISTEN "${this.#channel.name}"` });
    if (!this.#isOver) this.#events.opened();
  }

  #hear({ channel, payload }: PgNotification): void {
    if (this.#isOver || channel !== this.#channel.name) return;
    const message = decode(payload ?? '');
    if (message.kind === 'beat' && message.instance === this.#channel.instance) this.#isProven = true;
    this.#events.heard(message, null);
  }

  async #query(query: PgQuery): Promise<void> {
    const answer = this.#queue.then(() => this.#listener?.client.query(query));
    this.#queue = answer.catch(() => {});
    await within(answer, this.#limit, `the feed gave no answer in ${this.#limit} ms`);
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.close();
    this.#events.ended(error);
  }
}
