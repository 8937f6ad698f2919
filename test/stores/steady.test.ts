import { describe, expect, it } from 'vitest';
import { Mysql } from '../../src/stores/sql/dialects/mysql.js';
import { Postgres } from '../../src/stores/sql/dialects/postgres.js';
import { Sqlite } from '../../src/stores/sql/dialects/sqlite.js';
import { steady } from '../../src/stores/sql/steady.js';

const mysql = new Mysql('');
/** The errors of a lost race, as each driver gives them. They come seldom from a real database, and at no time that a test could choose. */
const RACES = [
  ['MySQL, a deadlock', mysql, { errno: 1213 }],
  ['MariaDB, a row that another has changed', mysql, { errno: 1020 }],
  ['MySQL, a row that is gone', mysql, { errno: 1452 }],
  ['MariaDB, a deadlock over the next number', mysql, { errno: 1467 }],
  ['PostgreSQL, a deadlock', new Postgres('public', ''), { code: '40P01' }],
  ['PostgreSQL, a serialization failure', new Postgres('public', ''), { code: '40001' }],
  ['SQLite, a lock', new Sqlite(''), { message: 'database is locked' }],
] as const;

describe('a batch that lost a race inside the database', () => {
  it.each(RACES)('is tried again: %s', async (_, dialect, race) => {
    const failing = (times: number) => {
      const counts = { batches: 0 };
      const batch = async () => {
        if (++counts.batches <= times) throw Object.assign(new Error('a race'), race);
        return [1];
      };
      const driver = steady({ dialect: dialect.name, query: async () => [], batch }, dialect, 60_000);
      return { driver, counts };
    };
    const once = failing(1);
    expect([await once.driver.batch([]), once.counts.batches]).toEqual([[1], 2]);
    const always = failing(Number.POSITIVE_INFINITY);
    await expect(always.driver.batch([])).rejects.toMatchObject(race);
    expect(always.counts.batches).toBe(10);
  });

  it('is not, if the error is another one', async () => {
    let batches = 0;
    const batch = async () => {
      batches++;
      throw Object.assign(new Error('no such column'), { errno: 1054 });
    };
    await expect(steady({ dialect: 'mysql', query: async () => [], batch }, mysql, 60_000).batch([])).rejects.toThrow();
    expect(batches).toBe(1);
  });
});
