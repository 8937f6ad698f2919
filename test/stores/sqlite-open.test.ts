import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPostern } from 'postern';
import { type SqliteDriver, sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from '../../src/stores/sql/schema.js';
import { anEntry } from '../../src/testing/store-cases/case.js';
import { ask, bytesOf, Libsql, script, testDirectory } from './sqlite-files.js';

const { directory, aFile, beside } = testDirectory();

const thrown = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('options', () => {
  it.each([
    ['option_invalid', {}, 'filename'],
    ['option_invalid', { filename: 7 }, 'filename'],
    ['option_invalid', { filename: '' }, 'filename'],
    ['option_invalid', { filename: 'a\0b' }, 'filename'],
    ['option_invalid', { filename: 'file:///tmp/x.db' }, 'filename'],
    ['option_invalid', { filename: 'libsql://example.com' }, 'filename'],
    ['option_invalid', { filename: new URL('https://example.com/x.db') }, 'filename'],
    ['option_invalid', { filename: 'x.db', driver: 'sqlite3' }, 'driver'],
    ['option_invalid', { filename: 'x.db', driver: {} }, 'driver'],
    ['option_invalid', { filename: 'x.db', pollInterval: '1ms' }, 'pollInterval'],
    ['option_invalid', { filename: 'x.db', pollInterval: 'soon' }, 'pollInterval'],
    ['option_unknown', { filename: 'x.db', readonly: true }, 'readonly'],
  ])('are refused as %s for %j, naming %s', (code, options, path) => {
    const error = thrown(() => sqliteStore(options as never));
    expect(error).toMatchObject({ code, path });
    expect((error as Error).message).toContain('sqliteStore');
  });

  it('a new file, its -wal and its -shm have the mode 0600 under any umask', async () => {
    const target = aFile();
    const link = aFile();
    symlinkSync(target, link);
    const before = process.umask(0);
    try {
      for (const file of [aFile(), link]) {
        const store = sqliteStore({ filename: file });
        await store.putEntry(anEntry('e1'), 0, 0);
        const names = beside(file === link ? target : file);
        expect(names).toHaveLength(3);
        for (const name of names) expect(statSync(join(directory, name)).mode & 0o777, name).toBe(0o600);
        await store.close();
      }
    } finally {
      process.umask(before);
    }
  });

  it('an existing file keeps its mode, and its -wal gets the same', async () => {
    const file = aFile();
    await sqliteStore({ filename: file }).migrate();
    chmodSync(file, 0o640);
    const store = sqliteStore({ filename: file });
    await store.putEntry(anEntry('e1'), 0, 0);
    for (const name of [file, `${file}-wal`]) expect(statSync(name).mode & 0o777, name).toBe(0o640);
    await store.close();
  });

  it('the store opens no file before the first call', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.close();
    expect(beside(file)).toEqual([]);
  });

  it.each([
    ['a relative path', (file: string) => relative(process.cwd(), file)],
    ['a file: URL', (file: string) => pathToFileURL(file)],
  ])('filename may be %s with special characters of a URL', async (_, form) => {
    const file = aFile(`a b%20?x=#1 ${_.length}.db`);
    for (const round of [1, 2]) {
      const store = sqliteStore({ filename: form(file) });
      await store.migrate();
      await store.close();
      expect(statSync(file).isFile(), String(round)).toBe(true);
    }
  });
});

describe('drivers', () => {
  it('name the install command if the package of a driver is missing', async () => {
    const store = sqliteStore({ filename: aFile(), driver: 'better-sqlite3' });
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'driver_missing',
      message: expect.stringContaining('npm install better-sqlite3'),
    });
  });

  it.skipIf(process.getBuiltinModule('node:sqlite') !== undefined)(
    'says what to do when this Node has no node:sqlite',
    async () => {
      const store = sqliteStore({ filename: aFile(), driver: 'node:sqlite' });
      await expect(store.migrate()).rejects.toMatchObject({
        code: 'driver_missing',
        message: expect.stringContaining('npm install libsql'),
      });
    },
  );

  it.each<[string, SqliteDriver]>([
    ['a Database class', Libsql],
    ['a module with a default export', { default: Libsql }],
    ['a module like node:sqlite', { DatabaseSync: Libsql }],
  ])('may be given as %s', async (_, driver) => {
    const store = sqliteStore({ filename: aFile(), driver });
    expect(await store.findToken('x')).toBeNull();
    await store.close();
  });
});

