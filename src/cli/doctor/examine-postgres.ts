import { loadPg, type PgConnection } from '../../stores/postgres/client.js';
import type { Host } from '../host.js';
import { clockFinding, type Finding, problem } from './finding.js';

/** How long the server may take to answer, in milliseconds. */
const TIMEOUT = 5_000;

export interface PostgresFindings {
  readonly findings: readonly Finding[];
  /** Whether something between us and the server shares its connections. */
  readonly isPooled: boolean;
}

/**
 * Looks at a PostgreSQL server over one connection. It changes nothing.
 *
 * @throws the driver's errors, and `PosternError` `driver_missing`
 */
export async function examinePostgres(host: Host, url: string): Promise<PostgresFindings> {
  const { Client } = loadPg();
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: TIMEOUT,
    query_timeout: TIMEOUT,
  }) as PgConnection & { readonly processID: number };
  client.on('error', () => {});
  try {
    await client.connect();
    const asked = host.clock();
    const { rows } = await client.query({
      text: `SELECT pg_backend_pid() AS pid, extract(epoch FROM clock_timestamp()) * 1000 AS now,
        pg_is_in_recovery() AS replica, current_setting('transaction_read_only') AS "readOnly"`,
    });
    const answered = host.clock();
    const { pid, now, replica, readOnly } = rows[0] as Record<string, unknown>;
    const findings = [clockFinding('PostgreSQL', Number(now), (asked + answered) / 2, answered - asked)];
    if (replica === true) {
      findings.push(
        problem('writes', 'This PostgreSQL server is a replica, which takes no changes', 'Name the primary.'),
      );
    } else if (readOnly === 'on') {
      findings.push(
        problem('writes', 'This database or user is read-only', 'Set default_transaction_read_only to off for it.'),
      );
    }
    // A pooler gives its own number to a connection: the server's may be another one at any time.
    return { findings, isPooled: Number(pid) !== client.processID };
  } finally {
    await client.end().catch(() => {});
  }
}
