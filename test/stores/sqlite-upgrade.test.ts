import { readFileSync } from 'node:fs';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/stores/sqlite/migrations.js';
import { SCHEMA_VERSION } from '../../src/stores/sqlite/schema.js';
import {
  aChange,
  aKey,
  aKeyId,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  insert,
  next,
} from '../../src/testing/store-cases/case.js';
import { ask, Libsql, script, testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();
const DUMP = readFileSync(new URL('./sqlite-v1.sql', import.meta.url), 'utf8');

/** What the database of version 1 holds: four tokens, one of them rotated, one revoked, one of another organization. */
const V1 = {
  now: Date.UTC(2026, 0, 1, 0, 1),
  ci: 'pst_BKk0thXZiQ8oEKvHVCBPDVPcPLsrFcl2iJjwUHRhdTM3fp3Fj',
  deployOld: 'pst_iyh4QhxYMk1KLZj87CPdfbmVLJbx1JJoeB6lw5GO5d80ErPZP',
  deploy: 'pst_gxPxG40FmcAOEMNcMyvxg7KcnRxNSwHJMSqJFQdSEVE1hQMVu',
  theirs: 'pst_dQopAztoq4JhEGpj0dNzMrPqZDOthrrK4WNcw0EZmmc2TWBlb',
  revoked: 'pst_GVHIfctpPUoQmchlky8Rc0WiX4h3a8mQFFFBBGbXe4a0U2vXW',
  ciId: '4ApYfWmIJfDAgGGRvwbBqh',
  deployId: '0lRMgwmPraZawOl17oTQi7',
  ciDigest: '74c599cc7494fa74e303a2e7bf40b68d6c94d053d69524e5f19d6084c2a8b33c',
  deployOldDigest: 'c8705baafe87defe8c6bae498b2695a048e720ea187fc1aee19f419867024674',
} as const;

function aVersion1File(): string {
  const file = aFile();
  script(file, DUMP);
  return file;
}

const SCHEMA = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)";

it('version 1 is still what was released', () => {
  const file = aFile();
  script(file, (MIGRATIONS[0] as readonly string[]).join(';\n'));
  expect(ask(file, SCHEMA)).toBe(ask(aVersion1File(), SCHEMA));
});

it('an upgraded database has the tables of a new one', async () => {
  const upgraded = aVersion1File();
  const fresh = aFile();
  for (const filename of [upgraded, fresh]) {
    const store = sqliteStore({ filename });
    await store.migrate();
    await store.close();
  }
  expect(ask(upgraded, SCHEMA)).toBe(ask(fresh, SCHEMA));
  expect(ask(upgraded, 'PRAGMA user_version')).toBe(SCHEMA_VERSION);
});

it('a dry run names the statements from version 1 on, and changes nothing', async () => {
  const filename = aVersion1File();
  const before = ask(filename, SCHEMA);
  const store = sqliteStore({ filename });
  const planned = await store.migrate({ dryRun: true });
  expect(planned).toMatchObject({ from: 1, to: SCHEMA_VERSION });
  expect(planned.statements.slice(0, -2)).toEqual(MIGRATIONS.slice(1).flat());
  expect([ask(filename, SCHEMA), ask(filename, 'PRAGMA user_version')]).toEqual([before, 1]);
  expect(await store.migrate()).toEqual(planned);
  await store.close();
});

it('what version 1 wrote is there after an upgrade: tokens, secrets without keys, uses, the log, and right counts', async () => {
  const store = sqliteStore({ filename: aVersion1File() });
  const found = await store.findTokenByDigest(['absent', V1.deployOldDigest]);
  expect([found?.token.id, found?.token.metadata]).toEqual([V1.deployId, '{"team":"nlp"}']);
  expect(found?.secret).toEqual({
    digest: V1.deployOldDigest,
    pepper: null,
    createdAt: 1_767_225_602_000,
    endsAt: 1_767_229_203_000,
  });
  expect(await store.listUsage(V1.ciId)).toMatchObject([{ endpoint: 'summarizer', count: 1 }]);
  expect(await store.listChanges({ organization: null, limit: 100 })).toHaveLength(9);
  expect(await store.findEndpoint('acme', 'summarizer')).toMatchObject({ access: 'protected' });
  for (const [filter, expected] of [
    [{ organization: 'acme' }, 3],
    [{ organization: 'acme', ownership: 'personal' }, 2],
    [{ organization: 'acme', ownership: 'organization' }, 1],
    [{ organization: 'umbrella' }, 1],
    [{ organization: null }, 4],
  ] as const) {
    expect(await store.countTokens(filter, 0)).toBe(expected);
    expect(await store.listTokens({ ...filter, limit: 10 })).toHaveLength(expected);
  }
  await store.close();
});

