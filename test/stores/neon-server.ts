import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';

interface Query {
  readonly query: string;
  readonly params: readonly unknown[];
}

const LEVELS: Readonly<Record<string, string>> = { ReadCommitted: 'READ COMMITTED', Serializable: 'SERIALIZABLE' };

/** Values as the texts that PostgreSQL sends. */
const types = { getTypeParser: () => (text: string) => text };

/**
 * A server of a PostgreSQL for `@neondatabase/serverless`: the protocol of its `/sql`, as the package itself speaks it. One query, or
 * the queries of a transaction.
 */
export async function neonServer(connectionString: string): Promise<{ port: number; close(): Promise<unknown> }> {
  const pool = new pg.Pool({ connectionString });
  const server: Server = createServer(async (request, response) => {
    const reply = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
    try {
      reply(200, await answer(pool, request));
    } catch (error) {
      const { message, code, constraint, severity, detail } = error as pg.DatabaseError;
      reply(400, { message, code, constraint, severity, detail });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await pool.end();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

async function answer(pool: pg.Pool, request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as Query | { readonly queries: readonly Query[] };
  if (!('queries' in asked)) return run(pool, asked);
  const client = await pool.connect();
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${LEVELS[String(request.headers['neon-batch-isolation-level'])]}`);
    const results: unknown[] = [];
    for (const query of asked.queries) results.push(await run(client, query));
    await client.query('COMMIT');
    return { results };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

async function run(on: pg.Pool | pg.PoolClient, { query, params }: Query) {
  const { rows, fields, rowCount, command } = await on.query({
    text: query,
    values: [...params],
    rowMode: 'array',
    types: types as never,
  });
  return { rows, fields, rowCount, command, rowAsArray: true };
}
