import { type SqlValue, sqliteStore } from 'postern/stores/sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listChangesSql } from '../../src/stores/sqlite/changes.js';
import { DELETE_ENTRY, FIND_ENTRY, PURGE_ENTRIES, REPLACE_ENTRY } from '../../src/stores/sqlite/entries.js';
import { countTokensSql, listTokensSql } from '../../src/stores/sqlite/token-lists.js';
import { findByDigestSql, findByKeyIdSql } from '../../src/stores/sqlite/tokens.js';
import { aChangeId } from '../../src/testing/store-cases/case.js';
import { Libsql, testDirectory } from './sqlite-files.js';

/** How SQLite goes about each statement, by its own EXPLAIN QUERY PLAN: by an index, in its order, without a sort. */

const { aFile } = testDirectory();
const file = aFile();
let database: InstanceType<typeof Libsql>;

beforeAll(async () => {
  const store = sqliteStore({ filename: file });
  await store.migrate();
  await store.close();
  database = new Libsql(file);
});
afterAll(() => database.close());

function plan(sql: string, parameters: readonly SqlValue[]): readonly string[] {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[];
  return steps.map(({ detail }) => detail);
}

const after = { createdAt: 1, id: 'x' };
const changeAfter = { at: 1, id: aChangeId('c') };

it('a look-up by digest or by the id of a key descends two trees', () => {
  const token = 'SEARCH t USING INTEGER PRIMARY KEY (rowid=?)';
  for (const count of [1, 3]) {
    const names = Array<string>(count).fill('x');
    expect(plan(findByDigestSql(count), names)).toEqual(['SEARCH s USING PRIMARY KEY (digest=?)', token]);
    expect(plan(findByKeyIdSql(count), names)).toEqual(['SEARCH s USING INDEX secrets_by_key (key_id=?)', token]);
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
  const { sql, parameters } = listTokensSql({ ...query, limit: 10 });
  const steps = plan(sql, parameters).join('\n');
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
  const { sql, parameters } = countTokensSql(filter, 10);
  const [step] = plan(sql, parameters).filter((each) => each.includes(' t '));
  expect(step).toMatch(/^SEARCH t USING (COVERING )?INDEX tokens_by_/);
  expect(step).toContain(index);
});

it('an entry is found by its kind and id, and ended entries by their end', () => {
  const byName = 'SEARCH entries USING INDEX sqlite_autoindex_entries_1 (kind=? AND id=?)';
  expect(plan(FIND_ENTRY, ['login', 'e1', 1])).toEqual([byName]);
  expect(plan(REPLACE_ENTRY, ['v', null, 2, 'login', 'e1', 1, 1])).toEqual([byName]);
  expect(plan(DELETE_ENTRY, ['login', 'e1', 1, 1])).toEqual([byName]);
  const purge = plan(PURGE_ENTRIES, [1]);
  expect(purge).toContainEqual(expect.stringMatching(/SEARCH entries USING (COVERING )?INDEX entries_by_end /));
  expect(purge.join('\n')).not.toMatch(/SCAN|TEMP B-TREE/);
});

it.each([
  [{ organization: 'acme' }, 'changes_by_organization'],
  [{ organization: null }, 'changes_by_age'],
  [{ organization: null, subject: 't1' }, 'changes_by_subject'],
] as const)('a page of changes of %j is read from %s', (query, index) => {
  const { sql, parameters } = listChangesSql({ ...query, limit: 10, after: changeAfter });
  const steps = plan(sql, parameters).join('\n');
  expect(steps).toContain(`USING INDEX ${index}`);
  expect(steps).not.toContain('TEMP B-TREE');
});

it('expired tokens are found by their expiry', () => {
  const [step] = plan('SELECT id FROM tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?', [1, 1]);
  expect(step).toContain('USING INDEX tokens_by_expiry');
});
