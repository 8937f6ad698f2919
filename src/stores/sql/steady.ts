import { elapsed, within } from '../shared/deadline.js';
import type { Dialect } from './dialect.js';
import type { SqlDriver } from './driver.js';

/** How often a call is tried that lost a race inside the database. */
const ATTEMPTS = 10;
/** Changing a large table may take long. Milliseconds. */
const MIGRATION_LIMIT = 600_000;

/** Gives each call of a driver a deadline, and tries those again that lost a race inside the database. */
export function steady(driver: SqlDriver, dialect: Dialect, timeout: number): SqlDriver {
  const repeat = async <T>(milliseconds: number, call: () => Promise<T>): Promise<T> => {
    const until = elapsed() + milliseconds;
    for (let attempt = 1; ; attempt++) {
      try {
        return await within(call(), until - elapsed(), `the database gave no answer in ${milliseconds} ms`);
      } catch (error) {
        if (!dialect.isTransient(error) || attempt === ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.random() * attempt * 5));
      }
    }
  };
  return {
    dialect: driver.dialect,
    query: (statement) => repeat(timeout, () => driver.query(statement)),
    batch: (statements) => {
      const isMigration = statements.some(({ sql }) => sql.startsWith('CREATE'));
      return repeat(isMigration ? MIGRATION_LIMIT : timeout, () => driver.batch(statements));
    },
    ...(driver.close && { close: () => driver.close?.() as Promise<void> }),
  };
}
