import { Mysql } from '../../src/stores/sql/dialects/mysql.js';
import { Postgres } from '../../src/stores/sql/dialects/postgres.js';
import { TABLES } from '../../src/stores/sql/schema.js';

/** One place for one store after another: the tables of the last one are emptied. Making them anew takes ten times as long. */
export function onePlace<Place>(make: () => Place, empty: (place: Place) => Promise<unknown>): () => Promise<Place> {
  let place: Place | undefined;
  return async () => {
    if (place === undefined) place = make();
    else await empty(place);
    return place;
  };
}

/** Empties the tables in a schema of PostgreSQL, past the trigger that keeps the audit log. */
export function emptyingSchema(schema: string): string {
  const dialect = new Postgres(schema);
  const tables = [...TABLES, ...dialect.own].map(({ name }) => `DELETE FROM ${dialect.table(name)}`);
  return ['SET session_replication_role = replica', ...tables, 'SET session_replication_role = DEFAULT'].join('; ');
}

/** The same for the tables of MariaDB with a prefix. */
export function emptyingPrefix(prefix: string): string {
  const dialect = new Mysql(prefix);
  // `secrets` and others refer to `tokens`.
  const tables = TABLES.map(({ name }) => `DELETE FROM ${dialect.table(name)}`).reverse();
  return [`SET @postern_trimming = ${Number.MAX_SAFE_INTEGER}`, ...tables, 'SET @postern_trimming = NULL'].join('; ');
}
