import Database from 'libsql';
import { fromSqlite } from 'postern/stores/sql';
import { describe, expect, it } from 'vitest';
import { testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();

/** A driver over an open database with a table, and another connection to the same file. */
function opened() {
  const filename = aFile();
  // With the client's own types.
  const database = new Database(filename);
  database.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY)');
  const driver = fromSqlite(database);
  return {
    other: new Database(filename),
    write: (...ids: number[]) =>
      driver.batch(ids.map((id) => ({ sql: 'INSERT INTO notes (id) VALUES (?)', parameters: [id] }))),
    ids: async () =>
      (await driver.query({ sql: 'SELECT id FROM notes ORDER BY id', parameters: [] })).map(({ id }) => id),
  };
}

describe('the prepared statements that fromSqlite keeps', () => {
  it('go on after an error, whose batch wrote nothing', async () => {
    const { write, ids } = opened();
    expect(await write(1)).toEqual([1]);
    await expect(write(2, 1)).rejects.toThrow(/UNIQUE/);
    expect(await write(3)).toEqual([1]);
    expect(await ids()).toEqual([1, 3]);
  });

  it('see a column that another connection has added meanwhile', async () => {
    const { write, ids, other } = opened();
    await write(1);
    expect(await ids()).toEqual([1]);
    other.exec('ALTER TABLE notes ADD COLUMN text');
    await write(2);
    expect(await ids()).toEqual([1, 2]);
  });
});
