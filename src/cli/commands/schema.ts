import { Command, Option } from 'commander';
import * as z from 'zod';
import { check } from '../../base/check.js';
import type { Dialect } from '../../stores/sql/dialect.js';
import type { DialectName } from '../../stores/sql/driver.js';
import { usageError } from '../failure.js';
import type { Host } from '../host.js';

const DIALECTS = ['postgres', 'mysql', 'sqlite'] as const;
const TOOLS = ['sql', 'drizzle', 'prisma', 'kysely'] as const;

interface SchemaCommandOptions extends Partial<Record<(typeof TOOLS)[number], true>> {
  readonly dialect: DialectName;
  readonly schema?: string;
  readonly prefix?: string;
}

export function schema(host: Host): Command {
  const dialects = new Option('--dialect <name>', 'the SQL of the database; mysql is MariaDB, too');
  return new Command('schema')
    .description("Print the tables of a SQL store, for a migration of your own or for your application's queries.")
    .option('--sql', 'the statements that make the tables; a store with migrate: verify accepts them')
    .option('--drizzle', 'tables for Drizzle')
    .option('--prisma', 'models for Prisma')
    .option('--kysely', 'interfaces for Kysely')
    .addOption(dialects.choices(DIALECTS).default('postgres'))
    .option('--schema <name>', 'the schema of the tables, on PostgreSQL (default: postern)')
    .option('--prefix <text>', "the beginning of all names (default: postern_, or '' on PostgreSQL)")
    .action((options: SchemaCommandOptions) => printSchema(host, options));
}

async function printSchema(host: Host, options: SchemaCommandOptions): Promise<void> {
  const [tool, ...others] = TOOLS.filter((name) => options[name]);
  if (tool === undefined || others.length > 0)
    throw usageError(`Give one of ${TOOLS.map((name) => `--${name}`).join(', ')}`);
  const { DEFAULT_SCHEMA, placeOptions } = await import('../../stores/sql/place.js');
  const { dialectOf } = await import('../../stores/sql/dialects/dialect-of.js');
  const form = z.object({ schema: placeOptions.schema.optional(), prefix: placeOptions.prefix.optional() });
  const place = check(form, { schema: options.schema, prefix: options.prefix }, 'postern schema', 'option_invalid');
  const dialect = dialectOf(options.dialect, place, 'postern schema');
  host.stdout.write(
    await textOf(tool, dialect, options.dialect === 'postgres' ? (place.schema ?? DEFAULT_SCHEMA) : null),
  );
}

/** @param name the schema, on PostgreSQL */
async function textOf(tool: (typeof TOOLS)[number], dialect: Dialect, name: string | null): Promise<string> {
  switch (tool) {
    case 'sql':
      return (await import('../schema/sql.js')).sqlSchema(dialect);
    case 'drizzle':
      return (await import('../schema/drizzle.js')).drizzleSchema(dialect, name);
    case 'prisma':
      return (await import('../schema/prisma.js')).prismaSchema(dialect, name);
    case 'kysely':
      return (await import('../schema/kysely.js')).kyselySchema(dialect, name);
  }
}
