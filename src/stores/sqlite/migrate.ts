import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../shared/migration.js';
import type { Dialect } from '../sql/dialect.js';
import { statementsFrom } from '../sql/migrate.js';
import { MIGRATIONS } from '../sql/schema.js';
import { assertSame as assertNoDifference, differencesOf } from '../sql/verify.js';
import type { Connection } from './connection.js';

/** The mark of postern's files in SQLite's header: the bytes of "pstn". */
const APPLICATION_ID = 0x7073746e;

/** The tables of one store. */
export interface Place {
  /** Absolute, or `':memory:'`. */
  readonly filename: string;
  readonly dialect: Dialect;
}

/** The marks in a file. */
export interface Marks {
  readonly applicationId: number;
  /** The version of this store's tables; `null`: there are none, or the file is another application's. */
  readonly version: number | null;
}

export function readMarks(get: (sql: string) => unknown, dialect: Dialect): Marks {
  const { application_id: applicationId } = get('PRAGMA application_id') as { application_id: number };
  if (applicationId !== APPLICATION_ID) return { applicationId, version: null };
  const versions = dialect.table(dialect.versions.name);
  if (get(`SELECT 1 FROM sqlite_master WHERE name = '${versions}'`) === undefined)
    return { applicationId, version: null };
  const { version } = get(`SELECT max(version) AS version FROM ${versions}`) as { version: number | null };
  return { applicationId, version: version ?? 0 };
}

/**
 * Refuses a database that this library must not change.
 *
 * @throws PosternError `store_invalid`: another application's database; `store_newer`
 */
export function assertOurs({ applicationId, version }: Marks, filename: string, known = MIGRATIONS.length): void {
  if (applicationId !== APPLICATION_ID) {
    throw new PosternError(
      'store_invalid',
      `${filename} is a SQLite database, but not one of postern's. It was not changed. Give postern a file of its own`,
      { path: 'filename' },
    );
  }
  if (version !== null && version > known) {
    throw new PosternError(
      'store_newer',
      `${filename} was written by a newer postern (schema ${version}, this one knows ${known}): upgrade postern, or open another file`,
      { path: 'filename' },
    );
  }
}

/** The migration from a version to this library's. @param version `null`: there are no tables */
export function planFrom(version: number | null, dialect: Dialect, migrations = MIGRATIONS): Migration {
  const begin = version === null ? [`PRAGMA application_id = ${APPLICATION_ID}`, ...dialect.found(true)] : [];
  const from = version ?? 0;
  return { from, to: migrations.length, statements: [...begin, ...statementsFrom(from, dialect, migrations)] };
}

/**
 * The work that an upgrade of an open database would do.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
function plan(db: Connection, { filename, dialect }: Place, migrations = MIGRATIONS): Migration {
  const marks = readMarks((sql) => db.get(sql), dialect);
  const isNew = marks.applicationId === 0 && db.get('SELECT 1 FROM sqlite_master') === undefined;
  if (!isNew) assertOurs(marks, filename, migrations.length);
  return planFrom(marks.version, dialect, migrations);
}

/**
 * Changes nothing: plans an upgrade, and compares the tables of this version.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function dryRun(db: Connection, place: Place): Migration {
  const planned = plan(db, place);
  return planned.from === planned.to ? { ...planned, differences: differences(db, place) } : planned;
}

/**
 * Makes the tables, or upgrades them to this library's version, in one transaction. If several processes open a database at
 * once, one does the work, and the others find it done.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function upgrade(db: Connection, place: Place, migrations = MIGRATIONS): Migration {
  let found = plan(db, place, migrations);
  if (found.statements.length === 0) return found;
  db.transaction(() => {
    found = plan(db, place, migrations);
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
export function verify(db: Connection, place: Place): Migration {
  const { from, to } = plan(db, place);
  const found = differences(db, place);
  assertSame(from === 0 || from === to ? found : [`the version is ${from}, not ${to}`, ...found], place);
  return { from: to, to, statements: [] };
}

/** @throws PosternError `store_invalid` */
export function assertSame(found: readonly string[], { filename, dialect: { prefix } }: Place): void {
  const namespace = prefix === '' ? '' : ` --namespace ${prefix}`;
  const remedy = `This makes or upgrades the tables of a file: postern migrate --store sqlite:${filename}${namespace}`;
  assertNoDifference(found, 'filename', remedy);
}

function differences(db: Connection, { dialect }: Place): readonly string[] {
  return differencesOf(dialect, db.all(dialect.catalog()));
}
