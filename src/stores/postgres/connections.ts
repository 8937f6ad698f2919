import { within } from '../shared/deadline.js';
import { loadPg, type PgClient, type PgConnection, type PgPool } from './client.js';
import type { PostgresSettings, Source } from './options.js';

/** The feed's connection, and a function that gives it back. */
export interface PgListener {
  readonly client: PgClient;
  close(): void;
}

const ignore = () => {};

/** The connections of one store: a pool, and on demand a separate one for the feed. */
export class Connections {
  readonly pool: PgPool;
  readonly #settings: PostgresSettings;
  readonly #ownPool: { end(): Promise<void> } | null;

  /** @throws PosternError `driver_missing` */
  constructor(settings: PostgresSettings) {
    this.#settings = settings;
    const { source, listen, timeout } = settings;
    // Loaded here, so that a missing package shows at once.
    if (typeof listen === 'string') loadPg();
    const { pool, own } = poolOf(source, timeout);
    this.pool = pool;
    this.#ownPool = own;
  }

  /** Opens a connection for the feed alone. */
  async openListener(): Promise<PgListener> {
    const { source, listen, timeout } = this.#settings;
    const message = `no connection to PostgreSQL in ${timeout} ms`;
    if (listen === null && source.pool !== null) {
      const client = await within(source.pool.connect(), timeout, message, (late) => late.release(true));
      client.on('error', ignore);
      return { client, close: () => client.release(true) };
    }
    const client = this.#makeClient();
    // An error event without a listener would end the process.
    client.on('error', ignore);
    const close = () => void client.end().catch(ignore);
    try {
      await within(client.connect(), timeout, message);
      return { client, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Closes the pool that was made here. The application's own pool stays open. */
  async close(): Promise<void> {
    await this.#ownPool?.end();
  }

  #makeClient(): PgConnection {
    const { source, listen, timeout } = this.#settings;
    if (typeof listen === 'function') return listen();
    const { Client } = loadPg();
    const connectionString = typeof listen === 'string' ? listen : source.pool === null && source.connectionString;
    return new Client(configOf(connectionString as string, timeout));
  }
}

/** The application's pool, or one that is made here: `own`. */
export function poolOf(
  source: Source,
  timeout: number,
): { readonly pool: PgPool; readonly own: { end(): Promise<void> } | null } {
  if (source.pool !== null) return { pool: source.pool, own: null };
  const { Pool } = loadPg();
  const pool = new Pool({ ...configOf(source.connectionString, timeout), allowExitOnIdle: true });
  // Never removed: connections may still break after the store is closed, and nobody else has this pool.
  pool.on('error', ignore);
  return { pool, own: pool };
}

function configOf(connectionString: string, timeout: number) {
  return {
    connectionString,
    connectionTimeoutMillis: timeout,
    keepAlive: true,
    fallback_application_name: 'postern',
  };
}
