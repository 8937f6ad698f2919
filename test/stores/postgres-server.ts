import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { PostgresServer } from '../support/services.js';

/** The bare driver, to look into a database past the store; closed after each statement. */
export async function ask(url: string, text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** A name that no other test has. */
export const aSchema = () => `s_${randomUUID().replaceAll('-', '')}`;

/** A database of its own in a server. Returns its URL. */
export async function aDatabase(server: PostgresServer, options = ''): Promise<string> {
  const name = `d_${randomUUID().replaceAll('-', '')}`;
  await ask(server.url(), `CREATE DATABASE ${name} ${options}`);
  return server.url(name);
}
