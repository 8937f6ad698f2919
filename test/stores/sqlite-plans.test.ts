import { sqliteStore } from 'postern/stores/sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Sqlite } from '../../src/stores/sql/dialects/sqlite.js';
import type { SqlStatement } from '../../src/stores/sql/driver.js';
import { EntryStatements } from '../../src/stores/sql/entries.js';
import { countTokens, listChanges, listExpiredTokens, listTokens } from '../../src/stores/sql/lists.js';
import { TokenStatements } from '../../src/stores/sql/tokens.js';
import { aChangeId, anEntry } from '../../src/testing/store-cases/case.js';
import { Libsql, testDirectory } from './sqlite-files.js';

/** How SQLite goes about each statement, by its own EXPLAIN QUERY PLAN: by an index, in its order, without a sort. */

const { aFile } = testDirectory();
const file = aFile();
const dialect = new Sqlite('');
const tokens = new TokenStatements(dialect);
const entries = new EntryStatements(dialect);
let database: InstanceType<typeof Libsql>;

beforeAll(async () => {
  const store = sqliteStore({ filename: file });
  await store.migrate();
  await store.close();
  database = new Libsql(file);
});
afterAll(() => database.close());

function plan({ sql, parameters }: SqlStatement): readonly string[] {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[];
  return steps.map(({ detail }) => detail);
}

const after = { createdAt: 1, id: 'x' };
const changeAfter = { at: 1, id: aChangeId('c') };

it('a look-up by digest or by the id of a key descends two trees', () => {
  const token = 'SEARCH t USING INTEGER PRIMARY KEY (rowid=?)';
  for (const count of [1, 3]) {
    const names = Array<string>(count).fill('x');
    expect(plan(tokens.byDigest(names))).toEqual(['SEARCH s USING PRIMARY KEY (digest=?)', token]);
    expect(plan(tokens.byKeyId(names))).toEqual(['SEARCH s USING INDEX secrets_by_key (key_id=?)', token]);
  }
});

it.each([
  [{ organization: 'acme' }, 'tokens_by_organization'],
  [{ organization: 'acme', after, type: 'user', search: 'x' }, 'tokens_by_organization'],
  [{ organization: 'acme', after, offset: 5 }, 'tokens_by_organization'],
  [{ organization: 'acme', owner: 'ada', after }, 'tokens_by_owner'],
  [{ organization: 'acme', owner: 'ada', ownership: 'personal', after }, 'tokens_by_owner'],
  [{ organization: 'acme', ownership: 'personal' }, 'tokens_by_ownership'],
  [{ organization: 'acme', ownership: 'personal', after, offset: 5 }, 'tokens_by_ownership'],
  [{ organization: 'acme', ownership: 'organization', type: 'user', search: 'x' }, 'tokens_by_ownership'],
  [{ organization: null }, 'tokens_by_age'],
  [{ organization: null, after }, 'tokens_by_age'],
] as const)('a page of tokens of %j is read from %s', (query, index) => {
  const steps = plan(listTokens(dialect, { ...query, limit: 10 })).join('\n');
  expect(steps).toContain(`USING INDEX ${index}`);
  expect(steps).not.toContain('TEMP B-TREE');
});

it.each([
  [{ organization: 'acme', owner: 'ada' }, 'tokens_by_owner (organization=? AND owner=?)'],
  [{ organization: 'acme', owner: 'ada', ownership: 'personal' }, 'tokens_by_owner (organization=? AND owner=?)'],
  [{ organization: 'acme', ownership: 'personal' }, 'tokens_by_ownership (organization=? AND ownership=?)'],
  [{ organization: 'acme', ownership: 'personal', type: 'x' }, 'tokens_by_ownership (organization=? AND ownership=?)'],
  // Several begin with the organization; which one it is makes no difference.
  [{ organization: 'acme' }, '(organization=?)'],
  [{ organization: 'acme', search: 'x' }, '(organization=?)'],
] as const)('a count of %j reads no tokens of other organizations', (filter, index) => {
  const [step] = plan(countTokens(dialect, filter, 10)).filter((each) => each.includes(' t '));
  expect(step).toMatch(/^SEARCH t USING (COVERING )?INDEX tokens_by_/);
  expect(step).toContain(index);
});

it('an entry is found by its kind and id, and ended entries by their end', () => {
  const byName = 'SEARCH entries USING INDEX sqlite_autoindex_entries_1 (kind=? AND id=?)';
  const [replace] = entries.put(anEntry('e1', { version: 2 }), 1, 1) as [SqlStatement];
  for (const statement of [entries.find('login', 'e1', 1), replace, entries.delete('login', 'e1', 1, 1)]) {
    expect(plan(statement)).toEqual([byName]);
  }
  const purge = plan(entries.trim(1, 1));
  expect(purge).toContainEqual(expect.stringMatching(/SEARCH entries USING (COVERING )?INDEX entries_by_end /));
  expect(purge.join('\n')).not.toMatch(/SCAN|TEMP B-TREE/);
});

it.each([
  [{ organization: 'acme' }, 'changes_by_organization'],
  [{ organization: null }, 'changes_by_age'],
  [{ organization: null, subject: 't1' }, 'changes_by_subject'],
] as const)('a page of changes of %j is read from %s', (query, index) => {
  const steps = plan(listChanges(dialect, { ...query, limit: 10, after: changeAfter })).join('\n');
  expect(steps).toContain(`USING INDEX ${index}`);
  expect(steps).not.toContain('TEMP B-TREE');
});

it('expired tokens are found by their expiry', () => {
  const [step] = plan(listExpiredTokens(dialect, null, 1, 1));
  expect(step).toContain('USING INDEX tokens_by_expiry');
});
