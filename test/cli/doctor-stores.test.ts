import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { createPostern, type PosternOptions, scopeAccess } from 'postern';
import type { Store } from 'postern/store';
import { postgresStore } from 'postern/stores/postgres';
import { redisStore } from 'postern/stores/redis';
import { sqliteStore } from 'postern/stores/sqlite';
import { type TestClock, testClock } from 'postern/testing';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { aDatabase, ask } from '../stores/postgres-server.js';
import { script } from '../stores/sqlite-files.js';
import { redisCli, useRedis } from '../support/redis-server.js';
import { freePort, usePostgres } from '../support/services.js';
import { runHere } from './host.js';
import { startPooler } from './pooler.js';

const root = mkdtempSync(join(tmpdir(), 'postern-doctor-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The machine's own clock. */
const now: TestClock = { ...testClock(), now: Date.now };

async function doctor(words: readonly string[], clock = now) {
  const { code, stdout, stderr } = await runHere(['doctor', ...words, '-o', 'json'], {
    clock,
    env: { POSTERN_CONFIG: join(root, 'none.yaml') },
  });
  expect(stderr).toBe('');
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

const statusOf = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));

const about = (findings: readonly Finding[], check: string) => findings.find((each) => each.check === check);

/** A store with a token in it. */
async function filled(
  store: Store,
  options: Partial<PosternOptions> = {},
  types: object = { developer: { scopes: ['*'] } },
) {
  const postern = createPostern({ store, ...options } as PosternOptions);
  await postern.tokens.create({ name: 'ci', types: types as never });
  await postern.close();
}

const EDITOR = { tokenTypes: { editor: scopeAccess({ reports: { read: [] } }) } };
const EDITS = { editor: { scopes: ['reports:read'] } };

describe('postern doctor on SQLite', () => {
  let folder: string;
  let filename: string;
  let store: string[];
  let folders = 0;
  const open = () => sqliteStore({ filename });

  beforeEach(() => {
    folder = mkdtempSync(join(root, `sqlite-${folders++}-`));
    filename = join(folder, 'a.db');
    store = ['--store', `sqlite:${filename}`];
  });

  it('finds nothing wrong with a good one', async () => {
    await filled(open());
    const { code, findings } = await doctor(store);
    expect({ code, ...statusOf(findings) }).toEqual({
      code: 0,
      node: 'ok',
      disk: 'ok',
      file: 'ok',
      schema: 'ok',
      store: 'ok',
      feed: 'ok',
      prefix: 'ok',
      types: 'ok',
    });
  });

  it('finds nothing wrong with the one of a configuration', async () => {
    await filled(open());
    const config = join(folder, 'postern.config.mjs');
    const entry = new URL('../../src/entries/stores/sqlite.ts', import.meta.url);
    const built = join(folder, 'sqlite.mjs');
    await build({
      entryPoints: [fileURLToPath(entry)],
      outfile: built,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['libsql'],
    });
    writeFileSync(
      config,
      `import { sqliteStore } from './sqlite.mjs';
export default { store: sqliteStore({ filename: ${JSON.stringify(filename)} }) };`,
    );
    const { code, findings } = await doctor(['--store', 'config', '--config', config]);
    expect({ code, feed: about(findings, 'feed')?.status }).toEqual({ code: 0, feed: 'ok' });
  });

  it('names a missing file, and makes none', async () => {
    const { code, findings } = await doctor(store);
    expect(code).toBe(1);
    expect(about(findings, 'store')).toMatchObject({ status: 'problem', message: expect.stringContaining(filename) });
    expect((await doctor(store)).code).toBe(1);
  });

  it.each([
    [0o644, 'warning', 'may read it'],
    [0o666, 'problem', 'may change it'],
  ] as const)('judges the mode of the file (%o)', async (mode, status, message) => {
    await filled(open());
    chmodSync(filename, mode);
    const { code, findings } = await doctor(store);
    expect(code).toBe(status === 'problem' ? 1 : 0);
    expect(about(findings, 'file')).toMatchObject({
      status,
      message: expect.stringContaining(message),
      next: `chmod 600 ${filename}*`,
    });
  });

  it('names a folder in which others could replace the file', async () => {
    await filled(open());
    chmodSync(folder, 0o777);
    const { code, findings } = await doctor(store);
    expect(code).toBe(1);
    expect(findings).toContainEqual(expect.objectContaining({ check: 'file', next: `chmod go-w ${folder}` }));
    chmodSync(folder, 0o1777);
    expect((await doctor(store)).code).toBe(0);
  });

  it('tells tables that are missing, or of a later version, and changes none', async () => {
    writeFileSync(filename, '', { mode: 0o600 });
    const empty = await doctor(store);
    expect(empty.code).toBe(0);
    const next = `postern migrate --store sqlite:${filename}`;
    expect(about(empty.findings, 'schema')).toMatchObject({ status: 'warning', next });
    expect(about((await doctor(store)).findings, 'schema')).toMatchObject({ status: 'warning' });

    await filled(open());
    script(filename, 'INSERT INTO migrations (version) VALUES (999)');
    const later = await doctor(store);
    expect(later.code).toBe(1);
    expect(about(later.findings, 'store')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('newer postern'),
    });
  });

  it('tells how tables of this version differ, and goes on', async () => {
    await filled(open());
    script(filename, 'DROP INDEX tokens_by_age');
    const { code, findings } = await doctor(store);
    expect(code).toBe(1);
    expect(about(findings, 'schema')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('index tokens_by_age of tokens is missing'),
      next: expect.stringContaining('postern schema --sql'),
    });
    expect(about(findings, 'store')?.status).toBe('ok');
  });

  it('examines the tables with a prefix', async () => {
    await filled(sqliteStore({ filename, prefix: 'auth_' }));
    expect(about((await doctor(store)).findings, 'schema')).toMatchObject({ status: 'warning' });
    expect((await doctor([...store, '--namespace', 'auth_'])).code).toBe(0);
    const other = await doctor([...store, '--namespace', 'other_']);
    const next = `postern migrate --store sqlite:${filename} --namespace other_`;
    expect(about(other.findings, 'schema')).toMatchObject({ status: 'warning', next });
  });

  it('names a file that is no database', async () => {
    writeFileSync(filename, 'a text that is long enough to be no header of SQLite\n'.repeat(20), { mode: 0o600 });
    const { code, findings } = await doctor(store);
    expect(code).toBe(1);
    expect(about(findings, 'store')?.message).toContain('is not a valid SQLite database');
  });

  it('compares the prefix with stored tokens', async () => {
    await filled(open(), { tokenPrefix: 'acme' });
    const wrong = await doctor(store);
    expect(wrong.code).toBe(1);
    expect(about(wrong.findings, 'prefix')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('1 of the newest 1 tokens begin with acme_'),
    });
    expect((await doctor([...store, '--token-prefix', 'acme'])).code).toBe(0);
    await filled(open());
    expect(about((await doctor(store)).findings, 'prefix')).toMatchObject({ status: 'warning' });
  });

  it('names types that the command does not know, or that the configuration lacks', async () => {
    await filled(open(), EDITOR, EDITS);
    const unknown = await doctor(store);
    expect(unknown.code).toBe(1);
    expect(about(unknown.findings, 'types')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('(editor)'),
      next: expect.stringContaining('postern.config.ts'),
    });
    const config = join(folder, 'settings.mjs');
    const types = (actions: string) =>
      `export default { tokenTypes: { editor: { form: 'scope_access', resources: { reports: { ${actions} } } } } };`;
    writeFileSync(config, types('read: []'));
    const known = await doctor([...store, '--config', config]);
    expect(known.code).toBe(0);
    expect(about(known.findings, 'types')).toMatchObject({ status: 'ok' });
    const other = join(folder, 'other.mjs');
    writeFileSync(other, types('write: []'));
    const lacking = await doctor([...store, '--config', other]);
    expect(lacking.code).toBe(0);
    expect(about(lacking.findings, 'types')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('editor: reports:read'),
    });
  });

  it('names tables of an earlier version, here of a store in the configuration', async () => {
    const config = join(folder, 'settings.mjs');
    const migrate = 'async () => ({ from: 1, to: 2, statements: [] })';
    writeFileSync(config, `export default { store: new Proxy({}, { get: () => ${migrate} }) };`);
    const { code, findings } = await doctor(['--store', 'config', '--config', config]);
    expect(code).toBe(1);
    expect(about(findings, 'schema')).toMatchObject({
      status: 'problem',
      message: 'The tables are of version 1, this postern needs 2',
      next: 'postern migrate --store config',
    });
  });

  it('prints a line for each check, and the next step below a problem', async () => {
    await filled(open());
    chmodSync(filename, 0o666);
    const { code, stdout } = await runHere(['doctor', ...store], { clock: now });
    expect(code).toBe(1);
    expect(stdout).toContain('ok       store: The store answers');
    expect(stdout).toContain(`problem  file: ${filename} has mode 0666: other users of this machine may change it.\n`);
    expect(stdout).toContain(`\n         → chmod 600 ${filename}*\n`);
  });
});

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

