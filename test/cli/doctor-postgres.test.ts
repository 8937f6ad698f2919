import { postgresStore } from 'postern/stores/postgres';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { aDatabase, ask } from '../stores/postgres-server.js';
import { freePort, usePostgres } from '../support/services.js';
import { about, doctor, filled, now, removeRoot, statusOf } from './doctor-world.js';
import { startPooler } from './pooler.js';

afterAll(removeRoot);

describe('postern doctor on PostgreSQL', async () => {
  const server = await usePostgres();
  let url: string;
  beforeEach(async () => {
    url = await aDatabase(server);
  });
  const through = (port: number) => url.replace(`:${server.port}/`, `:${port}/`);

  it('finds nothing wrong with a good one, and leaves nothing behind', async () => {
    await filled(postgresStore({ connectionString: url }));
    const { code, findings } = await doctor(['--store', url]);
    expect({ code, ...statusOf(findings) }).toEqual({
      code: 0,
      node: 'ok',
      clock: 'ok',
      schema: 'ok',
      store: 'ok',
      feed: 'ok',
      prefix: 'ok',
      types: 'ok',
    });
    expect(await ask(url, 'SELECT * FROM postern.listeners')).toEqual([]);
  });

  it('tells tables that are missing, or of a later version, and changes none', async () => {
    const empty = await doctor(['--store', url]);
    expect(empty.code).toBe(0);
    expect(about(empty.findings, 'schema')).toMatchObject({ status: 'warning' });
    expect(await ask(url, "SELECT nspname FROM pg_namespace WHERE nspname = 'postern'")).toEqual([]);

    await filled(postgresStore({ connectionString: url }));
    const [{ table }] = (await ask(
      url,
      "SELECT table_name AS table FROM information_schema.columns WHERE table_schema = 'postern' AND column_name = 'migrated_at'",
    )) as [{ table: string }];
    await ask(url, `INSERT INTO postern.${table} (version, migrated_at) VALUES (999, now())`);
    const later = await doctor(['--store', url]);
    expect(later.code).toBe(1);
    expect(about(later.findings, 'store')?.message).toContain('newer postern');
  });

  it('tells how tables of this version differ, and changes none', async () => {
    await filled(postgresStore({ connectionString: url }));
    await ask(url, 'ALTER TABLE postern.uses ADD COLUMN mine text NOT NULL');
    const { code, findings } = await doctor(['--store', url]);
    expect(code).toBe(1);
    expect(about(findings, 'schema')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining("column mine of uses is not postern's"),
    });
  });

  it('names a pooler in transaction mode, and takes one in session mode', async () => {
    await filled(postgresStore({ connectionString: url }));
    const session = await doctor(['--store', through(await startPooler(server.port, 'session'))]);
    expect(session.code).toBe(0);
    const { code, findings } = await doctor(['--store', through(await startPooler(server.port, 'transaction'))]);
    expect(code).toBe(1);
    expect(about(findings, 'feed')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('pooler in transaction mode'),
      next: expect.stringContaining('listen:'),
    });
  });

  it('names a process that no longer hears', async () => {
    await filled(postgresStore({ connectionString: url }));
    await ask(url, "INSERT INTO postern.listeners (instance, live_until) VALUES ('dead', now() + interval '1 hour')");
    const { code, findings } = await doctor(['--store', url]);
    expect(code).toBe(0);
    expect(about(findings, 'feed')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('1 of 2 processes'),
    });
  });

  it('compares the clocks', async () => {
    await filled(postgresStore({ connectionString: url }));
    const late = await doctor(['--store', url], { ...now, now: () => Date.now() - 120_000 });
    expect(late.code).toBe(1);
    expect(about(late.findings, 'clock')).toMatchObject({
      status: 'problem',
      message: expect.stringMatching(/differ by 1(19|2\d) s/),
    });
    const early = await doctor(['--store', url], { ...now, now: () => Date.now() + 20_000 });
    expect(early.code).toBe(0);
    expect(about(early.findings, 'clock')).toMatchObject({ status: 'warning' });
  });

  it('names a database that takes no changes', async () => {
    await filled(postgresStore({ connectionString: url }));
    await ask(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET default_transaction_read_only = on`);
    const { code, findings } = await doctor(['--store', url]);
    expect(code).toBe(1);
    expect(about(findings, 'writes')).toMatchObject({ status: 'problem' });
  });

  it('names a server that does not answer, without its password', async () => {
    const nobody = `postgres://someone:canary%2Fsecret@127.0.0.1:${await freePort()}/x`;
    const { code, findings } = await doctor(['--store', nobody]);
    expect(code).toBe(1);
    expect(about(findings, 'store')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('ECONNREFUSED'),
      next: expect.stringContaining('Start the database'),
    });
    expect(JSON.stringify(findings)).not.toMatch(/canary/);
  });

  it('names an address whose password has a stray percent sign', async () => {
    const { code, findings } = await doctor(['--store', 'postgres://someone:canary%@127.0.0.1:1/x']);
    expect(code).toBe(1);
    expect(about(findings, 'store')).toMatchObject({ status: 'problem' });
    expect(JSON.stringify(findings)).not.toMatch(/canary/);
  });
});
