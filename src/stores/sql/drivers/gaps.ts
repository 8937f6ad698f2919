import type { DialectName, SqlStatement } from '../driver.js';

/** The text of a statement between its parameters, and a value for each gap. One of PostgreSQL's may be used several times. */
export function gapsOf({ sql, parameters }: SqlStatement, dialect: DialectName) {
  const texts = sql.split(dialect === 'postgres' ? /\$\d+/ : '?');
  const numbers = dialect === 'postgres' ? [...sql.matchAll(/\$(\d+)/g)].map(([, digits]) => Number(digits)) : null;
  const values = texts
    .slice(1)
    .map((_, index) => parameters[numbers === null ? index : (numbers[index] as number) - 1]);
  return { texts, values };
}
