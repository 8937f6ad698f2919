import pg from 'pg';
import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { afterAll, describe, expect, it } from 'vitest';
import {
  aChange,
  aDigest,
  aKeyId,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertToken,
  next,
} from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { aSchema, ask } from './postgres-server.js';
import { spying } from './postgres-spy.js';

const server = await usePostgres();

describe('statements to PostgreSQL', () => {
  const url = server.url();
  const pool = new pg.Pool({ connectionString: url });
  afterAll(() => pool.end());

  it('a lookup is one statement, and so is a change; look-ups, new tokens and their changes are prepared', async () => {
    const { spy, log } = spying(pool);
    const store = postgresStore({ pool: spy, schema: aSchema(), listen: false });
    const token = await insert(store, aToken('t1'));
    // The first one of a process clears away what has ended too.
    await store.putEntry(anEntry('e1'), 0, 1);
    const rotation = { secret: aSecret('second'), othersEndAt: 1, at: 1 };
    for (const [call, isPrepared] of [
      [() => store.findTokenByDigest([aDigest('t1')]), true],
      [() => store.findTokenByDigest([aDigest('t1'), aDigest('t2')]), true],
      [() => store.findTokenByKeyId([aKeyId('t1')]), true],
      [() => store.findTokenByKeyId([aKeyId('t1'), aKeyId('t2')]), true],
      [() => store.findToken('t1'), true],
      [() => store.findEndpoint('acme', 'a'), true],
      [() => store.findEntry('login', 'e1', 1), true],
      [() => store.countTokens({ organization: 'acme' }, 1), false],
      [() => store.countTokens({ organization: 'acme', owner: 'ada' }, 1), false],
      [() => insertToken(store, aToken('t2'), aSecret('t2'), aChange('token.created', 't2')), true],
      [() => store.replaceToken(next(token), 1, rotation, aChange('token.rotated', 't1')), true],
      [() => store.recordUsage([aUsage('t1', 1, { a: 1 }), aUsage('t2', 1, { a: 1 })]), false],
      [() => deleteToken(store, 't1', aChange('token.deleted', 't1')), false],
      [() => store.putEntry(anEntry('e2'), 0, 1), false],
      [() => store.putEntry(anEntry('e2', { version: 2 }), 1, 1), false],
      [() => store.deleteEntry('login', 'e2', 2, 1), false],
    ] as const) {
      log.length = 0;
      await call();
      expect(log).toHaveLength(1);
      expect(log[0]?.name !== undefined).toBe(isPrepared);
    }
    await store.close();
  });

  it.each(['26000', '42P05'])('are no longer prepared after a pooler has lost one (%s)', async (code) => {
    const { spy, log, failures } = spying(pool);
    const store = postgresStore({ pool: spy, schema: aSchema(), listen: false });
    await insert(store, aToken('t1'));
    failures.push(({ name }) =>
      name === undefined ? undefined : Object.assign(new Error('prepared statement'), { code, severity: 'ERROR' }),
    );
    const found = await Promise.all(Array.from({ length: 8 }, () => store.findToken('t1')));
    expect(found.map((token) => token?.id)).toEqual(Array(8).fill('t1'));
    log.length = 0;
    await store.findToken('t1');
    expect(log.map(({ name }) => name)).toEqual([undefined]);
    await store.close();
  });

  it('are tried again after a lost race inside PostgreSQL, up to a limit', async () => {
    const { spy, log, failures } = spying(pool);
    const store = postgresStore({ pool: spy, schema: aSchema(), listen: false });
    await store.migrate();
    let left = 3;
    failures.push(() =>
      left-- > 0 ? Object.assign(new Error('deadlock'), { code: '40P01', severity: 'ERROR' }) : undefined,
    );
    expect(await insertToken(store, aToken('t1'), aSecret('t1'), aChange('token.created', 't1'))).toBe(true);
    left = Number.POSITIVE_INFINITY;
    log.length = 0;
    await expect(store.findToken('t1')).rejects.toThrow('deadlock');
    expect(log.length).toBe(10);
    await store.close();
  });

  it('a change with an id that is taken rejects, and nothing is written', async () => {
    const store = postgresStore({ pool, schema: aSchema(), listen: false });
    const change = aChange('token.created', 't1');
    expect(await insertToken(store, aToken('t1'), aSecret('t1'), change)).toBe(true);
    await expect(insertToken(store, aToken('t2'), aSecret('t2'), change)).rejects.toThrow('changes_pkey');
    expect(await store.findToken('t2')).toBeNull();
    await store.close();
  });

  it('a taken id does not close the connection', async () => {
    const store = postgresStore({ pool, schema: aSchema(), listen: false });
    await insert(store, aToken('t1'));
    const before = pool.totalCount;
    for (let index = 0; index < 5; index++) {
      expect(await insertToken(store, aToken('t1'), aSecret('x'), aChange('token.created', 't1'))).toBe(false);
    }
    expect(pool.totalCount).toBe(before);
    expect(pool.idleCount).toBe(before);
    await store.close();
  });

  describe('a batch of uses', () => {
    /** A store with tokens, and someone else's transaction that has begun. */
    async function beside(statement: (schema: string) => string) {
      const schema = aSchema();
      const store = postgresStore({ pool, schema, listen: false });
      for (const id of ['t1', 't2', 't3']) await insert(store, aToken(id));
      const other = await pool.connect();
      await other.query('BEGIN');
      await other.query(statement(schema));
      const batch = ['t3', 't1', 't2'].map((id) => aUsage(id, 5, { a: 1 }));
      const recorded = store.recordUsage(batch);
      const waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%'";
      while ((await ask(url, waits, [schema])).length === 0) await new Promise(setImmediate);
      return { schema, store, recorded, end: () => other.query('COMMIT').then(() => other.release()) };
    }

    it('waits for a running deletion, skips the deleted token, and counts the rest', async () => {
      const { store, recorded, end } = await beside((schema) => `DELETE FROM ${schema}.tokens WHERE id = 't1'`);
      await end();
      await recorded;
      expect((await store.findToken('t2'))?.lastUsedAt).toBe(5);
      expect(await store.listUsage(['t1'])).toEqual([]);
      expect(await store.listUsage(['t3'])).toEqual([{ tokenId: 't3', endpoint: 'a', count: 1, lastUsedAt: 5 }]);
      await store.close();
    });

    it('locks its tokens in one order: while it waits for the first, it locks no other', async () => {
      const { schema, store, recorded, end } = await beside(
        (schema) => `SELECT 1 FROM ${schema}.tokens WHERE id = 't1' FOR UPDATE`,
      );
      expect(await ask(url, `SELECT id FROM ${schema}.tokens WHERE id <> 't1' FOR UPDATE NOWAIT`)).toHaveLength(2);
      await end();
      await recorded;
      expect((await store.findToken('t1'))?.lastUsedAt).toBe(5);
      await store.close();
    });
  });

  it('no statement can alter or cut the audit log', async () => {
    const schema = aSchema();
    const store = postgresStore({ pool, schema, listen: false });
    await insert(store, aToken('t1'));
    for (const statement of [
      `UPDATE ${schema}.changes SET at = 1`,
      `DELETE FROM ${schema}.changes`,
      `TRUNCATE ${schema}.changes`,
      // What trims lets nothing else through after it, in its own transaction neither.
      `SELECT ${schema}.trim_changes(1, 1); DELETE FROM ${schema}.changes`,
    ]) {
      await expect(ask(url, statement)).rejects.toThrow('append-only');
    }
    expect(await store.listChanges({ organization: null, limit: 10 })).toHaveLength(1);
    await store.close();
  });

  it('no table holds a secret', async () => {
    const schema = aSchema();
    const postern = createPostern({ store: postgresStore({ pool, schema }), pepper: 'a pepper of many characters' });
    const canaries = ['a pepper of many characters'];
    for (let index = 0; index < 5; index++) {
      const types = { developer: { scopes: ['models:write'] } } as const;
      const { token, record } = await postern.tokens.create({ name: `ci ${index}`, types });
      expect((await postern.authenticate(token)).ok).toBe(true);
      canaries.push(token, (await postern.tokens.rotate(record.id, { grace: '1h' })).token);
      if (index === 3) await postern.tokens.revoke(record.id);
      if (index === 4) await postern.tokens.delete(record.id);
    }
    const tables = await ask(url, 'SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema]);
    expect(tables.length).toBeGreaterThan(5);
    let dump = '';
    for (const { tablename } of tables) dump += JSON.stringify(await ask(url, `SELECT * FROM ${schema}.${tablename}`));
    expect(dump).toContain('ci 3');
    for (const canary of canaries) {
      for (const text of [canary, canary.slice(-40), canary.slice(4, 30)]) expect(dump).not.toContain(text);
    }
    await postern.close();
  });
});
