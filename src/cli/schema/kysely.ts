import type { Dialect } from '../../stores/sql/dialect.js';
import type { Column } from '../../stores/sql/shape.js';
import { pascal, tablesOf } from './names.js';

/** Interfaces for Kysely. Its types refuse an update: a change needs its row in the audit log. */
export function kyselySchema(dialect: Dialect, schema: string | null): string {
  const tables = tablesOf(dialect);
  const place = schema === null || schema === 'public' ? '' : `${schema}.`;
  const names = tables.map(({ shape, name }) => `  '${place}${shape.name}': ${pascal(name)};`);
  const interfaces = tables.map(({ shape, name }) => {
    const lines = shape.columns.map((column) => `  ${column.name}: Read<${typeOf(dialect, column)}>;`);
    return `export interface ${pascal(name)} {\n${lines.join('\n')}\n}`;
  });
  const parts = [
    `import type { ColumnType } from 'kysely';`,
    `/** Read here, and written by postern alone. */\ntype Read<T> = ColumnType<T, never, never>;`,
    `/** Kysely<YourDatabase & PosternDatabase>. Times are milliseconds since 1970. */\nexport interface PosternDatabase {\n${names.join('\n')}\n}`,
    ...interfaces,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** `pg` returns a bigint as a text. */
function typeOf({ name }: Dialect, { kind, isOptional }: Column): string {
  const integer = name === 'postgres' ? 'string' : 'number';
  const types = { serial: integer, sequence: integer, token: integer, integer, time: 'Date', hash: 'Uint8Array' };
  const type = types[kind as keyof typeof types] ?? 'string';
  return isOptional ? `${type} | null` : type;
}
