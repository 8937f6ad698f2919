import { readFileSync } from 'node:fs';
import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { describe, expect, it } from 'vitest';
import { foundation, migrationTo, SCHEMA_VERSION } from '../../src/stores/postgres/schema.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  insert,
  next,
  T0,
} from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { aDatabase, ask } from './postgres-server.js';

const server = await usePostgres();
const DUMP = readFileSync(new URL('./postgres-v1.sql', import.meta.url), 'utf8');

/** Of `acme`: all, personal, the organization's own; then of `umbrella`, of the organization without a name, of everyone. */
const V1_TOTALS = [3, 2, 1, 1, 1, 5];

/** What version 1 asked when it made a token. */
const V1_INSERT = `WITH written AS (
    INSERT INTO postern.tokens (id, organization, ownership, name, description, types, type_names, metadata, hint,
      created_at, updated_at, version)
    VALUES ($1::text, $2::text, 'personal', '', '', '{}', '', '{}', '', 1, 1, 1) RETURNING seq)
  INSERT INTO postern.secrets (digest, token, pepper, created_at, ends_at)
    SELECT 'digest of ' || $1::text, seq, NULL, 1, NULL FROM written`;
const V1_FIND = `SELECT t.id, s.digest FROM postern.secrets s JOIN postern.tokens t ON t.seq = s.token WHERE s.digest = $1`;

