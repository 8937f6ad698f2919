import { readFile } from 'node:fs/promises';
import { passed } from '../lib/snippets.mjs';
import { documentStores } from '../lib/stores.mjs';

export const host = 'Prisma 7, over libSQL';
export const how = 'on SQLite; the suite of stores over sqlStore, and the example with an own table';

const EXAMPLE = new URL('../../../examples/frameworks/prisma.ts', import.meta.url);
/** The part of the example's schema that is the application's own. */
const ORDER = 'model Order {\n  id      String @id\n  tokenId String\n}\n';
/** What the example prints. */
const PRINTED = [
  'after an order: orders 1, tokens 1',
  'its token is allowed: true',
  'the same order again: refused',
  'after it: orders 1, tokens 1',
  'order-1 has the token of ann',
];

/** Prisma's client is made from the models that the command prints. Its program looks for an engine that this needs nothing of. */
const DATASOURCE = `
datasource db {
  provider = "sqlite"
}
generator client {
  provider = "prisma-client-js"
  output   = "./client"
}
`;

const TEST = `
import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { PrismaLibSql } from '@prisma/adapter-libsql';
import { createPostern } from 'postern';
import { fromPrisma, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import prismaClient from './client/index.js';

const { PrismaClient } = prismaClient;
const prisma = new PrismaClient({ adapter: new PrismaLibSql({ url: 'file:prisma.db' }) });
after(() => prisma.$disconnect());
const prefix = () => 'p' + randomUUID().slice(0, 8) + '_';
testStore('Prisma', () => sqlStore({ driver: fromPrisma(prisma, 'sqlite'), prefix: prefix() }));

test("Prisma's models of the command read a token", async () => {
  const postern = createPostern({ store: sqlStore({ driver: fromPrisma(prisma, 'sqlite'), pollInterval: false }) });
  const { record } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
  const found = await prisma.posternTokens.findUnique({ where: { id: record.id }, include: { secrets: true } });
  assert.equal(found.name, 'ci');
  assert.equal(found.secrets.length, 1);
});
`;

export async function run(context) {
  const command = [`${context.modules}/postern/dist/cli/main.js`, 'schema', '--prisma'];
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };
  const seen = [];
  for (const [dialect, provider] of [
    ['postgres', 'postgresql'],
    ['mysql', 'mysql'],
    ['sqlite', 'sqlite'],
  ]) {
    const { stdout } = await context.node([...command, '--dialect', dialect]);
    const schemas = dialect === 'postgres' ? '\n  schemas = ["postern"]' : '';
    const text = DATASOURCE.replace('"sqlite"', `"${provider}"${schemas}`) + stdout;
    await context.write({ [`${dialect}.prisma`]: text });
    await context.run(context.bin('prisma'), ['validate', `--schema=${dialect}.prisma`], { env });
  }
  seen.push('the printed models are valid for PostgreSQL, MySQL and SQLite');
  await context.run(context.bin('prisma'), ['generate', '--schema=sqlite.prisma'], { env });
  seen.push(await example(context, env));
  await context.write({ 'a.test.mjs': TEST });
  const { stdout } = await context.node(['--test', '--test-reporter=tap', 'a.test.mjs']);
  const rows = [['SQLite', 'Prisma over libSQL', 'within 500 ms']];
  // One test is of the models.
  seen.push(await documentStores(rows, passed(stdout, /^# pass (\d+)$/m) - 1));
  return seen;
}

/** The example, with the newer generator, whose client is TypeScript. */
async function example(context, env) {
  const generator = 'generator client {\n  provider = "prisma-client"\n  output   = "./example/client"\n}\n';
  const models = (await readFile(`${context.folder}/sqlite.prisma`, 'utf8')).replace(
    /generator client \{[^}]*\}\n/,
    generator,
  );
  await context.write({
    'example.prisma': models + ORDER,
    'example/main.ts': await readFile(EXAMPLE, 'utf8'),
  });
  await context.run(context.bin('prisma'), ['generate', '--schema=example.prisma'], { env });
  const bundle = ['example/main.ts', '--bundle', '--format=esm', '--platform=node', '--packages=external'];
  await context.run(context.bin('esbuild'), [...bundle, '--outfile=example/main.mjs']);
  const { stdout } = await context.node(['example/main.mjs'], { env: { DATABASE_URL: 'file:example.db' } });
  if (stdout.trim() !== PRINTED.join('\n')) throw new Error(`the example printed:\n${stdout}`);
  return 'the example writes an order and its token, or neither';
}
