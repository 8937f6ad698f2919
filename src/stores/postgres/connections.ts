import { within } from '../shared/deadline.js';
import { loadPg, type PgClient, type PgConnection, type PgPool } from './client.js';
import type { PostgresSettings } from './options.js';

/** What the feed listens on: a connection, and how it is given back. */
export interface PgListener {
  readonly client: PgClient;
  close(): void;
}

const ignore = () => {};

/** The connections of one store: a pool, and on demand one apart from it for the feed. */
export class Connections {
  readonly pool: PgPool;
  readonly #settings: PostgresSettings;
  readonly #ownPool: { end(): Promise<void> } | null = null;

  /** @throws PosternError `driver_missing` */
  constructor(settings: PostgresSettings) {
    this.#settings = settings;
    const { source, listen, timeout } = settings;
    // Here already, so that a package that is missing shows at once.
    if (typeof listen === 'string') loadPg();
    if (source.pool !== null) {
      this.pool = source.pool;
    } else {
      const { Pool } = loadPg();
      const pool = new Pool({ ...configOf(source.connectionString, timeout), allowExitOnIdle: true });
      // For ever: connections may still break after the store is closed, and nobody else knows this pool.
      pool.on('error', ignore);
      this.pool = pool;
      this.#ownPool = pool;
    }
  }

  /** A connection for the feed alone. */
  async openListener(): Promise<PgListener> {
    const { source, listen, timeout } = this.#settings;
    const message = `no connection to PostgreSQL in ${timeout} ms`;
    if (listen === null && source.pool !== null) {
      const client = await within(source.pool.connect(), timeout, message, (late) => late.release(true));
      client.on('error', ignore);
      return { client, close: () => client.release(true) };
    }
    const client = this.#makeClient();
    // A connection that breaks before anyone listens to it would end the process.
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

  /** Closes the pool that was made here; the application's own stays open. */
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

function configOf(connectionString: string, timeout: number) {
  return {
    connectionString,
    connectionTimeoutMillis: timeout,
    keepAlive: true,
    fallback_application_name: 'postern',
  };
}
