import { randomUUID } from 'node:crypto';
import { createPool, type Pool } from 'mysql2/promise';
import type { MariadbServer } from '../support/mariadb-server.js';

/** A database of its own in a server. Returns its URI. */
export async function aDatabase(server: MariadbServer): Promise<string> {
  const name = `d_${randomUUID().replaceAll('-', '')}`;
  await ask(server.uri('mysql'), `CREATE DATABASE ${name}`);
  return server.uri(name);
}

/** The bare driver, to look into a database past the store; closed after each call. */
export async function ask(uri: string, sql: string): Promise<Record<string, unknown>[]> {
  const pool: Pool = createPool({ uri, connectionLimit: 1, multipleStatements: true });
  try {
    const [rows] = await pool.query(sql);
    return rows as Record<string, unknown>[];
  } finally {
    await pool.end();
  }
}

/** A prefix that no other test has. */
export const aPrefix = () => `p${randomUUID().slice(0, 8)}_`;