describe('a database of version 1', () => {
  async function aVersion1Database(): Promise<string> {
    const url = await aDatabase(server);
    await ask(url, DUMP);
    return url;
  }
  const open = (connectionString: string) => postgresStore({ connectionString });
  async function totals(store: ReturnType<typeof open>): Promise<readonly number[]> {
    const count = (filter: object) => store.countTokens({ organization: 'acme', ...filter }, 1);
    return Promise.all([
      count({}),
      count({ ownership: 'personal' }),
      count({ ownership: 'organization' }),
      count({ organization: 'umbrella' }),
      count({ organization: '' }),
      count({ organization: null }),
    ]);
  }
  /** Every column, index, constraint and trigger of the schema. */
  const shape = (url: string) =>
    ask(
      url,
      `SELECT format('%s.%s %s %s %s %s', table_name, column_name, data_type, collation_name, is_nullable, is_identity) AS line
         FROM information_schema.columns WHERE table_schema = 'postern'
       UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'postern'
       UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'postern'::regnamespace
       UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = 'postern'::regnamespace AND NOT tgisinternal
       UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'postern'::regnamespace
       UNION ALL SELECT relname || ' ' || reloptions::text FROM pg_class
         WHERE relnamespace = 'postern'::regnamespace AND reloptions IS NOT NULL
       ORDER BY 1`,
    );

  it('is still what was released', async () => {
    const url = await aDatabase(server);
    for (const statement of [...foundation('postern', false), ...migrationTo(1, 'postern')]) await ask(url, statement);
    expect(await shape(url)).toEqual(await shape(await aVersion1Database()));
  });

  it('has the tables of a new one once it is upgraded', async () => {
    const urls = [await aVersion1Database(), await aDatabase(server)];
    for (const url of urls) {
      const store = open(url);
      expect(await store.migrate()).toMatchObject({ from: url === urls[0] ? 1 : 0, to: SCHEMA_VERSION });
      await store.close();
    }
    expect(await shape(urls[0] as string)).toEqual(await shape(urls[1] as string));
  });

  it('keeps what it held: tokens, secrets without keys, uses, endpoints, the log; and it is counted', async () => {
    const url = await aVersion1Database();
    const tables = ['tokens', 'secrets', 'uses', 'endpoints', 'changes'];
    const content = () =>
      Promise.all(
        tables.map((table) => ask(url, `SELECT to_jsonb(t) - 'key_id' - 'public_key' AS row FROM postern.${table} t`)),
      );
    const before = await content();
    const store = open(url);
    expect(await store.findToken('t1')).toMatchObject({ id: 't1', version: 2, lastUsedAt: T0 + 7 });
    expect(await content()).toEqual(before);
    expect(await ask(url, 'SELECT DISTINCT key_id, public_key FROM postern.secrets')).toEqual([
      { key_id: null, public_key: null },
    ]);
    expect(await totals(store)).toEqual(V1_TOTALS);
    expect((await store.findTokenByDigest([aDigest('t1')]))?.secret.endsAt).toBe(T0 + 100);
    expect((await store.findTokenByDigest([aDigest('t1 second')]))?.token.id).toBe('t1');
    const shared = await store.listTokens({ organization: 'acme', ownership: 'organization', limit: 10 });
    expect(shared.map(({ id }) => id)).toEqual(['t3']);
    await store.close();
  });

  it('goes on: its tokens are rotated to a secret with a key, changed, used and deleted, and new ones come', async () => {
    const store = open(await aVersion1Database());
    const old = await store.findToken('t4');
    if (old === null) throw new Error('t4 is gone');
    const rotation = { secret: aSecret('t4 second', { key: aKey('t4') }), othersEndAt: T0 + 50 };
    expect(await store.replaceToken(next(old), 1, rotation, aChange('token.rotated', 't4'))).toBe(true);
    expect(await store.findTokenByKeyId([aKeyId('t4')])).toMatchObject({
      token: { id: 't4', version: 2 },
      secret: { digest: aDigest('t4 second'), endsAt: null },
      publicKey: aKey('t4').publicKey,
    });
    const moved = next(next(old), { organization: 'acme', ownership: 'organization' });
    expect(await store.replaceToken(moved, 2, null, aChange('token.updated', 't4'))).toBe(true);
    expect(await totals(store)).toEqual([4, 2, 2, 0, 1, 5]);
    await store.recordUsage([aUsage('t1', T0 + 9, { a: 1 })]);
    expect(await store.listUsage('t1')).toEqual([{ tokenId: 't1', endpoint: 'a', count: 3, lastUsedAt: T0 + 9 }]);
    for (const id of ['t1', 't6']) expect(await store.deleteToken(id, aChange('token.deleted', id))).toBe(true);
    await insert(store, aToken('t7', { organization: 'umbrella' }), aSecret('t7', { key: aKey('t7') }));
    expect(await totals(store)).toEqual([3, 1, 2, 1, 0, 4]);
    expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(true);
    await store.close();
  });

  it('is upgraded by one of many processes that start at once', async () => {
    const url = await aVersion1Database();
    const stores = Array.from({ length: 8 }, () => open(url));
    const done = await Promise.all(stores.map((store) => store.migrate()));
    expect(done.map(({ from }) => from).sort()).toEqual([1, ...Array(7).fill(SCHEMA_VERSION)]);
    for (const store of stores) expect(await totals(store)).toEqual(V1_TOTALS);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('may be upgraded by hand, statement by statement, while processes of version 1 write: all is counted', async () => {
    const url = await aVersion1Database();
    const store = open(url);
    const { from, statements } = await store.migrate({ dryRun: true });
    expect(from).toBe(1);
    expect(await ask(url, 'SELECT max(version) AS version FROM postern.postern_migrations')).toEqual([{ version: 1 }]);
    for (const [index, statement] of statements.entries()) {
      await ask(url, V1_INSERT, [`stays ${index}`, 'acme']);
      await ask(url, V1_INSERT, [`goes ${index}`, 'umbrella']);
      await ask(url, statement);
      await ask(url, 'DELETE FROM postern.tokens WHERE id = $1', [`goes ${index}`]);
    }
    expect((await store.migrate()).statements).toEqual([]);
    const made = statements.length;
    expect(await totals(store)).toEqual([3 + made, 2 + made, 1, 1, 1, 5 + made]);
    expect((await store.findTokenByDigest(['digest of stays 0']))?.token.id).toBe('stays 0');
    await store.close();
  });

  it('is upgraded beside processes of version 1 that read and write: none of them fails, and all is counted', async () => {
    const url = await aVersion1Database();
    const store = open(url);
    let isDone = false;
    let made = 0;
    const lanes = Array.from({ length: 6 }, async (_, lane) => {
      const client = new pg.Client(url);
      await client.connect();
      // At least one write after the upgrade too.
      for (let index = 0, isLast = false; !isLast; index++) {
        isLast = isDone;
        const id = `lane ${lane} ${index}`;
        await client.query(V1_INSERT, [id, 'acme']);
        made++;
        expect((await client.query(V1_FIND, [`digest of ${id}`])).rows).toHaveLength(1);
        await client.query('UPDATE postern.tokens SET last_used_at = 1 WHERE id = $1', [id]);
        if (index % 2 === 0) continue;
        await client.query('DELETE FROM postern.tokens WHERE id = $1', [id]);
        made--;
      }
      await client.end();
    });
    expect(await store.migrate()).toMatchObject({ from: 1 });
    isDone = true;
    await Promise.all(lanes);
    expect(await totals(store)).toEqual([3 + made, 2 + made, 1, 1, 1, 5 + made]);
    await store.close();
  });

  it('a role with rights on the tables of version 1 goes on creating and deleting tokens; what is new it must be granted', async () => {
    const url = await aVersion1Database();
    await ask(url, 'CREATE ROLE teller LOGIN');
    await ask(url, 'GRANT USAGE ON SCHEMA postern TO teller');
    await ask(url, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA postern TO teller');
    const owner = open(url);
    await owner.migrate();
    const teller = open(url.replace('postgres@', 'teller@'));
    const token = await insert(teller, aToken('t7'));
    const moved = next(token, { organization: 'umbrella' });
    expect(await teller.replaceToken(moved, 1, null, aChange('token.updated', 't7'))).toBe(true);
    expect(await teller.deleteToken('t4', aChange('token.deleted', 't4'))).toBe(true);
    expect(await totals(owner)).toEqual(V1_TOTALS);
    const denied = 'permission denied';
    await expect(teller.countTokens({ organization: 'acme' }, 1)).rejects.toThrow(denied);
    await expect(teller.putEntry(anEntry('e1'), 0, T0)).rejects.toThrow(denied);
    await ask(url, 'GRANT SELECT ON postern.token_counts, postern.token_totals TO teller');
    await ask(url, 'GRANT SELECT, INSERT, UPDATE, DELETE ON postern.entries TO teller');
    expect(await totals(teller)).toEqual(V1_TOTALS);
    expect(await teller.putEntry(anEntry('e1'), 0, T0)).toBe(true);
    // Whoever may use the schema still can't hang a function that writes the counts on a table of his own.
    await ask(url, 'GRANT CREATE ON SCHEMA postern TO teller');
    const own = url.replace('postgres@', 'teller@');
    await ask(own, 'CREATE TABLE postern.forged (organization text, ownership text, seq bigint)');
    const hang = `CREATE TRIGGER forged AFTER INSERT ON postern.forged REFERENCING NEW TABLE AS made
      FOR EACH STATEMENT EXECUTE FUNCTION postern.count_tokens()`;
    await expect(ask(own, hang)).rejects.toThrow(denied);
    await Promise.all([owner.close(), teller.close()]);
  });
});
