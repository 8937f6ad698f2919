import pg from 'pg';
import { type PostgresStore, postgresStore } from 'postern/stores/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aChange,
  aChangeId,
  aDigest,
  aKeyId,
  anEntry,
  aSecret,
  aToken,
  T0,
} from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { aSchema, ask } from './postgres-server.js';
import { type Asked, spying } from './postgres-spy.js';

const server = await usePostgres();

describe('query plans of PostgreSQL', () => {
  const url = server.url();
  const pool = new pg.Pool({ connectionString: url });
  const { spy, log } = spying(pool);
  const schema = aSchema();
  let store: PostgresStore;

  beforeAll(async () => {
    store = postgresStore({ pool: spy, schema, listen: false });
    await store.migrate();
    await ask(
      url,
      `WITH made AS (
         INSERT INTO ${schema}.tokens (id, organization, owner, ownership, name, description, types, type_names, metadata,
           hint, created_at, updated_at, expires_at, version)
         SELECT 't' || i, CASE WHEN i % 2 = 0 THEN 'large' ELSE 'o' || i % 200 END, 'w' || i % 1000,
           CASE WHEN i % 10 = 0 THEN 'personal' ELSE 'organization' END,
           'n', '', '{}', '', '{}', '', i / 2, i, i, 1 FROM generate_series(1, 20000) i RETURNING seq)
       INSERT INTO ${schema}.secrets (digest, token, created_at, key_id, public_key)
         SELECT lpad(seq::text, 64, '0'), seq, 1, lpad(seq::text, 64, 'k'), 'x' FROM made`,
    );
    await ask(
      url,
      `INSERT INTO ${schema}.changes (id, type, at, actor_kind, organization, subject)
       SELECT 'c' || i, 'token.updated', i / 2, 'application', 'o' || i % 200, 's' || i % 50 FROM generate_series(1, 20000) i`,
    );
    await ask(
      url,
      `INSERT INTO ${schema}.entries (kind, id, value, expires_at, version)
       SELECT 'jti', 'e' || i, '', CASE WHEN i % 2 = 0 THEN ${T0} + i END, 1 FROM generate_series(1, 20000) i`,
    );
    for (const table of ['tokens', 'secrets', 'changes', 'entries']) {
      await ask(url, `ANALYZE ${schema}.${table}`);
    }
  });
  afterAll(async () => {
    await store?.close();
    await pool.end();
  });

  const lines = (rows: readonly Record<string, unknown>[]) => rows.map((row) => row['QUERY PLAN']).join('\n');
  /** The statements that a call comes to. */
  async function asked(call: () => Promise<unknown>): Promise<readonly Asked[]> {
    log.length = 0;
    await call();
    return [...log];
  }
  /** The plan of the one statement that a call comes to. */
  async function planOf(call: () => Promise<unknown>): Promise<string> {
    const statements = await asked(call);
    expect(statements).toHaveLength(1);
    const [{ text, values }] = statements as [Asked];
    return lines(await ask(url, `EXPLAIN ${text}`, [...values]));
  }

  const after = { createdAt: 5_000, id: 't1' };
  const position = { at: 5_000, id: aChangeId('c') };
  it.each([
    [{ organization: 'o1', after }, 'tokens_by_organization'],
    [{ organization: 'large', after }, 'tokens_by_organization'],
    [{ organization: 'o1', owner: 'w1', after }, 'tokens_by_owner'],
    [{ organization: 'o1', ownership: 'organization', after }, 'tokens_by_ownership'],
    [{ organization: 'large', ownership: 'personal', after }, 'tokens_by_ownership'],
    [{ organization: 'large', ownership: 'organization', after }, 'tokens_by_ownership'],
    [{ organization: 'large', ownership: 'organization', after, offset: 20 }, 'tokens_by_ownership'],
    [{ organization: null, after }, 'tokens_by_age'],
  ] as const)('a page of %j is read in the order of %s', async (query, index) => {
    const plan = await planOf(() => store.listTokens({ ...query, limit: 10 }));
    expect(plan).toContain(index);
    expect(plan).toContain('ROW(created_at, id) <');
    expect(plan).not.toContain('Sort');
    expect(plan).not.toContain('Filter');
  });

  it('a page of an owner uses tokens_by_owner, also with further conditions', async () => {
    const query = { organization: 'large', owner: 'w2', ownership: 'organization', after, limit: 10 } as const;
    expect(await planOf(() => store.listTokens(query))).toContain('tokens_by_owner');
  });

  it.each([
    [{ organization: 'o1', after: position }, 'changes_by_organization'],
    [{ organization: null, subject: 's1', after: position }, 'changes_by_subject'],
    [{ organization: null, after: position }, 'changes_by_age'],
  ] as const)('a page of the log of %j is read in the order of %s', async (query, index) => {
    const plan = await planOf(() => store.listChanges({ ...query, limit: 10 }));
    expect(plan).toContain(index);
    expect(plan).not.toContain('Sort');
  });

  it.each([
    ['a digest', () => store.findTokenByDigest([aDigest('t1')]), 'secrets_pkey', 'digest = '],
    ['digests', () => store.findTokenByDigest([aDigest('t1'), aDigest('t2')]), 'secrets_pkey', 'digest = ANY'],
    ["a key's id", () => store.findTokenByKeyId([aKeyId('t1')]), 'secrets_by_key', 'key_id = '],
    ['ids of keys', () => store.findTokenByKeyId([aKeyId('t1'), aKeyId('t2')]), 'secrets_by_key', 'key_id = ANY'],
  ] as const)('a look-up by %s descends two indexes, also with a generic plan', async (_, call, index, condition) => {
    const statements = await asked(call);
    expect(statements).toHaveLength(1);
    const [{ text, values }] = statements as [Asked];
    // Of a secret's key nothing is read where it is not asked for.
    expect(/key_id|public_key/.test(text)).toBe(index === 'secrets_by_key');
    const client = new pg.Client(url);
    await client.connect();
    for (const mode of ['force_custom_plan', 'force_generic_plan']) {
      await client.query(`SET plan_cache_mode = ${mode}`);
      await client.query(`PREPARE lookup AS ${text}`);
      const literals = values.map((value) => `'${value}'`).join(', ');
      const plan = lines((await client.query(`EXPLAIN EXECUTE lookup (${literals})`)).rows);
      expect(plan).toContain(index);
      expect(plan).toContain(condition);
      expect(plan).toContain('tokens_pkey');
      expect(plan).not.toContain('Seq Scan');
      await client.query('DEALLOCATE lookup');
    }
    await client.end();
  });

  it.each([
    [{ organization: 'large', owner: 'w2' }, 'tokens_by_owner'],
    [{ organization: 'large', owner: 'w2', ownership: 'organization' }, 'tokens_by_owner'],
  ] as const)('a count of %j uses %s', async (filter, index) => {
    expect(await planOf(() => store.countTokens(filter, 100))).toContain(index);
  });

  it.each([
    {},
    { organization: null },
    { search: 'n' },
    { type: 'user', search: 'n' },
    { organization: null, search: 'n' },
  ])('a count of %j stops at its bound', async (filter) => {
    const [{ text, values }] = (await asked(() => store.countTokens({ organization: 'large', ...filter }, 7))) as [
      Asked,
    ];
    const plan = lines(await ask(url, `EXPLAIN (ANALYZE, TIMING OFF) ${text}`, [...values]));
    expect(plan).toMatch('type' in filter ? /Limit .*actual rows=0/ : /Limit .*actual rows=7/);
  });

  it('each statement for an entry descends to it, and removal reads only ended entries, in their order', async () => {
    const entry = anEntry('e1', { kind: 'jti' });
    for (const call of [
      () => store.findEntry('jti', 'e1', T0),
      () => store.putEntry({ ...entry, version: 3 }, 2, T0),
      () => store.deleteEntry('jti', 'e1', 2, T0),
    ]) {
      expect(await planOf(call)).toMatch(/entries_pkey.*\n +Index Cond: \(\(kind = .*\) AND \(id = /);
    }
    const statements = await asked(() => store.putEntry(anEntry('new'), 0, T0));
    expect(statements).toHaveLength(2);
    const [put, purge] = statements as [Asked, Asked];
    expect(lines(await ask(url, `EXPLAIN ${put.text}`, [...put.values]))).toContain(
      'Conflict Arbiter Indexes: entries_pkey',
    );
    const plan = lines(await ask(url, `EXPLAIN ${purge.text}`, [...purge.values]));
    expect(plan).toMatch(/entries_by_end.*\n +Index Cond: \(expires_at <= /);
    expect(plan).toContain('Tid Scan');
    expect(plan).not.toContain('Sort');
  });

  it.each([1, 100])('%i new tokens are looked for by indexes, also while the tables are small', async (count) => {
    const given = (from: number, many: number) =>
      Array.from({ length: many }, (_, index) => `n${from + index}`).map((id) => {
        return { token: aToken(id), secret: aSecret(id), change: aChange('token.created', id) };
      });
    const small = aSchema();
    const other = postgresStore({ pool: spy, schema: small, listen: false });
    await other.migrate();
    // PostgreSQL expects 100 records of any JSON, for which reading a table of this size whole seems the cheapest.
    for (let from = 0; from < 2_000; from += 100) await other.insertTokens(given(from, 100));
    expect(await planOf(() => other.insertTokens(given(5_000, count)))).not.toContain('Seq Scan');
    await other.close();
  });
});
