import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { afterAll, describe, expect, it } from 'vitest';
import { anEntry, T0 } from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { aSchema, ask } from './postgres-server.js';
import { spying } from './postgres-spy.js';

const server = await usePostgres();
const MINUTE = 60_000;

describe('entries', () => {
  const url = server.url();
  const pool = new pg.Pool({ connectionString: url });
  afterAll(() => pool.end());

  /** A store whose next new entry clears away what has ended, and the ids that are in the table, ended or not. */
  async function aStore() {
    const schema = aSchema();
    const { spy, log, failures } = spying(pool);
    const store = postgresStore({ pool: spy, schema, listen: false });
    await store.migrate();
    const ids = async () => (await ask(url, `SELECT id FROM ${schema}.entries ORDER BY id`)).map(({ id }) => id);
    const fill = (rows: string) =>
      ask(url, `INSERT INTO ${schema}.entries (kind, id, value, expires_at, version) ${rows}`);
    return { schema, store, log, failures, ids, fill };
  }

  it('a new entry removes entries that ended a minute ago, and keeps the others', async () => {
    const { store, ids, fill } = await aStore();
    await fill(`VALUES ('jti', 'gone', '', ${T0 - MINUTE}, 1), ('jti', 'just', '', ${T0 - MINUTE + 1}, 1),
      ('jti', 'lives', '', ${T0 + 1}, 1), ('ring', 'stays', '', NULL, 1)`);
    expect(await store.putEntry(anEntry('new'), 0, T0)).toBe(true);
    expect(await ids()).toEqual(['just', 'lives', 'new', 'stays']);
    await store.close();
  });

  it('one new entry in 32 removes up to 256 ended entries, and the other 31 remove none', async () => {
    const { store, log, ids, fill } = await aStore();
    await fill(`SELECT 'jti', 'old ' || i, '', ${T0 - MINUTE} - i, 1 FROM generate_series(1, 600) i`);
    log.length = 0;
    let statements = 0;
    for (const left of [344, 88, 0]) {
      for (let index = 0; index < 32; index++) {
        expect(await store.putEntry(anEntry(`new-${left}-${index}`), 0, T0)).toBe(true);
        statements += index === 0 ? 2 : 1;
        expect(log).toHaveLength(statements);
      }
      expect((await ids()).filter((id) => String(id).startsWith('old'))).toHaveLength(left);
    }
    // Neither what was refused nor a change adds an entry.
    for (const [expected, isWritten] of [
      [0, false],
      [1, true],
    ] as const) {
      expect(await store.putEntry({ ...anEntry('new-0-0'), version: 2 }, expected, T0)).toBe(isWritten);
    }
    expect(log).toHaveLength(statements + 2);
    await store.close();
  });

  it('removing ended entries does not wait for a locked one', async () => {
    const { schema, store, ids, fill } = await aStore();
    await fill(`VALUES ('jti', 'held', '', 1, 1), ('jti', 'old', '', 2, 1)`);
    const other = await pool.connect();
    await other.query(`BEGIN; SELECT 1 FROM ${schema}.entries WHERE id = 'held' FOR UPDATE`);
    expect(await store.putEntry(anEntry('new'), 0, T0)).toBe(true);
    expect(await ids()).toEqual(['held', 'new']);
    await other.query('COMMIT');
    other.release();
    await store.close();
  });

  it('a failed removal of ended entries fails no write, and a later write does it', async () => {
    const { store, failures, ids, fill } = await aStore();
    await fill(`VALUES ('jti', 'old', '', 1, 1)`);
    failures.push(({ text }) => (text.startsWith('DELETE') ? new Error('no') : undefined));
    expect(await store.putEntry(anEntry('new-0'), 0, T0)).toBe(true);
    failures.length = 0;
    for (let index = 1; index < 32; index++) await store.putEntry(anEntry(`new-${index}`), 0, T0);
    expect(await ids()).toContain('old');
    expect(await store.putEntry(anEntry('new-32'), 0, T0)).toBe(true);
    expect(await ids()).not.toContain('old');
    await store.close();
  });

  it('an ended entry that is removed while it is written anew is written', async () => {
    const { schema, store, fill } = await aStore();
    await fill(`VALUES ('login', 'e1', '', 1, 5)`);
    const other = await pool.connect();
    await other.query(`BEGIN; DELETE FROM ${schema}.entries`);
    const written = store.putEntry(anEntry('e1'), 0, T0);
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    while ((await ask(url, waiting, [schema])).length === 0) await new Promise(setImmediate);
    await other.query('COMMIT');
    other.release();
    expect(await written).toBe(true);
    expect(await store.findEntry('login', 'e1', T0)).toEqual(anEntry('e1'));
    await store.close();
  });

  it.each(['repeatable read', 'serializable'])(
    'under %s every one of many concurrent writes gets its answer',
    async (level) => {
      const strict = new pg.Pool({
        connectionString: url,
        max: 12,
        options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
      });
      const store = postgresStore({ pool: strict, schema: aSchema(), listen: false });
      await store.migrate();
      // The time moves on, so that what was written before ends, is cleared away and is written anew.
      const round = async (now: number) => {
        const answers = await Promise.all(
          Array.from({ length: 120 }, (_, index) =>
            store.putEntry(anEntry(`e${index % 40}`, { expiresAt: now + 1_000 }), 0, now),
          ),
        );
        expect(answers.filter(Boolean)).toHaveLength(40);
      };
      for (let index = 0; index < 4; index++) await round(T0 + index * 2 * MINUTE);
      await store.close();
      await strict.end();
    },
  );
});
