import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createClient } from '@libsql/client';
import { eq } from 'drizzle-orm';
import { drizzle as drizzleLibsql } from 'drizzle-orm/libsql';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { Kysely, SqliteDialect } from 'kysely';
import { createPostern } from 'postern';
import { fromLibsql, fromPglite, fromSqlite, type SqlDriver, sqlStore } from 'postern/stores/sql';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { ROOT } from '../docs/pages.js';
import { Libsql } from '../stores/sqlite-files.js';
import { runHere } from './host.js';

mkdirSync(join(ROOT, '.tmp'), { recursive: true });
/** Here, because the compiler looks for packages from the file upward. */
const folder = mkdtempSync(join(ROOT, '.tmp', 'schema-'));
afterAll(() => rmSync(folder, { recursive: true }));

const DIALECTS = ['postgres', 'mysql', 'sqlite'] as const;

async function printed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(['schema', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

/** Writes files, and returns what the compiler says of them. */
function compile(files: Readonly<Record<string, string>>): string {
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    noUnusedLocals: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: [],
  };
  const program = ts.createProgram(paths, options);
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), ts.createCompilerHost(options));
}

async function aToken(driver: SqlDriver): Promise<string> {
  const postern = createPostern({ store: sqlStore({ driver, pollInterval: false }) });
  const { record } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:read'] } } });
  return record.id;
}

describe('postern schema --drizzle', () => {
  it('compiles for every dialect', async () => {
    const files = await Promise.all(DIALECTS.map((name) => printed('--drizzle', '--dialect', name, '--prefix', 'my_')));
    const inPublic = await printed('--drizzle', '--schema', 'public');
    expect(
      compile({
        ...Object.fromEntries(files.map((text, i) => [`d-${DIALECTS[i]}.ts`, text])),
        'd-public.ts': inPublic,
      }),
    ).toBe('');
  });

  it('reads a token in PostgreSQL', async () => {
    const db = await PGlite.create();
    const id = await aToken(fromPglite(db));
    writeFileSync(join(folder, 'read-pg.ts'), await printed('--drizzle'));
    const { tokens } = await import(join(folder, 'read-pg.ts'));
    const rows = await drizzlePglite({ client: db }).select().from(tokens).where(eq(tokens.id, id));
    expect(rows).toMatchObject([{ id, name: 'ci', createdAt: expect.any(Number), revokedAt: null }]);
    await db.close();
  });

  it('reads a token in SQLite', async () => {
    const client = createClient({ url: `file:${join(folder, 'a.db')}` });
    const id = await aToken(fromLibsql(client));
    writeFileSync(join(folder, 'read-sqlite.ts'), await printed('--drizzle', '--dialect', 'sqlite'));
    const { tokens } = await import(join(folder, 'read-sqlite.ts'));
    const rows = await drizzleLibsql({ client }).select().from(tokens).where(eq(tokens.id, id));
    expect(rows).toMatchObject([{ id, name: 'ci', createdAt: expect.any(Number), revokedAt: null }]);
    client.close();
  });
});

describe('postern schema --kysely', () => {
  it('compiles, knows the types of columns, and refuses an update', async () => {
    const interfaces = await printed('--kysely', '--dialect', 'sqlite');
    const use = `import type { Kysely } from 'kysely';
      import type { PosternDatabase } from './k-sqlite.js';
      declare const db: Kysely<PosternDatabase>;
      const rows: Promise<{ id: string; revoked_at: number | null }[]> =
        db.selectFrom('postern_tokens').select(['id', 'revoked_at']).execute();
      // @ts-expect-error: no such column
      void db.selectFrom('postern_tokens').select('secret');
      // @ts-expect-error: only postern writes
      void db.updateTable('postern_tokens').set({ revoked_at: null });
      export default rows;`;
    expect(
      compile({
        'k-sqlite.ts': interfaces,
        'k-use.ts': use,
        'k-postgres.ts': await printed('--kysely', '--schema', 'auth', '--prefix', 'my_'),
        'k-mysql.ts': await printed('--kysely', '--dialect', 'mysql'),
      }),
    ).toBe('');
    expect(await printed('--kysely', '--schema', 'auth', '--prefix', 'my_')).toContain("'auth.my_tokens': Tokens;");
  });

  it('names the tables and columns of a database', async () => {
    const database = new Libsql(join(folder, 'k.db'));
    const id = await aToken(fromSqlite(database));
    const db = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: new SqliteDialect({ database: database as never }),
    });
    const text = await printed('--kysely', '--dialect', 'sqlite');
    const [, body = ''] = text.split('export interface Tokens {');
    const columns = [...(body.split('}')[0] ?? '').matchAll(/ {2}(\w+): /g)].map(([, name]) => name as string);
    const table = /'(\w+)': Tokens;/.exec(text)?.[1] as string;
    const rows = await db.selectFrom(table).select(columns).where('id', '=', id).execute();
    expect(rows).toMatchObject([{ id, name: 'ci' }]);
    await db.destroy();
  });
});

describe('postern schema', () => {
  it.each<[args: string[], said: string]>([
    [[], 'Give one of --sql, --drizzle, --prisma, --kysely.'],
    [['--sql', '--kysely'], 'Give one of --sql, --drizzle, --prisma, --kysely.'],
    [['--sql', '--dialect', 'oracle'], 'Allowed choices are postgres, mysql, sqlite.'],
  ])('with %j shows how to use it', async (args, said) => {
    const { code, stdout, stderr } = await runHere(['schema', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });

  it.each<[args: string[], said: string]>([
    [['--schema', 'a"; DROP SCHEMA public'], 'schema of postern schema: give a name of lower case letters'],
    [['--schema', 'pg_mine'], 'schema of postern schema: give a name of lower case letters'],
    [['--schema', 'information_schema'], 'schema of postern schema: is a schema of PostgreSQL itself'],
    [['--schema', 'a'.repeat(51)], 'schema of postern schema: give a name of lower case letters'],
    [
      ['--schema', 'a'.repeat(40), '--prefix', 'b'.repeat(15)],
      'prefix of postern schema: schema and prefix have more than 54',
    ],
    [['--prefix', "a'"], 'prefix of postern schema: give lower case letters'],
    [['--prefix', 'A_'], 'prefix of postern schema: give lower case letters'],
    [['--prefix', 'a_\n'], 'prefix of postern schema: give lower case letters'],
    [['--prefix', '1_'], 'prefix of postern schema: give lower case letters'],
    [['--prefix', 'a'.repeat(31)], 'prefix of postern schema: give lower case letters'],
    [['--dialect', 'mysql', '--schema', 'a'], 'schema of postern schema: is for PostgreSQL: give a prefix'],
  ])('refuses %j', async (args, said) => {
    for (const tool of ['--sql', '--drizzle', '--prisma', '--kysely']) {
      const { code, stdout, stderr } = await runHere(['schema', tool, ...args]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toContain(said);
    }
  });
});
