import { createPool } from 'mysql2/promise';
import { createPostern } from 'postern';
import { type MysqlStoreOptions, mysqlStore } from 'postern/stores/mysql';
import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../src/stores/sql/schema.js';
import { aChange, anEndpoint, aSecret, aToken, insert, T0 } from '../../src/testing/store-cases/case.js';
import { useMariadb } from '../support/mariadb-server.js';
import { listen, tells } from './listening.js';
import { aDatabase, ask } from './mariadb-server.js';

const server = await useMariadb();
const nothing = { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] };

describe('options', () => {
  it.each([
    [{}, 'pool'],
    [{ uri: 'postgres://x' }, 'uri'],
    [{ uri: 'mysql://x', pool: { getConnection() {} } }, 'pool'],
    [{ pool: {} }, 'pool'],
    [{ uri: 'mysql://x', prefix: 'a-b' }, 'prefix'],
    [{ uri: 'mysql://x', pollInterval: '1ms' }, 'pollInterval'],
  ])('are refused for %j, naming %s', (options, path) => {
    expect(() => mysqlStore(options as unknown as MysqlStoreOptions)).toThrow(
      expect.objectContaining({ code: 'option_invalid', path }),
    );
  });
});

describe('migrations', () => {
  it('many stores that start at once make one schema, and a dry run lists the statements that do', async () => {
    const uri = await aDatabase(server);
    const planned = await mysqlStore({ uri }).migrate({ dryRun: true });
    expect(planned.statements.join('\n')).toMatch(/CREATE TABLE[\s\S]*postern_tokens[\s\S]*CREATE TRIGGER/);
    expect(await ask(uri, 'SHOW TABLES')).toEqual([]);
    const stores = Array.from({ length: 6 }, () => mysqlStore({ uri }));
    expect(await Promise.all(stores.map((store) => store.findToken('x')))).toEqual(Array(6).fill(null));
    expect(await stores[0]?.migrate()).toEqual(nothing);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('go on where an earlier one was cut off', async () => {
    const uri = await aDatabase(server);
    const store = mysqlStore({ uri });
    const { statements } = await store.migrate({ dryRun: true });
    for (const statement of statements.slice(0, 4)) await ask(uri, statement);
    await insert(store, aToken('t1'));
    expect(await store.migrate({ dryRun: true })).toEqual(nothing);
    await store.close();
  });

  it('of a newer postern are refused', async () => {
    const uri = await aDatabase(server);
    const store = mysqlStore({ uri });
    await store.migrate();
    await ask(uri, `INSERT INTO postern_migrations (version) VALUES (${SCHEMA_VERSION + 1})`);
    await store.close();
    const later = mysqlStore({ uri });
    await expect(later.findToken('x')).rejects.toMatchObject({ code: 'store_newer', path: 'prefix' });
    await later.close();
  });

  it.each([
    ["SET SESSION sql_mode = ''", 'strict'],
    ['SET NAMES latin1', 'utf8mb4'],
    ['SET autocommit = 0', 'autocommit'],
  ])('are refused on a connection after %s', async (setting, word) => {
    const pool = createPool({ uri: await aDatabase(server), connectionLimit: 1 });
    await pool.query(setting);
    const store = mysqlStore({ pool });
    const refused = { code: 'store_invalid', message: expect.stringContaining(word) };
    await expect(store.findToken('x')).rejects.toMatchObject(refused);
    await store.close();
    await pool.end();
  });
});

describe('the audit log', () => {
  it('refuses UPDATE and DELETE, also after it was trimmed through the same connection', async () => {
    const pool = createPool({ uri: await aDatabase(server), connectionLimit: 1 });
    const store = mysqlStore({ pool });
    await insert(store, aToken('t1'));
    await insert(store, aToken('t2'));
    expect(await store.trimChanges(T0 + 1, 1)).toBe(1);
    for (const sql of ['UPDATE postern_changes SET at = 1', 'DELETE FROM postern_changes']) {
      await expect(pool.query(sql)).rejects.toThrow('append-only');
    }
    expect(await store.listChanges({ organization: null, limit: 10 })).toHaveLength(1);
    await store.close();
    await pool.end();
  });

  it('a change with an id that is taken rejects, and nothing is written', async () => {
    const store = mysqlStore({ uri: await aDatabase(server) });
    const change = aChange('token.created', 't1');
    expect(await store.insertToken(aToken('t1'), aSecret('t1'), change)).toBe(true);
    await expect(store.insertToken(aToken('t2'), aSecret('t2'), change)).rejects.toThrow('changes_by_id');
    expect(await store.findToken('t2')).toBeNull();
    await store.close();
  });
});

describe('the feed', () => {
  it('numbers concurrent changes of many connections without a gap, so that none is missed', async () => {
    const uri = await aDatabase(server);
    const writers = Array.from({ length: 4 }, () => mysqlStore({ uri }));
    const reader = mysqlStore({ uri, pollInterval: '5ms' });
    const feed = listen(reader);
    await reader.findToken('x');
    await Promise.all(
      Array.from({ length: 80 }, (_, index) =>
        writers[index % 4]?.insertEndpoint(
          anEndpoint('a', { organization: `o${index}` }),
          aChange('endpoint.created', 'a', `o${index}`),
        ),
      ),
    );
    for (let index = 0; index < 80; index++) await feed.until(tells({ kind: 'endpoints', organization: `o${index}` }));
    expect(feed.told).toHaveLength(80);
    await Promise.all([...writers, reader].map((store) => store.close()));
  });
});

it('an outage is a fault and never an allow; the feed says that it is lost, and a revocation made meanwhile is seen after it', async () => {
  const own = server;
  const uri = await aDatabase(own);
  const store = mysqlStore({ uri, pollInterval: '50ms', timeout: '2s' });
  const feed = listen(store);
  const postern = createPostern({ store, cache: { ttl: '1h' } });
  const types = { developer: { scopes: ['models:write'] } } as const;
  const { token, record } = await postern.tokens.create({ name: 'ci', types });
  const unread = await postern.tokens.create({ name: 'unread', types });
  expect((await postern.authenticate(token)).ok).toBe(true);
  await own.stop('kill');
  await feed.until(({ kind }) => kind === 'lost');
  const decision = await postern.authorize({ token: unread.token, requirement: { scope: 'models:write' } });
  expect(decision.allowed || decision.reason).toBe('unavailable');
  await own.start();
  const other = createPostern({ store: mysqlStore({ uri }) });
  await other.tokens.revoke(record.id);
  await feed.until(({ kind }) => kind === 'restored');
  expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  expect((await postern.authenticate(unread.token)).ok).toBe(true);
  await Promise.all([postern.close(), other.close()]);
});
