import type { DialectName, SqlDriver, SqlRow, SqlStatement } from '../driver.js';
import { inOrder, isWhole } from './in-order.js';

/** The used part of Prisma's client, and of a transaction of it. */
export interface PrismaLike {
  $queryRawUnsafe(sql: string, ...values: never[]): PromiseLike<unknown>;
  $executeRawUnsafe(sql: string, ...values: never[]): PromiseLike<number>;
}

/** The used part of Prisma's client. */
export interface Prisma extends PrismaLike {
  $transaction<T>(
    work: (transaction: PrismaLike) => Promise<T>,
    options?: { maxWait: number; timeout: number; isolationLevel?: 'ReadCommitted' },
  ): Promise<T>;
}

/** The store has a deadline of its own, so Prisma's shorter ones must not end a migration. Milliseconds. */
const PATIENCE = { maxWait: 60_000, timeout: 600_000 };

/** Prisma's client of an application: Prisma 7, with the adapter of `pg`, `mariadb` or `better-sqlite3`. */
export function fromPrisma(client: Prisma, dialect: DialectName): SqlDriver {
  const options = dialect === 'mysql' ? { ...PATIENCE, isolationLevel: 'ReadCommitted' as const } : PATIENCE;
  const execute = (on: PrismaLike) => async (statement: SqlStatement) => {
    const changes = await on.$executeRawUnsafe(statement.sql, ...(statement.parameters as never[]));
    return { rows: [], changes };
  };
  return {
    dialect,
    client,
    query: ({ sql, parameters }) =>
      told(async () => (await client.$queryRawUnsafe(sql, ...(parameters as never[]))) as readonly SqlRow[]),
    batch: (statements) =>
      told(() =>
        isWhole(statements, dialect)
          ? inOrder(statements, execute(client))
          : client.$transaction((transaction) => inOrder(statements, execute(transaction)), options),
      ),
  };
}

/** Prisma tells the database's own error only in the text of its message. */
const RAW = /Raw query failed\. Code: `([^`]*)`\. Message: `([\s\S]*)`/;

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const [, code, message = ''] = RAW.exec(String((error as Error | null)?.message)) ?? [];
    if (code === undefined) throw error;
    const constraint = /unique constraint "(\w+)"$/.exec(message)?.[1];
    throw Object.assign(new Error(message, { cause: error }), { code, errno: Number(code), constraint });
  }
}
