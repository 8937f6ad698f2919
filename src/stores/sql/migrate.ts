import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../shared/migration.js';
import type { Dialect } from './dialect.js';
import type { SqlDriver, SqlStatement } from './driver.js';
import { MIGRATIONS } from './schema.js';
import { assertSame, differencesOf } from './verify.js';

const plain = (sql: string): SqlStatement => ({ sql, parameters: [] });

/**
 * The statements that would run.
 *
 * @throws PosternError `store_newer`, `store_invalid`
 */
export async function planMigration(driver: SqlDriver, dialect: Dialect, migrations = MIGRATIONS): Promise<Migration> {
  const to = migrations.length;
  const { version, isThere } = await inspect(driver, dialect, to);
  const statements = version === null ? dialect.found(isThere) : [];
  return { from: version ?? 0, to, statements: [...statements, ...statementsFrom(version ?? 0, dialect, migrations)] };
}

/** The statements that upgrade a version to the last one. */
export function statementsFrom(version: number, dialect: Dialect, migrations = MIGRATIONS): readonly string[] {
  return [...migrations.entries()].slice(version).flatMap(([index, statementsOf]) => {
    const mark = dialect.mark(index + 1);
    // First, where all is undone together: of two migrations at once, the later one then fails before it has changed anything.
    return dialect.undoesSchema ? [mark, ...statementsOf(dialect)] : [...statementsOf(dialect), mark];
  });
}

/**
 * Makes the tables, or upgrades them to this library's version. If many processes start at once, one does the work, and the others
 * find it done.
 *
 * @throws PosternError `store_newer`, `store_invalid`, and the driver's own errors
 */
export async function migrate(driver: SqlDriver, dialect: Dialect, migrations = MIGRATIONS): Promise<Migration> {
  // First without a lock: usually nothing is to be done, and this needs no right to make anything.
  const planned = await planMigration(driver, dialect, migrations);
  if (planned.statements.length === 0) return planned;
  try {
    await driver.batch(dialect.locked(planned.statements.map(plain)));
    return planned;
  } catch (error) {
    const now = await planMigration(driver, dialect, migrations).catch(() => null);
    if (now?.statements.length === 0) return now;
    // A store with another prefix has made the schema meanwhile.
    if (now !== null && now.statements[0] !== planned.statements[0]) return migrate(driver, dialect, migrations);
    throw dialect.isNameTaken(error) ? occupied(dialect, error) : error;
  }
}

/** The statements that would run, and how the tables of this version differ. */
export async function dryRun(driver: SqlDriver, dialect: Dialect): Promise<Migration> {
  const planned = await planMigration(driver, dialect);
  if (planned.from !== planned.to) return planned;
  return { ...planned, differences: differencesOf(dialect, await driver.query(dialect.catalog())) };
}

/**
 * Makes nothing: compares what is there with this library's schema.
 *
 * @throws PosternError `store_invalid`, with the differences; `store_newer`
 */
export async function verify(driver: SqlDriver, dialect: Dialect): Promise<Migration> {
  const to = MIGRATIONS.length;
  const { version } = await inspect(driver, dialect, to);
  const differences = [...differencesOf(dialect, await driver.query(dialect.catalog()))];
  if (version !== null && version !== to) differences.unshift(`the version is ${version}, not ${to}`);
  assertSame(differences, dialect.place, `This prints the statements of postern's own tables: ${dialect.command}`);
  return { from: to, to, statements: [] };
}

/** `version` is `null` if there are no tables of ours yet. */
async function inspect(driver: SqlDriver, dialect: Dialect, known: number) {
  const [found] = await driver.query(dialect.inspect());
  if (typeof found?.refusal === 'string') {
    throw new PosternError('store_invalid', `the database ${found.refusal}`);
  }
  const isThere = Boolean(Number(found?.isThere));
  if (!Number(found?.isOurs)) return { version: null, isThere };
  const [row] = await driver.query(
    plain(`SELECT max(version) AS version FROM ${dialect.table(dialect.versions.name)}`),
  );
  const version = Number(row?.version ?? 0);
  if (version > known) {
    throw new PosternError(
      'store_newer',
      `the tables were written by a newer postern (version ${version}, this one knows ${known}): upgrade postern, or give it another place`,
      { path: dialect.place },
    );
  }
  return { version, isThere: true };
}

function occupied(dialect: Dialect, cause: unknown): PosternError {
  return new PosternError(
    'store_invalid',
    `names of postern's tables belong to another application. Nothing was changed. Give postern another ${dialect.place}`,
    { path: dialect.place, cause },
  );
}
