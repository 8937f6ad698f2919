import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool, type PoolConnection } from 'mysql2/promise';
import pg from 'pg';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { controlledStore, createTestPostern, type TestPostern } from 'postern/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { all, principalOf } from '../support/lives.js';
import { useMariadb } from '../support/mariadb-server.js';
import { refusal } from '../support/outcomes.js';
import { usePostgres } from '../support/services.js';
import { aDatabase } from './mariadb-server.js';
import { aSchema } from './postgres-server.js';

const LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const;
type Level = (typeof LEVELS)[number];

interface Transaction {
  readonly client: object;
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

interface Server {
  readonly world: () => TestPostern;
  /** A transaction that has read something: from then on it may see an older state than others. */
  readonly begin: (level: Level) => Promise<Transaction>;
  /** What an application might give by mistake. */
  readonly pool: object;
}

describe('PostgreSQL', async () => {
  const server = await usePostgres();
  const pool = new pg.Pool({ connectionString: server.url(), max: 30 });
  const schema = aSchema();
  await postgresStore({ pool, schema, listen: false }).migrate();
  afterAll(() => pool.end());
  const store = () => postgresStore({ connectionString: server.url(), schema, heartbeat: '100ms' });
  const world = () => createTestPostern({ store: controlledStore(store()) });
  testAttacks({
    world,
    pool,
    async begin(level) {
      const client = await pool.connect();
      const end = async (how: string) => {
        await client.query(how);
        client.release();
      };
      await client.query(`BEGIN ISOLATION LEVEL ${level}`);
      await client.query(`SELECT count(*) FROM "${schema}".tokens`);
      return { client, commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
    },
  });

  test('a transaction that has failed already is refused, and so is one that is over', async () => {
    const { postern } = world();
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT nonsense').catch(() => {});
    const create = () => postern.tokens.create({ name: 'x', types: all }, { within: client });
    expect(await refusal(create())).toMatchObject({ code: 'input_invalid', path: 'within' });
    await client.query('ROLLBACK');
    expect(await refusal(create())).toMatchObject({ code: 'input_invalid', path: 'within' });
    client.release();
    await postern.close();
  });
});

describe('MariaDB', async () => {
  const uri = await aDatabase(await useMariadb());
  const pool = createPool({ uri, connectionLimit: 30 });
  await mysqlStore({ uri }).migrate();
  afterAll(() => pool.end());
  testAttacks({
    pool,
    world: () => createTestPostern({ store: controlledStore(mysqlStore({ uri, pollInterval: '20ms' })) }),
    async begin(level) {
      const connection: PoolConnection = await pool.getConnection();
      const end = async (how: string) => {
        await connection.query(how);
        connection.release();
      };
      await connection.query(`SET TRANSACTION ISOLATION LEVEL ${level}`);
      await connection.query('START TRANSACTION');
      // At SERIALIZABLE a reading of rows would lock them, and no revocation could come between.
      await connection.query('SELECT count(*) FROM postern_tokens WHERE id = "nobody"');
      return { client: connection, commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
    },
  });
});

function testAttacks({ world, begin, pool }: Server): void {
  /** Whatever came of the call, the transaction is ended. */
  const settle = async (work: Promise<unknown>, { commit, rollback }: Transaction) => {
    const failure = await work.then(
      () => null,
      (error: { code: string }) => error.code,
    );
    await (failure === null ? commit() : rollback());
    return failure;
  };

  test.each(LEVELS)('no edit undoes a revocation that came after its transaction began (%s)', async (level) => {
    const { postern, issue } = world();
    const { token, record } = await issue({ types: all });
    const tx = await begin(level);
    await postern.tokens.revoke(record.id);
    const failure = await settle(postern.tokens.update(record.id, { name: 'alive?' }, { within: tx.client }), tx);
    expect([null, 'conflict', 'unavailable']).toContain(failure);
    expect((await postern.tokens.get(record.id))?.revokedAt).not.toBeNull();
    expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'token_revoked' });
    const again = await begin(level);
    const rotated = await settle(postern.tokens.rotate(record.id, { within: again.client }), again);
    expect(['token_revoked', 'conflict', 'unavailable']).toContain(rotated);
    await postern.close();
  });

  test.each(LEVELS)('a revocation waits for an edit that is not committed, and wins (%s)', async (level) => {
    const [here, there] = [world(), world()];
    const { token, record } = await here.issue({ types: all });
    const tx = await begin(level);
    const types = { developer: { scopes: ['models:read'] } } as const;
    const { committed } = await here.postern.tokens.update(record.id, { types }, { within: tx.client });
    const revoking = there.postern.tokens.revoke(record.id);
    await tx.commit();
    await revoking;
    await committed();
    await eventually(async () => expect((await here.postern.authenticate(token)).ok).toBe(false));
    expect((await there.postern.tokens.get(record.id))?.revokedAt).not.toBeNull();
    await Promise.all([here.postern.close(), there.postern.close()]);
  });

  test.each(LEVELS)('a leaver keeps no token of a transaction that was open when they left (%s)', async (level) => {
    const [here, there] = [world(), world()];
    const owner = randomUUID();
    const { token } = await here.issue({ types: all, owner });
    const theirs = here.postern.as(await principalOf(here.postern, token));
    for (const tokens of [theirs.tokens, here.postern.tokens]) {
      const tx = await begin(level);
      const kept = await tokens.create({ name: 'kept', types: all, owner }, { within: tx.client });
      const leaving = there.postern.tokens.revokeOwned({ owner });
      // Time enough to be done, if nothing held it off.
      await Promise.race([leaving, sleep(500)]);
      await tx.commit();
      await kept.committed();
      expect(await leaving).toBeGreaterThan(0);
      expect((await there.postern.authenticate(kept.token)).ok).toBe(false);
      if (tokens === theirs.tokens) {
        const late = await begin('READ COMMITTED');
        const refused = await settle(tokens.create({ name: 'late', types: all }, { within: late.client }), late);
        expect(refused).toBe('issuance_forbidden');
      }
    }
    await Promise.all([here.postern.close(), there.postern.close()]);
  });

  test('two transactions that wait for each other: one of them is told, and is written nothing of', async () => {
    const { postern, issue } = world();
    const [first, second] = [await issue({ types: all }), await issue({ types: all })];
    const ids = [first.record.id, second.record.id] as const;
    const edit = ({ client }: Transaction, id: string, name: string) =>
      postern.tokens.update(id, { name }, { within: client });
    const [one, two] = [await begin('READ COMMITTED'), await begin('READ COMMITTED')];
    await edit(one, ids[0], 'one');
    const started = edit(two, ids[1], 'two');
    const ends = settle(
      started.then(() => edit(two, ids[0], 'two')),
      two,
    );
    // MariaDB's second change waits for the first one's commit, and holds its own row meanwhile.
    await Promise.race([started, sleep(500)]);
    const failures = await Promise.all([settle(edit(one, ids[1], 'one'), one), ends]);
    expect(failures).toContain(null);
    for (const failure of failures) expect([null, 'unavailable']).toContain(failure);
    const names = await Promise.all(ids.map(async (id) => (await postern.tokens.get(id))?.name));
    expect(new Set(names).size).toBe(1);
    await postern.close();
  });

  test('a pool is no transaction: each statement would be written by itself', async () => {
    const { postern, issue } = world();
    const { token, record } = await issue({ types: all });
    const before = (await postern.audit.list()).items.length;
    const refused = await refusal(postern.tokens.revoke(record.id, { within: pool }));
    expect(refused).toMatchObject({ code: 'input_invalid', path: 'within' });
    expect((await postern.authenticate(token)).ok).toBe(true);
    expect((await postern.audit.list()).items.length).toBe(before);
    await postern.close();
  });
}
