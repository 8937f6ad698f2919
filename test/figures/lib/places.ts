import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Service, startService } from './services.js';
import type { StoreName } from './stores.js';

/** Where stores of several sizes stand side by side. */
export async function openPlace(name: StoreName) {
  if (name === 'sqlite') {
    const directory = mkdtempSync(join(tmpdir(), 'postern-figures-'));
    return {
      address: async (size: number) => join(directory, `${size}.db`),
      dispose: async () => rmSync(directory, { recursive: true, force: true }),
    };
  }
  const service = await startService(name);
  const address =
    name === 'postgres' ? (size: number) => aDatabase(service, `tokens_${size}`) : redisDatabases(service);
  return { address, dispose: service.dispose };
}

async function aDatabase({ url }: Service, database: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`CREATE DATABASE ${database}`);
  await client.end();
  return new URL(database, url).href;
}

function redisDatabases({ url }: Service) {
  let database = 0;
  return async () => `${url}/${database++}`;
}
