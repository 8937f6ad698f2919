import type { Dialect } from '../../stores/sql/dialect.js';
import type { Column, Key } from '../../stores/sql/shape.js';
import { type Printed, pascal, tablesOf } from './names.js';

/** Models for Prisma. Its datasource needs the schema in `schemas`. */
export function prismaSchema(dialect: Dialect, schema: string | null): string {
  const tables = tablesOf(dialect);
  const children = tables.filter(({ shape }) => shape.columns.some(({ kind }) => kind === 'token'));
  const models = tables.map(({ table, name, shape }) => {
    const back = table.name === 'tokens' ? children.map((child) => `${child.name} ${modelOf(child)}[]`) : [];
    const lines = [
      ...shape.columns.flatMap((column) => fieldsOf(dialect, column)),
      ...back,
      ...shape.keys.map((key, index) => keyOf(dialect, key, index === 0 ? 'id' : 'unique')),
      ...shape.indexes.map((key) => keyOf(dialect, key, key.isUnique ? 'unique' : 'index')),
      `@@map("${shape.name}")`,
      ...(schema === null ? [] : [`@@schema("${schema}")`]),
    ];
    return `model ${modelOf({ name })} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}\n`;
  });
  const schemas = schema === null ? '' : ` The datasource needs: schemas = ["${schema}"]`;
  return `// postern's tables, for reading. Make them with: ${dialect.command}.${schemas}\n\n${models.join('\n')}`;
}

function modelOf({ name }: Pick<Printed, 'name'>): string {
  return `Postern${pascal(name).replace(/^Postern/, '')}`;
}

function fieldsOf(dialect: Dialect, { name, kind, isOptional }: Column): string[] {
  const grows = kind === 'serial' || (kind === 'sequence' && dialect.name === 'sqlite');
  const number = grows ? ' @default(autoincrement())' : '';
  const field = `${name} ${typeOf(dialect, kind)}${isOptional ? '?' : ''}${number}${storedAs(dialect, kind)}`;
  if (kind !== 'token') return [field];
  const parent = `@relation(fields: [${name}], references: [seq], onDelete: Cascade, onUpdate: NoAction)`;
  return [field, `parent PosternTokens ${parent}`];
}

function typeOf({ name }: Dialect, kind: Column['kind']): string {
  if (isText(kind)) return 'String';
  if (kind === 'time') return 'DateTime';
  if (kind === 'hash') return 'Bytes';
  // The numbers of rows. On SQLite, Prisma lets only an Int have a number of its own.
  return name === 'sqlite' && kind !== 'integer' ? 'Int' : 'BigInt';
}

function isText(kind: Column['kind']): boolean {
  return kind === 'key' || kind === 'name' || kind === 'text';
}

function storedAs({ name }: Dialect, kind: Column['kind']): string {
  if (name === 'postgres') return kind === 'time' ? ' @default(now()) @db.Timestamptz()' : '';
  if (name === 'sqlite') return '';
  if (kind === 'hash') return ' @db.Binary(32)';
  return kind === 'key' ? ' @db.VarChar(255)' : isText(kind) ? ' @db.LongText' : '';
}

function keyOf({ name }: Dialect, key: Key, how: 'id' | 'unique' | 'index'): string {
  // SQLite names no keys, and MySQL no primary ones.
  const isNamed = key.name !== '' && (how !== 'id' || name === 'postgres');
  return `@@${how}([${key.columns.join(', ')}]${isNamed ? `, map: "${key.name}"` : ''})`;
}
