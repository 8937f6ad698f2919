import { createRequire } from 'node:module';
import pg from 'pg';
import { fromNeon, fromPrisma, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';
import { afterAll, describe } from 'vitest';
import { useMariadb } from '../support/mariadb-server.js';
import { usePostgres } from '../support/services.js';
import { aDatabase, aPrefix } from './mariadb-server.js';
import { neonServer } from './neon-server.js';
import { aSchema } from './postgres-server.js';
import { testDirectory } from './sqlite-files.js';
const require = createRequire('/tmp/schema-try/prisma7/x.js');
const { aFile } = testDirectory();
const which = process.env.WHICH ?? '';

if (which.includes('neon')) describe('neon', async () => {
  const server = await usePostgres();
  const http = await neonServer(server.url());
  afterAll(() => http.close());
  const { neon, neonConfig } = createRequire('/tmp/schema-try/neon/x.js')('@neondatabase/serverless');
  neonConfig.fetchEndpoint = `http://127.0.0.1:${http.port}/sql`;
  const sql = neon('postgres://u:p@db.localtest/app');
  testStore('neon', () => sqlStore({ driver: fromNeon(sql), schema: aSchema() }));
});
if (which.includes('ppg')) describe('prisma pg', async () => {
  const server = await usePostgres();
  const { PrismaPg } = require('@prisma/adapter-pg');
  const { PrismaClient } = require('/tmp/schema-try/prisma7/postgres/generated');
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: server.url() }) });
  afterAll(() => client.$disconnect());
  testStore('prisma', () => sqlStore({ driver: fromPrisma(client, 'postgres'), schema: aSchema() }));
});
if (which.includes('pmy')) describe('prisma mysql', async () => {
  const uri = await aDatabase(await useMariadb());
  const { PrismaMariaDb } = require('@prisma/adapter-mariadb');
  const { PrismaClient } = require('/tmp/schema-try/prisma7/mysql/generated');
  const client = new PrismaClient({ adapter: new PrismaMariaDb(uri.replace('mysql:', 'mariadb:')) });
  afterAll(() => client.$disconnect());
  testStore('prisma', () => sqlStore({ driver: fromPrisma(client, 'mysql'), prefix: aPrefix() }));
});
if (which.includes('plite')) describe('prisma sqlite', async () => {
  const { PrismaBetterSqlite3 } = require('@prisma/adapter-better-sqlite3');
  const { PrismaClient } = require('/tmp/schema-try/prisma7/sqlite/generated');
  const client = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: `file:${aFile()}` }) });
  afterAll(() => client.$disconnect());
  testStore('prisma', () => sqlStore({ driver: fromPrisma(client, 'sqlite'), prefix: aPrefix() }));
});
