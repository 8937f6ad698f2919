import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { afterAll, describe, expect, it } from 'vitest';
import { aChange, aSecret, aToken, insert, next } from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { aSchema, ask } from './postgres-server.js';

const server = await usePostgres();

describe('counts of tokens', () => {
  const url = server.url();
  const pool = new pg.Pool({ connectionString: url });
  afterAll(() => pool.end());

  async function aStore(of: pg.Pool = pool) {
    const schema = aSchema();
    const store = postgresStore({ pool: of, schema, listen: false });
    await store.migrate();
    /** What is kept, as far as it is not 0, and what there is. */
    const compare = async () => {
      const [kept] = await ask(
        url,
        `SELECT
           (SELECT jsonb_agg(c ORDER BY organization, ownership, slot) FROM ${schema}.token_counts c) AS counts,
           (SELECT jsonb_agg(c ORDER BY ownership, slot) FROM ${schema}.token_totals c WHERE count <> 0) AS totals`,
      );
      const [there] = await ask(
        url,
        `WITH each AS (
           SELECT organization, ownership, seq % 32 AS slot, count(*) FROM ${schema}.tokens GROUP BY 1, 2, 3),
         total AS (SELECT ownership, slot, sum(count) AS count FROM each GROUP BY 1, 2)
         SELECT (SELECT jsonb_agg(e ORDER BY organization COLLATE "C", ownership COLLATE "C", slot) FROM each e) AS counts,
           (SELECT jsonb_agg(t ORDER BY ownership COLLATE "C", slot) FROM total t) AS totals`,
      );
      expect(kept).toEqual(there);
    };
    return { schema, store, compare };
  }
  /** A statement that makes tokens of these `seq` and organizations. */
  const making = (schema: string, rows: readonly (readonly [number, string])[]) =>
    `INSERT INTO ${schema}.tokens (seq, id, organization, ownership, name, description, types, type_names, metadata, hint,
       created_at, updated_at, version) OVERRIDING SYSTEM VALUE
     SELECT seq, 'id ' || seq, organization, 'personal', '', '', '{}', '', '{}', '', 1, 1, 1
     FROM (VALUES ${rows.map(([seq, organization]) => `(${seq}, '${organization}')`).join(', ')}) AS v (seq, organization)`;
  /** Until a statement that names this text waits for a lock. */
  const waits = async (text: string) => {
    const query = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
    while ((await ask(url, query, [text])).length === 0) await new Promise(setImmediate);
  };

  it('are right whatever statement changes tokens, and hold nothing of an organization that has none left', async () => {
    const { schema, store, compare } = await aStore();
    const bulk = Array.from({ length: 500 }, (_, index) => [1_000 + index, `o${index % 7}`] as const);
    for (const statement of [
      making(schema, bulk),
      `UPDATE ${schema}.tokens SET organization = 'moved' WHERE seq % 5 = 0`,
      `UPDATE ${schema}.tokens SET ownership = 'organization', organization = 'o1' WHERE seq % 3 = 0`,
      `UPDATE ${schema}.tokens SET organization = organization, name = 'renamed'`,
      `DELETE FROM ${schema}.tokens WHERE seq % 2 = 0`,
      `DELETE FROM ${schema}.tokens WHERE organization = 'moved'`,
      `DELETE FROM ${schema}.tokens WHERE seq < 0`,
    ]) {
      await ask(url, statement);
      await compare();
    }
    expect(await ask(url, `SELECT FROM ${schema}.token_counts WHERE organization = 'moved'`)).toEqual([]);
    await ask(url, `TRUNCATE ${schema}.tokens CASCADE`);
    await compare();
    expect(await store.countTokens({ organization: null }, 1)).toBe(0);
    await store.close();
  });

  it('are what was committed: not of what was undone, nor of what is not done yet', async () => {
    const { schema, store, compare } = await aStore();
    await insert(store, aToken('t1'));
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(making(schema, [[100, 'acme']]));
    expect(await store.countTokens({ organization: 'acme' }, 1)).toBe(1);
    await other.query('ROLLBACK');
    other.release();
    expect(await store.countTokens({ organization: 'acme' }, 1)).toBe(1);
    await compare();
    await store.close();
  });

  it('creations of one organization at once do not wait for each other', async () => {
    const { schema, store, compare } = await aStore();
    await insert(store, aToken('t1'));
    const other = await pool.connect();
    await other.query('BEGIN');
    // As a creation that is not committed yet: it has taken the next number.
    await other.query(making(schema, [[1_000, 'acme']]).replace('1000,', `nextval('${schema}.tokens_seq_seq'),`));
    for (let index = 0; index < 20; index++) await insert(store, aToken(`during ${index}`));
    await other.query('COMMIT');
    other.release();
    expect(await store.countTokens({ organization: 'acme' }, 1)).toBe(22);
    await compare();
    await store.close();
  });

  it('are taken in one order: while a statement waits for an organization, it holds none after it and no total', async () => {
    const { schema, store, compare } = await aStore();
    await ask(url, making(schema, [[32, 'a'], [64, 'b'], [96, 'c']])); // biome-ignore format: one statement, one line
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`SELECT 1 FROM ${schema}.token_counts WHERE organization = 'b' FOR UPDATE`);
    const bulk = ask(url, making(schema, [[128, 'c'], [160, 'b'], [192, 'a']])); // biome-ignore format: as above
    await waits(schema);
    const held = (table: string, where: string) =>
      ask(url, `SELECT 1 FROM ${schema}.${table} WHERE ${where} FOR UPDATE NOWAIT`);
    expect(await held('token_counts', "organization = 'c'")).toHaveLength(1);
    expect(await held('token_totals', 'true')).toHaveLength(1);
    await expect(held('token_counts', "organization = 'a'")).rejects.toThrow('could not obtain lock');
    await other.query('COMMIT');
    other.release();
    await bulk;
    await compare();
    await store.close();
  });

  it('a creation that waits for a row which goes is counted in a new one', async () => {
    const { schema, store, compare } = await aStore();
    await ask(url, making(schema, [[1_000, 'acme']]));
    const other = await pool.connect();
    await other.query('BEGIN');
    await other.query(`DELETE FROM ${schema}.tokens`);
    const made = ask(url, making(schema, [[1_032, 'acme']]));
    await waits(schema);
    await other.query('COMMIT');
    other.release();
    await made;
    expect(await store.countTokens({ organization: 'acme' }, 1)).toBe(1);
    await compare();
    await store.close();
  });

  it.each(['read committed', 'repeatable read', 'serializable'])(
    'stay right under %s, with many at once',
    async (level) => {
      const strict = new pg.Pool({
        connectionString: url,
        max: 12,
        options: `-c default_transaction_isolation=${level.replace(' ', '\\ ')}`,
      });
      const { store, compare } = await aStore(strict);
      const lanes = Array.from({ length: 12 }, async (_, lane) => {
        for (let index = 0; index < 12; index++) {
          const token = await insert(store, aToken(`t ${lane} ${index}`, { organization: `o${index % 2}` }));
          const moved = next(token, { organization: `o${(index + 1) % 2}`, ownership: 'organization' });
          const changed = aChange('token.updated', token.id);
          if (index % 3 === 0) expect(await store.replaceToken(moved, 1, null, changed)).toBe(true);
          if (index % 2 === 0) expect(await store.deleteToken(token.id, aChange('token.deleted', token.id))).toBe(true);
          const taken = store.insertToken(aToken('taken'), aSecret('taken'), aChange('token.created', 'taken'));
          if (index % 6 === 0) await taken;
          else await taken.then(() => store.deleteToken('taken', aChange('token.deleted', 'taken')));
        }
      });
      await Promise.all(lanes);
      await compare();
      await store.close();
      await strict.end();
    },
  );
});
