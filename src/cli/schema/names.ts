import type { Dialect } from '../../stores/sql/dialect.js';
import { TABLES } from '../../stores/sql/schema.js';
import type { Shape, Table } from '../../stores/sql/shape.js';

/** A table, with the name that it has in code. */
export interface Printed {
  readonly name: string;
  readonly table: Table;
  readonly shape: Shape;
}

/** All tables of a place. A tool that knows them all drops none. */
export function tablesOf(dialect: Dialect): readonly Printed[] {
  return [...TABLES, ...dialect.own, dialect.versions].map((table) => {
    return { name: camel(table.name), table, shape: dialect.shapeOf(table) };
  });
}

/** `token_days` → `tokenDays`. */
export function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** `token_days` → `TokenDays`. */
export function pascal(name: string): string {
  return camel(`_${name}`);
}
