import { describe, expect, it } from 'vitest';
import { PLACES, type Place, refusalAfter } from './sql-schema-world.js';

describe('a part that differs is named', () => {
  const {
    'PostgreSQL, with a schema and a prefix': inPostgres,
    MariaDB,
    'SQLite, without a prefix': inSqlite,
  } = PLACES;

  it.each<[statement: (place: Place) => string, said: string]>([
    [
      ({ table }) => `ALTER TABLE ${table('tokens')} ALTER COLUMN name TYPE varchar(10)`,
      'column name of auth_tokens is "character varying(10) NOT NULL", not "text NOT NULL"',
    ],
    [
      ({ table }) => `ALTER TABLE ${table('tokens')} ALTER COLUMN id TYPE text COLLATE "default"`,
      'column id of auth_tokens is "text NOT NULL", not "text COLLATE "C" NOT NULL"',
    ],
    [
      ({ table }) => `ALTER TABLE ${table('tokens')} ALTER COLUMN name DROP NOT NULL`,
      'column name of auth_tokens is "text", not "text NOT NULL"',
    ],
    [({ table }) => `DROP INDEX ${table('tokens_by_age')}`, 'index auth_tokens_by_age of auth_tokens is missing'],
    [
      ({ table }) =>
        `DROP INDEX ${table('secrets_by_key')}; CREATE INDEX auth_secrets_by_key ON ${table('secrets')} (key_id)`,
      'index auth_secrets_by_key of auth_secrets is "btree (key_id)", not "UNIQUE btree (key_id) WHERE (key_id IS NOT NULL)"',
    ],
    [
      ({ table }) => `ALTER TABLE ${table('uses')} DROP CONSTRAINT auth_uses_token_fkey`,
      'reference token of auth_uses is missing',
    ],
    [
      ({ table }) => `ALTER TABLE ${table('changes')} DISABLE TRIGGER changes_are_kept`,
      'trigger changes_are_kept of auth_changes is "not for every change", not "enabled"',
    ],
    [
      ({ table }) =>
        `CREATE DOMAIN ${table('kind')} AS text NOT NULL; ALTER TABLE ${table('uses')} ADD COLUMN mine ${table('kind')}`,
      "column mine of auth_uses is not postern's",
    ],
    [({ table }) => `DROP FUNCTION ${table('trim_changes')}`, 'function auth_trim_changes is missing'],
  ])('on PostgreSQL: %s', async (statement, said) => {
    expect(await refusalAfter(inPostgres, statement)).toContain(said);
  });

  it.each<[statement: (place: Place) => string, said: string]>([
    [
      ({ table }) => `ALTER TABLE ${table('tokens')} MODIFY name VARCHAR(10) NOT NULL`,
      '_ci NOT NULL", not "longtext in exact order NOT NULL"',
    ],
    [({ table }) => `ALTER TABLE ${table('secrets')} DROP INDEX secrets_by_key`, 'index secrets_by_key of '],
    [
      ({ table }) => `ALTER TABLE ${table('secrets')} DROP INDEX secrets_by_key, ADD INDEX secrets_by_key (key_id)`,
      'is "(key_id)", not "UNIQUE (key_id)"',
    ],
    [({ table }) => `DROP TRIGGER ${table('changes_are_never_deleted')}`, 'changes_are_never_deleted of '],
  ])('on MariaDB: %s', async (statement, said) => {
    expect(await refusalAfter(MariaDB, statement)).toContain(said);
  });

  it.each<[statement: string, said: string]>([
    ['DROP INDEX tokens_by_age', 'index tokens_by_age of tokens is missing'],
    [
      'DROP INDEX secrets_by_key; CREATE UNIQUE INDEX secrets_by_key ON secrets (key_id)',
      'index secrets_by_key of secrets is "UNIQUE (key_id)", not "UNIQUE (key_id) of some"',
    ],
    ['DROP TRIGGER changes_are_kept', 'trigger changes_are_kept of changes is missing'],
    [
      'DROP TABLE trimming; CREATE TABLE trimming (before INTEGER PRIMARY KEY, mine TEXT NOT NULL DEFAULT null)',
      "column mine of trimming is not postern's",
    ],
    [
      'DROP TABLE uses; CREATE TABLE uses (token INTEGER NOT NULL, endpoint TEXT, count TEXT NOT NULL, last_used_at INTEGER NOT NULL)',
      'column endpoint of uses is "TEXT", not "TEXT NOT NULL"; column count of uses is "TEXT NOT NULL", not "INTEGER NOT NULL"; key (token, endpoint) of uses is missing',
    ],
  ])('on SQLite: %s', async (statement, said) => {
    const message = await refusalAfter(inSqlite, () => statement);
    for (const each of said.split('; ')) expect(message).toContain(each);
  });
});
