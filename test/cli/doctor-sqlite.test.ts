import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { sqliteStore } from 'postern/stores/sqlite';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { script } from '../stores/sqlite-files.js';
import { about, doctor, EDITOR, EDITS, filled, now, removeRoot, root, statusOf } from './doctor-world.js';
import { runHere } from './host.js';

afterAll(removeRoot);

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
