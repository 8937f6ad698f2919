import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../shared/migration.js';
import type { Dialect } from '../sql/dialect.js';
import { Sqlite } from '../sql/dialects/sqlite.js';
import { MIGRATIONS } from '../sql/schema.js';
import { assertSame as assertNoDifference, differencesOf, partsOf } from '../sql/verify.js';
import type { Connection } from './connection.js';

/** A file of its own needs no prefix. */
export const DIALECT: Dialect = new Sqlite('');

/** The mark of postern's files in SQLite's header: the bytes of "pstn". */
export const APPLICATION_ID = 0x7073746e;

/** The used fields of a SQLite file's header. */
export interface Header {
  readonly applicationId: number;
  readonly version: number;
}

export function readHeader(get: (sql: string) => unknown): Header {
  return {
    applicationId: (get('PRAGMA application_id') as { application_id: number }).application_id,
    version: (get('PRAGMA user_version') as { user_version: number }).user_version,
  };
}

/**
 * Refuses a database that this library must not change.
 *
 * @throws PosternError `store_invalid`: another application's database; `store_newer`
 */
export function assertOurs({ applicationId, version }: Header, filename: string, known = MIGRATIONS.length): void {
  if (applicationId !== APPLICATION_ID) {
    throw new PosternError(
      'store_invalid',
      `${filename} is a SQLite database, but not one of postern's. It was not changed. Give postern a file of its own`,
      { path: 'filename' },
    );
  }
  if (version > known) {
    throw new PosternError(
      'store_newer',
      `${filename} was written by a newer postern (schema ${version}, this one knows ${known}): upgrade postern, or open another file`,
      { path: 'filename' },
    );
  }
}

/** The migration from a version to this library's. A PRAGMA takes no parameters; both values are constants of this module. */
export function planFrom(version: number, migrations = MIGRATIONS): Migration {
  const to = migrations.length;
  const statements = migrations.slice(version).flatMap((statementsOf) => statementsOf(DIALECT));
  const marks = [`PRAGMA application_id = ${APPLICATION_ID}`, `PRAGMA user_version = ${to}`];
  return { from: version, to, statements: statements.length === 0 ? [] : [...statements, ...marks] };
}

/**
 * The work that an upgrade of an open database would do.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function plan(db: Connection, filename: string, migrations = MIGRATIONS): Migration {
  const header = readHeader((sql) => db.get(sql));
  const isNew = header.applicationId === 0 && db.get('SELECT 1 FROM sqlite_master') === undefined;
  if (!isNew) assertOurs(header, filename, migrations.length);
  return planFrom(isNew ? 0 : header.version, migrations);
}

/**
 * Makes the tables, or upgrades them to this library's version, in one transaction. If several processes open a database at
 * once, one does the work, and the others find it done.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function upgrade(db: Connection, filename: string, migrations = MIGRATIONS): Migration {
  let found = plan(db, filename, migrations);
  if (found.statements.length === 0) return found;
  db.transaction(() => {
    found = plan(db, filename, migrations);
    for (const statement of found.statements) db.exec(statement);
    return true;
  });
  return found;
}

/**
 * Makes nothing: compares what is there with this library's schema.
 *
 * @throws PosternError `store_invalid`, with the differences; `store_newer`
 */
export function verify(db: Connection, filename: string): Migration {
  const { from, to } = plan(db, filename);
  const differences = [...differencesOf(partsOf(DIALECT, false), db.all(DIALECT.catalog()))];
  if (from !== 0 && from !== to) differences.unshift(`the version is ${from}, not ${to}`);
  assertSame(differences, filename);
  return { from: to, to, statements: [] };
}

/** @throws PosternError `store_invalid` */
export function assertSame(differences: readonly string[], filename: string): void {
  assertNoDifference(
    differences,
    'filename',
    `This makes or upgrades the tables of a file: postern migrate --store sqlite:${filename}`,
  );
}
