import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { load, loadInternals } from './postern.mjs';
import { createEndpoints, createTokens, GRANTS } from './tokens.mjs';

const BATCH = 10_000;

/** A directory that is gone with the process. */
export function temporaryDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * A database with so many tokens. postern itself makes the tables and one token of each grant; the others are copies of
 * those rows with an id, an owner and a secret of their own, because a million transactions with a sync each take an hour.
 *
 * @returns {Promise<string[]>} the tokens
 */
export async function fillSqlite(filename, count, progress) {
  const { createPostern } = await load('index');
  const { sqliteStore } = await load('stores/sqlite');
  const postern = createPostern({ store: sqliteStore({ filename, driver: 'libsql' }) });
  await createEndpoints(postern);
  const tokens = await createTokens(postern, GRANTS.length);
  await postern.close();
  const { formatToken, hash, createDigester } = await loadInternals(`
    export { formatToken } from './src/domain/token-format.ts';
    export { hash, createDigester } from './src/base/digest.ts';`);
  const digester = createDigester([]);
  const db = new Database(filename);
  db.exec('PRAGMA synchronous = OFF');
  const templates = GRANTS.map((_, i) => ({
    token: db.prepare('SELECT * FROM tokens ORDER BY seq LIMIT 1 OFFSET ?').get(i),
    secret: db.prepare('SELECT * FROM secrets LIMIT 1').get(),
  }));
  const insertToken = inserter(db, 'tokens', templates[0].token);
  const insertSecret = inserter(db, 'secrets', templates[0].secret);
  while (tokens.length < count) {
    progress(`filling ${count.toLocaleString('en-US')} tokens: ${tokens.length.toLocaleString('en-US')}`);
    db.exec('BEGIN');
    for (let i = 0; i < BATCH && tokens.length < count; i++) {
      const number = tokens.length;
      const { token, secret } = templates[number % templates.length];
      const text = formatToken('pst', randomBytes(32));
      const seq = number + 1;
      insertToken({
        ...token,
        seq,
        id: randomBytes(12).toString('hex'),
        owner: `owner-${number}`,
        name: `token ${number}`,
      });
      insertSecret({
        ...secret,
        digest: digester.write(hash(text)).digest,
        token: seq,
        key_id: randomBytes(32).toString('hex'),
      });
      tokens.push(text);
    }
    db.exec('COMMIT');
  }
  db.exec('ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
  return tokens;
}

/** By the columns that the library made, whatever they are. */
function inserter(db, table, template) {
  const columns = Object.keys(template).filter((column) => column !== '_metadata');
  const statement = db.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  return (row) => statement.run(...columns.map((column) => row[column]));
}