describe('postern doctor on Redis', async () => {
  const redis = await useRedis();
  const cli = (...words: string[]) => redisCli(redis.port, ...words);
  const store = ['--store', redis.url];
  const policy = (name: string) => cli('CONFIG', 'SET', 'maxmemory-policy', name);

  beforeEach(async () => {
    await cli('FLUSHALL');
    await filled(redisStore({ url: redis.url }));
  });
  afterEach(() => policy('noeviction'));

  it('finds nothing wrong with a good one', async () => {
    const { code, findings } = await doctor(store);
    expect({ code, ...statusOf(findings) }).toEqual({
      code: 0,
      node: 'ok',
      clock: 'ok',
      memory: 'ok',
      persistence: 'ok',
      schema: 'ok',
      store: 'ok',
      feed: 'ok',
      prefix: 'ok',
      types: 'ok',
    });
  });

  it.each([
    ['volatile-lru', 'warning', 0],
    ['allkeys-lru', 'problem', 1],
  ] as const)('judges maxmemory-policy %s', async (name, status, code) => {
    await policy(name);
    const found = await doctor(store);
    expect(found.code).toBe(code);
    expect(about(found.findings, 'memory')).toMatchObject({
      status,
      message: expect.stringContaining(name),
      next: 'CONFIG SET maxmemory-policy noeviction',
    });
  });

  it('warns of missing persistence', async () => {
    await cli('CONFIG', 'SET', 'appendonly', 'no');
    const { code, findings } = await doctor(store);
    await cli('CONFIG', 'SET', 'appendonly', 'yes');
    expect(code).toBe(0);
    expect(about(findings, 'persistence')).toMatchObject({ status: 'warning' });
  });

  it('names a replica', async () => {
    await cli('REPLICAOF', '127.0.0.1', String(await freePort()));
    const { code, findings } = await doctor(store);
    await cli('REPLICAOF', 'NO', 'ONE');
    expect(code).toBe(1);
    expect(about(findings, 'writes')).toMatchObject({ status: 'problem', next: 'Name the master.' });
  });

  it('names a server that does not answer, without its password', async () => {
    const nobody = `redis://:canary@127.0.0.1:${await freePort()}`;
    const { code, findings } = await doctor(['--store', nobody]);
    expect(code).toBe(1);
    expect(about(findings, 'store')).toMatchObject({ status: 'problem' });
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
});
