import { isPosternError, PosternError } from '../../domain/errors.js';
import type { StoreWithin } from '../../ports/store.js';
import { within } from '../shared/deadline.js';
import { causesOf, type Dialect } from './dialect.js';
import type { SqlDriver, SqlStatement } from './driver.js';
import { intoTransaction, type RunStatement } from './drivers/transactions.js';
import { EntryStatements } from './entries.js';
import { toEntry } from './rows.js';
import { storeOver } from './store.js';

/** The store that a transaction writes to. */
interface Place {
  readonly dialect: Dialect;
  /** For each statement, in milliseconds. */
  readonly timeout: number;
  /** Refuses a connection that the store could not be used through. */
  readonly assertFit?: (inside: SqlDriver) => Promise<void>;
}

/** The call that a transaction runs, or the last one of several that wait. */
const calls = new WeakMap<object, Promise<unknown>>();
let parts = 0;

/**
 * Does `work` in a transaction of the application, as one part of it: if it rejects, the part is undone, and the transaction goes on.
 *
 * @throws PosternError `input_invalid`: no client of this database, or no open transaction; `unavailable`: the transaction is over
 */
export function inTransaction<T>(
  { dialect, timeout, assertFit }: Place,
  transaction: object,
  work: (store: StoreWithin) => Promise<T>,
): Promise<T> {
  const into = intoTransaction(transaction, dialect.name);
  if (into === null) throw unknownClient(dialect);
  const run: RunStatement = (statement) =>
    within(into(statement), timeout, `the transaction gave no answer in ${timeout} ms`);
  const call = async () => {
    await assertOpen(run, dialect);
    return part(run, async () => {
      const driver = driverOver(run, dialect);
      await assertFit?.(driver);
      return work(storeOn(driver, dialect));
    });
  };
  // Two at once would undo each other's parts.
  const mine = (calls.get(transaction) ?? Promise.resolve()).then(call);
  calls.set(
    transaction,
    mine.catch(() => {}),
  );
  return mine;
}

function driverOver(run: RunStatement, dialect: Dialect): SqlDriver {
  return {
    dialect: dialect.name,
    query: run,
    batch: (statements) =>
      part(run, async () => {
        const counts: number[] = [];
        for (const statement of statements) {
          counts.push(await countOf(run, dialect, statement));
          if (counts.at(-1) === 0 && statement.decides) break;
        }
        return counts;
      }),
  };
}

function storeOn(driver: SqlDriver, dialect: Dialect): StoreWithin {
  const entries = new EntryStatements(dialect);
  return {
    // Others are told by the commit: the message is a part of the transaction.
    ...storeOver({ dialect, driver, enter: () => undefined, feed: null, isGuest: true }),
    lockEntry: async (kind, id, now) => {
      await driver.batch([entries.lock(kind, id, now)]);
      const [row] = await driver.query(entries.findLocked(kind, id, now));
      return row === undefined ? null : toEntry(row);
    },
  };
}

/** Does a part of the transaction completely or not at all. */
async function part<T>(run: RunStatement, work: () => Promise<T>): Promise<T> {
  const name = `postern_${++parts}`;
  await run(plain(`SAVEPOINT ${name}`));
  try {
    const value = await work();
    await run(plain(`RELEASE SAVEPOINT ${name}`));
    return value;
  } catch (error) {
    try {
      await run(plain(`ROLLBACK TO SAVEPOINT ${name}`));
      await run(plain(`RELEASE SAVEPOINT ${name}`));
    } catch {
      throw isOver(error) ? error : over(error);
    }
    throw error;
  }
}

/** The number of rows that a statement has changed, or returned. Only that of one that decides is sure. */
async function countOf(run: RunStatement, dialect: Dialect, statement: SqlStatement): Promise<number> {
  if (!statement.decides) return (await run(statement)).length;
  if (dialect.returnsRows) return (await run({ ...statement, sql: `${statement.sql} RETURNING 1 AS changed` })).length;
  await run(statement);
  const [row] = await run(plain('SELECT ROW_COUNT() AS changed'));
  return Number(row?.changed);
}

/** Without a transaction, each statement would be written by itself, at once. @throws PosternError `input_invalid` */
async function assertOpen(run: RunStatement, dialect: Dialect): Promise<void> {
  const fails = (sql: string) =>
    run(plain(sql)).then(
      () => null,
      (error: unknown) => ({ error }),
    );
  if (dialect.name === 'sqlite') {
    // A savepoint would begin a transaction. Inside of one, BEGIN is refused.
    const refusal = await fails('BEGIN');
    if (refusal === null) await run(plain('ROLLBACK'));
    else if ([...causesOf(refusal.error)].some(({ message }) => /within a transaction/.test(String(message)))) return;
    throw notOpen(refusal?.error);
  }
  // MySQL forgets a savepoint at once that no transaction holds; PostgreSQL refuses it.
  for (const sql of ['SAVEPOINT postern_proof', 'RELEASE SAVEPOINT postern_proof']) {
    const refusal = await fails(sql);
    if (refusal !== null) throw notOpen(refusal.error);
  }
}

function plain(sql: string): SqlStatement {
  return { sql, parameters: [] };
}

const PLACE = { path: 'within' };

function unknownClient({ name }: Dialect): PosternError {
  const problem = `is no transaction of this store's database (${name}): give the transaction of pg, Kysely, Drizzle, Knex or Prisma, the connection that has one, or a driver (SqlDriver) over it`;
  return new PosternError('input_invalid', problem, PLACE);
}

function notOpen(cause: unknown): PosternError {
  return new PosternError(
    'input_invalid',
    'is no open transaction: begin one, on a connection of its own; one that has failed must be rolled back first',
    { ...PLACE, cause },
  );
}

const OVER = 'the database has ended the transaction: roll it back, and begin again';

function over(cause: unknown): PosternError {
  return new PosternError('unavailable', OVER, { cause });
}

function isOver(error: unknown): boolean {
  return isPosternError(error) && error.problem === OVER;
}
