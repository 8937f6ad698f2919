import type { Dialect } from '../../stores/sql/dialect.js';
import type { Column, Key } from '../../stores/sql/shape.js';
import { camel, type Printed, tablesOf } from './names.js';

const CORES = { postgres: 'pg', mysql: 'mysql', sqlite: 'sqlite' } as const;
const TYPES = ['bigint', 'binary', 'integer', 'longtext', 'text', 'timestamp', 'varchar'];
const MAKERS = [
  ...TYPES,
  'index',
  'mysqlTable',
  'pgSchema',
  'pgTable',
  'primaryKey',
  'sqliteTable',
  'unique',
  'uniqueIndex',
];

/** Tables for Drizzle. */
export function drizzleSchema(dialect: Dialect, schema: string | null): string {
  const core = CORES[dialect.name];
  const isApart = schema !== null && schema !== 'public';
  const table = isApart ? 'schema.table' : `${core}Table`;
  const body = [
    ...(isApart ? [`export const schema = pgSchema('${schema}');`] : []),
    ...tablesOf(dialect).map((printed) => tableOf(dialect, printed, table)),
  ].join('\n\n');
  const used = MAKERS.filter((name) => new RegExp(`(?<![.\\w])${name}\\(`).test(body));
  return [
    `// postern's tables, for reading. Make them with: ${dialect.command}`,
    ...(body.includes('sql`') ? [`import { sql } from 'drizzle-orm';`] : []),
    `import { ${used.join(', ')} } from 'drizzle-orm/${core}-core';`,
    '',
    body,
    '',
  ].join('\n');
}

function tableOf(dialect: Dialect, { name, shape }: Printed, table: string): string {
  const columns = shape.columns.map((column) => `  ${camel(column.name)}: ${columnOf(dialect, column)},`);
  // SQLite's row number is a key by its column.
  const keys = shape.keys.flatMap((key, index) => {
    const isNumber = dialect.name === 'sqlite' && index === 0 && shape.keys.length > 1;
    return isNumber ? [] : [keyOf(dialect, key, index === 0)];
  });
  const parts = [...keys, ...shape.indexes.map(indexOf)].map((part) => `    ${part},`);
  return `export const ${name} = ${table}(\n  '${shape.name}',\n  {\n  ${columns.join('\n  ')}\n  },\n  (table) => [\n${parts.join('\n')}\n  ],\n);`;
}

function columnOf({ name: dialect }: Dialect, { name, kind, isOptional }: Column): string {
  const rest = isOptional ? '' : '.notNull()';
  const parent = kind === 'token' ? `.references(() => tokens.seq, { onDelete: 'cascade' })` : '';
  if (kind === 'hash') {
    const of = name.replace(/_key$/, '');
    return `binary('${name}', { length: 32 }).generatedAlwaysAs(sql\`unhex(sha2(${of}, 256))\`, { mode: 'stored' })`;
  }
  if (kind === 'time') return `timestamp('${name}', { withTimezone: true }).defaultNow()${rest}`;
  if (kind === 'key' && dialect === 'mysql') return `varchar('${name}', { length: 255 })${rest}`;
  if (kind === 'key' || kind === 'name' || kind === 'text')
    return `${dialect === 'mysql' ? 'longtext' : 'text'}('${name}')${rest}`;
  if (dialect !== 'sqlite') {
    const grows = dialect === 'mysql' ? '.autoincrement()' : '.generatedAlwaysAsIdentity()';
    return `bigint('${name}', { mode: 'number' })${kind === 'serial' ? grows : ''}${rest}${parent}`;
  }
  if (kind === 'serial') return `integer('${name}').primaryKey()`;
  return kind === 'sequence'
    ? `integer('${name}').primaryKey({ autoIncrement: true })`
    : `integer('${name}')${rest}${parent}`;
}

function keyOf({ name: dialect }: Dialect, { name, columns }: Key, isPrimary: boolean): string {
  const list = columns.map((column) => `table.${camel(column)}`).join(', ');
  if (!isPrimary) return `unique(${name === '' ? '' : `'${name}'`}).on(${list})`;
  return `primaryKey({ ${dialect === 'postgres' ? `name: '${name}', ` : ''}columns: [${list}] })`;
}

function indexOf({ name, isUnique, columns, where }: Key): string {
  const list = columns.map((column) => `table.${camel(column)}`);
  const only = where === undefined ? '' : `.where(sql\`${where}\`)`;
  return `${isUnique ? 'uniqueIndex' : 'index'}('${name}').on(${list.join(', ')})${only}`;
}
