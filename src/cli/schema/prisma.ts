import type { Dialect } from '../../stores/sql/dialect.js';
import type { Column, Key } from '../../stores/sql/shape.js';
import { directionOf, type Printed, pascal, tablesOf } from './names.js';

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
  const type = { time: 'DateTime', hash: 'Bytes' }[kind as string] ?? (isText(kind) ? 'String' : 'BigInt');
  const grows = kind === 'serial' || (kind === 'sequence' && dialect.name === 'sqlite');
  // SQLite gives numbers of its own to Int and BigInt, but Prisma lets only an Int have them there.
  const shown = grows && dialect.name === 'sqlite' ? 'Int' : type;
  const field = `${name} ${shown}${isOptional ? '?' : ''}${grows ? ' @default(autoincrement())' : ''}${storedAs(dialect, kind)}`;
  if (kind !== 'token') return [field];
  const parent = `@relation(fields: [${name}], references: [seq], onDelete: Cascade, onUpdate: NoAction)`;
  const ownField = dialect.name === 'sqlite' ? field.replace('BigInt', 'Int') : field;
  return [ownField, `parent PosternTokens ${parent}`];
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
  const fields = key.columns.map((part) => {
    const { column, isDown } = directionOf(part);
    return isDown ? `${column}(sort: Desc)` : column;
  });
  // SQLite names no keys, and MySQL no primary ones.
  const isNamed = key.name !== '' && (how !== 'id' || name === 'postgres');
  return `@@${how}([${fields.join(', ')}]${isNamed ? `, map: "${key.name}"` : ''})`;
}
