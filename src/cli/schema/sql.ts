import type { Dialect } from '../../stores/sql/dialect.js';
import { statementsFrom } from '../../stores/sql/migrate.js';

/** The statements that make all tables in an empty place. */
export function sqlSchema(dialect: Dialect): string {
  const statements = [...dialect.found(false), ...statementsFrom(0, dialect)];
  return scriptOf(statements, dialect.name === 'mysql').replace('CREATE SCHEMA ', 'CREATE SCHEMA IF NOT EXISTS ');
}

/** For the database's own client, which ends a statement of MySQL at the first semicolon if nothing else is agreed. */
export function scriptOf(statements: readonly string[], isMysql: boolean): string {
  return statements
    .map((statement) => {
      return isMysql && statement.includes(';') ? `DELIMITER //\n${statement} //\nDELIMITER ;\n` : `${statement};\n`;
    })
    .join('');
}