describe('a new file', () => {
  it('is marked as ours, in WAL mode, in the file itself', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.migrate();
    await store.migrate();
    const header = Buffer.from(bytesOf(file), 'hex');
    expect(header.readUInt32BE(68).toString(16)).toBe('7073746e');
    expect(ask(file, 'PRAGMA journal_mode')).toBe('wal');
    await store.close();
  });

  it('is made by exactly one of many stores that open it at once', async () => {
    const file = aFile();
    const stores = Array.from({ length: 8 }, () => sqliteStore({ filename: file }));
    await Promise.all(stores.map((store) => store.migrate()));
    await Promise.all(stores.map((store) => store.close()));
    expect(ask(file, 'SELECT max(version) FROM migrations')).toBe(SCHEMA_VERSION);
    expect(ask(file, 'PRAGMA integrity_check')).toBe('ok');
  });

  it('keeps its data when it is opened again', async () => {
    const file = aFile();
    const first = createPostern({ store: sqliteStore({ filename: file }) });
    const { token, record } = await first.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    await first.close();
    const second = createPostern({ store: sqliteStore({ filename: file }) });
    expect(await second.authenticate(token)).toMatchObject({ ok: true, principal: { tokenId: record.id } });
    await second.close();
  });

  it('may exist already as an empty file', async () => {
    const file = aFile();
    writeFileSync(file, '');
    const store = sqliteStore({ filename: file });
    await store.migrate();
    await store.close();
    expect(ask(file, 'SELECT max(version) FROM migrations')).toBe(SCHEMA_VERSION);
  });
});

describe('a file that can not be opened', () => {
  const refused = async (filename: string) => {
    const store = sqliteStore({ filename });
    const error = await store.findToken('x').catch((reason: unknown) => reason);
    await store.close();
    return error as Error;
  };

  it.each([
    ['text', 'this is no database at all\n'.repeat(200)],
    ['a few bytes', 'abc'],
    ['zeros', '\0'.repeat(8192)],
    ['a SQLite header and then nothing of the kind', `SQLite format 3\0${'x'.repeat(9000)}`],
  ])('with %s as content is refused as store_invalid and not changed', async (_, content) => {
    const file = aFile();
    writeFileSync(file, content, 'latin1');
    const before = [bytesOf(file), statSync(file).mtimeMs];
    const error = await refused(file);
    expect(error).toMatchObject({ code: 'store_invalid', path: 'filename', message: expect.stringContaining(file) });
    expect([bytesOf(file), statSync(file).mtimeMs]).toEqual(before);
    expect(beside(file)).toHaveLength(1);
  });

  it.each(['DELETE', 'WAL'])(
    "with another application's database in %s mode is refused as store_invalid and not changed",
    async (mode) => {
      for (const mark of [0, 0x47504b47]) {
        const file = aFile();
        script(
          file,
          `PRAGMA journal_mode = ${mode}; PRAGMA application_id = ${mark};
         CREATE TABLE theirs (a); INSERT INTO theirs VALUES ('theirs'); PRAGMA wal_checkpoint(TRUNCATE)`,
        );
        expect(beside(file)).toHaveLength(1);
        const before = [bytesOf(file), statSync(file).mtimeMs];
        const error = await refused(file);
        expect(error).toMatchObject({
          code: 'store_invalid',
          message: expect.stringContaining("not one of postern's"),
        });
        expect([bytesOf(file), statSync(file).mtimeMs]).toEqual(before);
        expect(beside(file)).toHaveLength(1);
      }
    },
  );

  it('of a newer postern is refused as store_newer and not changed', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.migrate();
    await store.close();
    script(file, `INSERT INTO migrations (version) VALUES (${SCHEMA_VERSION + 1}); PRAGMA wal_checkpoint(TRUNCATE)`);
    const before = bytesOf(file);
    expect(await refused(file)).toMatchObject({
      code: 'store_newer',
      message: expect.stringContaining(`schema ${SCHEMA_VERSION + 1}`),
    });
    expect(bytesOf(file)).toBe(before);
  });

  it('is refused if its directory is missing, or if it is a directory', async () => {
    expect(await refused(join(directory, 'missing', 'x.db'))).toMatchObject({
      code: 'store_invalid',
      message: expect.stringContaining('there is no directory'),
    });
    mkdirSync(aFile('folder.db'));
    expect(await refused(aFile('folder.db'))).toMatchObject({
      code: 'store_invalid',
      message: expect.stringContaining('is not a file'),
    });
  });

  it('is tried again with the next call', async () => {
    const folder = join(directory, 'later');
    const store = sqliteStore({ filename: join(folder, 'x.db') });
    await expect(store.findToken('x')).rejects.toMatchObject({ code: 'store_invalid' });
    mkdirSync(folder);
    expect(await store.findToken('x')).toBeNull();
    await store.close();
  });

  it('is a denial for the caller, never an allow', async () => {
    const other = createPostern({ store: sqliteStore({ filename: aFile() }) });
    const { token } = await other.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    await other.close();
    const postern = createPostern({ store: sqliteStore({ filename: join(directory, 'nowhere', 'x.db') }) });
    const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
    expect(decision.allowed).toBe(false);
    expect(['unavailable', 'internal_error']).toContain(decision.allowed || decision.reason);
    await expect(postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } })).rejects.toMatchObject({
      code: 'store_invalid',
    });
    await postern.close();
  });
});