it('an upgraded database takes everything that a new one takes', async () => {
  const store = sqliteStore({ filename: aVersion1File() });
  const token = await store.findToken(V1.ciId);
  if (token === null) throw new Error('the token is gone');
  const rotation = { secret: aSecret('second', { key: aKey('second') }), othersEndAt: 5 };
  expect(await store.replaceToken(next(token), 1, rotation, aChange('token.rotated', V1.ciId))).toBe(true);
  expect(await store.findTokenByKeyId([aKeyId('second')])).toMatchObject({
    token: { id: V1.ciId },
    publicKey: aKey('second').publicKey,
  });
  expect((await store.findTokenByDigest([V1.ciDigest]))?.secret.endsAt).toBe(5);
  const taken = aSecret('fresh', { key: aKey('second') });
  expect(await store.insertToken(aToken('t1'), taken, aChange('token.created', 't1'))).toBe(false);
  await insert(store, aToken('t1', { ownership: 'organization' }));
  await store.recordUsage([aUsage(V1.ciId, 9, { summarizer: 2 })]);
  expect(await store.listUsage(V1.ciId)).toMatchObject([{ endpoint: 'summarizer', count: 3 }]);
  expect(await store.putEntry(anEntry('e1'), 0, 0)).toBe(true);
  for (const [id, left] of [
    [V1.deployId, 3],
    [V1.ciId, 2],
  ] as const) {
    expect(await store.deleteToken(id, aChange('token.deleted', id))).toBe(true);
    expect(await store.countTokens({ organization: 'acme' }, 0)).toBe(left);
  }
  expect(await store.findTokenByKeyId([aKeyId('second')])).toBeNull();
  await store.close();
});

it('tokens of version 1 work after an upgrade, and can be rotated, revoked and deleted', async () => {
  const postern = createPostern({
    store: sqliteStore({ filename: aVersion1File() }),
    clock: () => V1.now,
    organization: 'acme',
  });
  const outcome = async (token: string) => {
    const result = await postern.authenticate(token);
    return result.ok ? result.principal.organization : result.reason;
  };
  expect(await Promise.all([V1.ci, V1.deployOld, V1.deploy, V1.theirs, V1.revoked].map(outcome))).toEqual([
    'acme',
    'acme',
    'acme',
    'umbrella',
    'token_revoked',
  ]);
  const decision = await postern.authorize({ token: V1.ci, requirement: { endpoint: 'summarizer' } });
  expect(decision.allowed).toBe(true);
  const rotated = await postern.tokens.rotate(V1.ciId, { grace: '1h' });
  expect([await outcome(V1.ci), await outcome(rotated.token)]).toEqual(['acme', 'acme']);
  await postern.tokens.revoke(V1.ciId);
  expect(await outcome(rotated.token)).toBe('token_revoked');
  await postern.tokens.delete(V1.deployId);
  expect(await outcome(V1.deploy)).toBe('token_unknown');
  await postern.close();
});

it('an upgrade that fails in its middle leaves the database as it was', async () => {
  const filename = aVersion1File();
  script(filename, 'CREATE TABLE entries (of TEXT, another TEXT)');
  const before = ask(filename, SCHEMA);
  const store = sqliteStore({ filename });
  await expect(store.migrate()).rejects.toThrow('entries');
  expect([ask(filename, SCHEMA), ask(filename, 'PRAGMA user_version')]).toEqual([before, 1]);
  script(filename, 'DROP TABLE entries');
  expect(await store.migrate()).toMatchObject({ from: 1, to: SCHEMA_VERSION });
  await store.close();
});

it('a process of version 1 that has the file open while it is upgraded goes on, and what it writes is counted', async () => {
  const filename = aVersion1File();
  const old = new Libsql(filename);
  const add = old.prepare(
    `INSERT INTO tokens (id, organization, ownership, name, description, types, type_names, metadata, hint, created_at, updated_at, version)
     VALUES (?, 'acme', 'personal', '', '', '{}', '', '{}', '', 0, 0, 1)`,
  );
  const addSecret = old.prepare(
    'INSERT INTO secrets (digest, token, pepper, created_at, ends_at) SELECT ?, seq, NULL, 0, NULL FROM tokens WHERE id = ?',
  );
  add.run('before');
  const store = sqliteStore({ filename });
  expect(await store.countTokens({ organization: 'acme' }, 0)).toBe(4);
  add.run('after');
  addSecret.run('f'.repeat(64), 'after');
  expect(await store.countTokens({ organization: 'acme' }, 0)).toBe(5);
  expect((await store.findTokenByDigest(['f'.repeat(64)]))?.token.id).toBe('after');
  old.prepare('DELETE FROM tokens WHERE id = ?').run('after');
  expect(await store.countTokens({ organization: 'acme' }, 0)).toBe(4);
  old.close();
  await store.close();
});
