import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import pg from 'pg';
import { createPostern, memoryStore } from 'postern';
import type { NewToken } from 'postern/store';
import { newId } from '../../../src/base/ids.js';
import { formatToken, hintOf, SECRET_BYTES } from '../../../src/domain/token-format.js';
import { createTokens, openPostern, openStore, type StoreName } from './stores.js';

/**
 * Fills stores with so many tokens faster than one call each would. What is written is what the store itself wrote for one
 * token, with another id, secret and hint: whatever columns it has, they are there.
 */

/** What differs from one token to the next. */
interface Identity {
  readonly id: string;
  readonly digest: string;
  readonly hint: string;
  readonly change: string;
  /** Of the key that is derived from the secret; `''` where the template has none. */
  readonly keyId: string;
}

const BATCH = 5_000;
/** Calls of a store under way at once. */
const IN_FLIGHT = 500;

const random = (length: number) => new Uint8Array(randomBytes(length));

/** @returns `keep` tokens, spread evenly over all of them */
export async function fill(
  name: StoreName,
  address: string,
  count: number,
  keep: number,
  progress: (done: number) => void,
): Promise<string[]> {
  const kept: string[] = [];
  const every = Math.max(1, Math.floor(count / keep));
  const next = (index: number): Identity => {
    const token = formatToken('pst', random(SECRET_BYTES));
    if (index % every === 0 && kept.length < keep) kept.push(token);
    const digest = createHash('sha256').update(token).digest('hex');
    return {
      id: newId(random),
      digest,
      hint: hintOf(token),
      change: newId(random),
      keyId: randomBytes(32).toString('hex'),
    };
  };
  const write = { sqlite: fillSqlite, postgres: fillPostgres, redis: fillRedis }[name];
  await write(address, count, next, progress);
  return kept;
}

type Fill = (
  address: string,
  count: number,
  next: (index: number) => Identity,
  progress: (done: number) => void,
) => Promise<void>;

/** JSON of a row, or of several, as a function of what differs. */
function template(rows: unknown, from: Identity): (to: Identity) => string {
  const text = JSON.stringify(rows);
  // One that is missing would be found everywhere.
  const names = (['id', 'digest', 'hint', 'change', 'keyId'] as const).filter((name) => from[name]);
  const parts = text.split(new RegExp(`(${names.map((name) => from[name]).join('|')})`));
  const keys = parts.map((part) => names.find((name) => from[name] === part) ?? null);
  return (to) => parts.map((part, index) => (keys[index] == null ? part : to[keys[index]])).join('');
}

/** Makes one token through the library, and hands over what it left in each table. */
async function rowsOfOne(
  name: StoreName,
  address: string,
  read: (table: 'tokens' | 'secrets' | 'changes') => Promise<Record<string, unknown>> | Record<string, unknown>,
) {
  const postern = openPostern(name, address);
  await createTokens(postern, 1);
  await postern.close();
  const rows = { tokens: await read('tokens'), secrets: await read('secrets'), changes: await read('changes') };
  const { tokens, secrets, changes } = rows as Record<keyof typeof rows, Record<string, string>>;
  const { digest, key_id: keyId = '' } = secrets;
  const from = { id: tokens.id, digest, hint: tokens.hint, change: changes.id, keyId } as Identity;
  return { rows, from };
}

const fillSqlite: Fill = async (address, count, next, progress) => {
  const Database = createRequire(import.meta.url)('libsql') as typeof import('libsql');
  const read = (table: string) => {
    const db = new Database(address);
    const { _metadata, ...row } = db.prepare(`SELECT * FROM ${table}`).get() as Record<string, unknown>;
    db.close();
    return row;
  };
  const { rows, from } = await rowsOfOne('sqlite', address, read);
  const db = new Database(address);
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; PRAGMA wal_autocheckpoint = 100000');
  const insert = (table: keyof typeof rows) => {
    const columns = Object.keys(rows[table]);
    return db.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`);
  };
  const statements = { tokens: insert('tokens'), secrets: insert('secrets'), changes: insert('changes') };
  const made = template(rows, from);
  const first = rows.tokens.seq as number;
  for (let done = 1; done < count; ) {
    db.exec('BEGIN');
    for (const end = Math.min(count, done + BATCH); done < end; done++) {
      const { tokens, secrets, changes } = JSON.parse(made(next(done))) as typeof rows;
      const seq = first + done;
      statements.tokens.run(...Object.values({ ...tokens, seq }));
      statements.secrets.run(...Object.values({ ...secrets, token: seq }));
      statements.changes.run(...Object.values({ ...changes, seq: (changes.seq as number) + done }));
    }
    db.exec('COMMIT');
    progress(done);
  }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
};

const fillPostgres: Fill = async (address, count, next, progress) => {
  const client = new pg.Client(address);
  await client.connect();
  const read = async (table: string) => (await client.query(`SELECT * FROM postern.${table}`)).rows[0];
  const { rows, from } = await rowsOfOne('postgres', address, read);
  const insert = (table: keyof typeof rows, json: readonly string[]) => {
    const columns = Object.keys(rows[table]).join(', ');
    const text = `INSERT INTO postern.${table} (${columns}) OVERRIDING SYSTEM VALUE
      SELECT ${columns} FROM json_populate_recordset(NULL::postern.${table}, $1::json)`;
    return client.query(text, [`[${json.join(',')}]`]);
  };
  const first = Number(rows.tokens.seq);
  const made = {
    tokens: template({ ...rows.tokens, seq: 'SEQ' }, from),
    secrets: template({ ...rows.secrets, token: 'SEQ' }, from),
    changes: template(rows.changes, from),
  };
  for (let done = 1; done < count; ) {
    const batch = { tokens: [] as string[], secrets: [] as string[], changes: [] as string[] };
    for (const end = Math.min(count, done + BATCH); done < end; done++) {
      const identity = next(done);
      batch.tokens.push(made.tokens(identity).replace('"SEQ"', String(first + done)));
      batch.secrets.push(made.secrets(identity).replace('"SEQ"', String(first + done)));
      batch.changes.push(made.changes(identity));
    }
    for (const table of ['tokens', 'secrets', 'changes'] as const) await insert(table, batch[table]);
    progress(done);
  }
  await client.query(`SELECT setval(pg_get_serial_sequence('postern.tokens', 'seq'), ${first + count})`);
  await client.query('VACUUM ANALYZE postern.tokens, postern.secrets, postern.changes');
  await client.query('CHECKPOINT');
  await client.end();
};

/** Redis keeps more than rows, all of it written by one script: so it is the store's own calls, many at once. */
const fillRedis: Fill = async (address, count, next, progress) => {
  let one: NewToken | undefined;
  const capturing = createPostern({
    store: {
      ...memoryStore(),
      async insertTokens(tokens) {
        one = tokens[0];
        return [true];
      },
    },
  });
  await createTokens(capturing, 1);
  const { token, secret, change } = one as unknown as NewToken;
  const made = template(
    { token, secret, change },
    { id: token.id, digest: secret.digest, hint: token.hint, change: change.id, keyId: secret.key?.id ?? '' },
  );
  const store = openStore('redis', address);
  for (let done = 0; done < count; ) {
    const batch: NewToken[] = [];
    for (const end = Math.min(count, done + IN_FLIGHT); done < end; done++) batch.push(JSON.parse(made(next(done))));
    if ((await store.insertTokens(batch)).includes(false)) throw new Error('a token was refused');
    progress(done);
  }
  await store.close();
};
