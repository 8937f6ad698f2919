import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../shared/migration.js';
import type { Row } from '../sql/rows.js';
import type { PgClient } from './client.js';
import { isNameTaken } from './errors.js';
import { foundation, MIGRATIONS, quoted, VERSIONS, versionsTable } from './schema.js';

/** The first half of the advisory lock that migrations hold: the bytes of "pstn". The other half is the schema's. */
const LOCK = 0x7073746e;

/**
 * The statements that would run, found without a lock.
 *
 * @throws PosternError `store_newer`, `store_invalid`
 */
export async function planMigration(client: PgClient, schema: string, migrations = MIGRATIONS): Promise<Migration> {
  const to = migrations.length;
  const { version, isThere } = await inspect(client, schema, to);
  const statements = version === null ? [...foundation(schema, isThere)] : [];
  for (const [index, statementsOf] of [...migrations.entries()].slice(version ?? 0)) {
    const mark = `INSERT INTO ${versionsTable(schema)} (version, migrated_at) VALUES (${index + 1}, now())`;
    statements.push(...statementsOf(quoted(schema)), mark);
  }
  return { from: version ?? 0, to, statements };
}

/**
 * Makes the tables, or upgrades them to this library's version, in one transaction that holds the lock. If many processes start
 * at once, one does the work, and the others find it done.
 *
 * @throws PosternError `store_newer`, `store_invalid`, and the driver's own errors
 */
export async function migrate(client: PgClient, schema: string, migrations = MIGRATIONS): Promise<Migration> {
  // First without the lock: usually nothing is to be done, and this needs no right to make anything.
  const found = await planMigration(client, schema, migrations);
  if (found.statements.length === 0) return found;
  // The database's default may be stricter. Under the lock, the current state must be seen.
  await client.query({ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' });
  try {
    await client.query({ text: 'SELECT pg_advisory_xact_lock($1, hashtext($2))', values: [LOCK, schema] });
    const planned = await planMigration(client, schema, migrations);
    for (const text of planned.statements) await client.query({ text });
    await client.query({ text: 'COMMIT' });
    return planned;
  } catch (error) {
    // The connection itself may have failed. Then its end undoes the transaction.
    await client.query({ text: 'ROLLBACK' }).catch(() => {});
    throw isNameTaken(error) ? occupied(schema, error) : error;
  }
}

/** `version` is `null` if there are no tables of ours yet. */
async function inspect(
  client: PgClient,
  schema: string,
  known: number,
): Promise<{ version: number | null; isThere: boolean }> {
  // Queries the catalog: to_regclass and the like may answer from a cache that is not renewed after waiting for the lock.
  const { rows } = await client.query({
    text: `SELECT current_setting('server_encoding') AS encoding,
        EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) AS "isThere",
        EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = $1 AND c.relname = $2) AS "isOurs"`,
    values: [schema, VERSIONS],
  });
  const { isThere, isOurs, encoding } = rows[0] as Row;
  if (encoding !== 'UTF8') {
    throw new PosternError(
      'store_invalid',
      `the database has the encoding ${encoding}, which can not hold every name: give postern a database in UTF8`,
    );
  }
  if (isOurs !== true) return { version: null, isThere: isThere === true };
  const found = await client.query({ text: `SELECT max(version) AS version FROM ${versionsTable(schema)}` });
  const version = Number(found.rows[0]?.version ?? 0);
  if (version > known) {
    throw new PosternError(
      'store_newer',
      `${schema} was written by a newer postern (version ${version}, this one knows ${known}): upgrade postern, or give it another schema`,
      { path: 'schema' },
    );
  }
  return { version, isThere: true };
}

function occupied(schema: string, cause: unknown): PosternError {
  return new PosternError(
    'store_invalid',
    `${schema} belongs to another application. Nothing was changed. Give postern a schema of its own`,
    { path: 'schema', cause },
  );
}
