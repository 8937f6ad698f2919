import { chmodSync } from 'node:fs';
import { dirname } from 'node:path';
import { sqliteStore } from 'postern/stores/sqlite';
import { afterEach, expect, it, vi } from 'vitest';
import { bytesOf, testDirectory } from './sqlite-files.js';

const { aFile, beside } = testDirectory();
const readOnly = new Set<string>();
afterEach(() => readOnly.clear());

// Root may write anything, and tests run as root in containers: so the answer of the file system is set here.
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return {
    ...fs,
    accessSync(path: string, mode: number) {
      if (readOnly.has(path)) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
      fs.accessSync(path, mode);
    },
  };
});

it.each(['the file', 'its directory'])('a database is refused and not changed if %s is read-only', async (which) => {
  const file = aFile();
  const first = sqliteStore({ filename: file });
  await first.migrate();
  await first.close();
  const before = [bytesOf(file), beside(file)];
  const path = which === 'the file' ? file : dirname(file);
  readOnly.add(path);
  if (which === 'the file') chmodSync(file, 0o444);
  const store = sqliteStore({ filename: file });
  await expect(store.findToken('x')).rejects.toMatchObject({
    code: 'store_invalid',
    message: expect.stringContaining(`${path} can not be written`),
  });
  expect([bytesOf(file), beside(file)]).toEqual(before);
  readOnly.clear();
  chmodSync(file, 0o644);
  expect(await store.findToken('x')).toBeNull();
  await store.close();
});
