import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { describe, expect, it, vi } from 'vitest';

const connectionString = 'postgres://user:canary-password@127.0.0.1:1/none';
const blocked = new Set<string>();
vi.mock('../../src/stores/shared/driver.js', async (original) => {
  const module = await original<typeof import('../../src/stores/shared/driver.js')>();
  return { ...module, findDriver: (name: string) => (blocked.has(name) ? null : module.findDriver(name)) };
});

const thrown = (options: unknown) => {
  try {
    postgresStore(options as never);
  } catch (error) {
    return error as Error;
  }
  return undefined;
};

describe('options', () => {
  it.each([
    ['option_invalid', {}, 'pool'],
    ['option_invalid', { pool: new pg.Pool(), connectionString }, 'pool'],
    ['option_invalid', { pool: {} }, 'pool'],
    ['option_invalid', { pool: new pg.Pool({ max: 1 }) }, 'pool'],
    ['option_invalid', { connectionString: '' }, 'connectionString'],
    ['option_invalid', { connectionString: 7 }, 'connectionString'],
    ['option_invalid', { connectionString, schema: '' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'Postern' }, 'schema'],
    ['option_invalid', { connectionString, schema: '1x' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'a b' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'x"; DROP SCHEMA public CASCADE; --' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'x\n' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'x\0' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'a'.repeat(51) }, 'schema'],
    ['option_invalid', { connectionString, schema: 'pg_catalog' }, 'schema'],
    ['option_invalid', { connectionString, schema: 'information_schema' }, 'schema'],
    ['option_invalid', { connectionString, listen: '' }, 'listen'],
    ['option_invalid', { connectionString, listen: true }, 'listen'],
    ['option_invalid', { connectionString, timeout: 0 }, 'timeout'],
    ['option_invalid', { connectionString, timeout: 'soon' }, 'timeout'],
    ['option_invalid', { connectionString, heartbeat: '1ms' }, 'heartbeat'],
    ['option_invalid', { connectionString, heartbeat: '1h' }, 'heartbeat'],
    ['option_invalid', { connectionString, prepare: 'yes' }, 'prepare'],
    ['option_unknown', { connectionString, max: 3 }, 'max'],
    ['option_invalid', { connectionString, reader: connectionString }, 'reader'],
    ['option_invalid', { connectionString, reader: {} }, 'reader.pool'],
    ['option_invalid', { connectionString, reader: { connectionString, pool: new pg.Pool() } }, 'reader.pool'],
    ['option_invalid', { connectionString, reader: { connectionString: undefined } }, 'reader.connectionString'],
    ['option_invalid', { connectionString, reader: { connectionString, maxLag: '2m' } }, 'reader.maxLag'],
    ['option_invalid', { connectionString, reader: { connectionString, maxLag: '100ms' } }, 'reader.maxLag'],
    ['option_invalid', { connectionString, reader: { connectionString }, listen: false }, 'reader'],
    ['option_unknown', { connectionString, reader: { connectionString, schema: 'x' } }, 'reader.schema'],
  ])('are refused as %s for %j, naming %s', (code, options, path) => {
    const error = thrown(options);
    expect(error).toMatchObject({ code, path });
    expect(error?.message).toContain('postgresStore');
    expect(`${error?.message} ${error?.stack}`).not.toContain('canary-password');
  });

  it('accept a pool of one connection if the feed has its own connection, or if there is no feed', () => {
    const pool = new pg.Pool({ max: 1 });
    for (const listen of [connectionString, () => new pg.Client(), false] as const) {
      expect(thrown({ pool, listen })).toBeUndefined();
    }
  });

  it('without a feed leave out subscribe and confirm', () => {
    const store = postgresStore({ connectionString, listen: false });
    expect('subscribe' in store || 'confirm' in store).toBe(false);
    expect(Object.keys(postgresStore({ connectionString }))).toEqual(expect.arrayContaining(['subscribe', 'confirm']));
  });

  it('name the install command if pg is needed and missing', () => {
    blocked.add('pg');
    const missing = { code: 'driver_missing', message: expect.stringContaining('postgresStore({ pool })') };
    const pool = new pg.Pool();
    expect(thrown({ connectionString })).toMatchObject(missing);
    expect(thrown({ pool, listen: connectionString })).toMatchObject(missing);
    expect(thrown({ pool })).toBeUndefined();
    blocked.clear();
  });
});

it('the store opens no connection before the first call, and its error shows no password', async () => {
  const store = postgresStore({ connectionString });
  store.subscribe?.(() => {});
  const error = await store.findToken('x').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(`${error} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain('canary-password');
  await store.close();
  await expect(store.findToken('x')).rejects.toMatchObject({ code: 'closed' });
  await expect(store.migrate()).rejects.toMatchObject({ code: 'closed' });
});

it('a connection that breaks after the store was closed does not end the process', async () => {
  const on = vi.spyOn(pg.Pool.prototype, 'on');
  const store = postgresStore({ connectionString });
  const pool = on.mock.contexts[0] as pg.Pool;
  on.mockRestore();
  await store.close();
  expect(pool.emit('error', new Error('terminating connection'))).toBe(true);
});

it("an application's pool keeps no listeners of the store, and stays open", async () => {
  const pool = new pg.Pool();
  const store = postgresStore({ pool, listen: false });
  expect(pool.listenerCount('error')).toBe(1);
  await store.close();
  expect(pool.listenerCount('error')).toBe(0);
  expect(pool.ending).toBe(false);
});
