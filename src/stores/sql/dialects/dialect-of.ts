import { PosternError } from '../../../domain/errors.js';
import type { Dialect } from '../dialect.js';
import type { DialectName } from '../driver.js';
import { assertShort, DEFAULT_PREFIX, DEFAULT_SCHEMA } from '../place.js';
import { Mysql } from './mysql.js';
import { Postgres } from './postgres.js';
import { Sqlite } from './sqlite.js';

/** Checked names, or `undefined` for the defaults. */
export interface Place {
  readonly schema?: string | undefined;
  readonly prefix?: string | undefined;
}

/**
 * @param input for messages
 * @throws PosternError `option_invalid`
 */
export function dialectOf(name: DialectName, { schema, prefix }: Place, input: string): Dialect {
  if (name === 'postgres') {
    const place = [schema ?? DEFAULT_SCHEMA, prefix ?? ''] as const;
    assertShort(...place, input);
    return new Postgres(...place);
  }
  const invalid = (path: string, problem: string) => new PosternError('option_invalid', problem, { path, input });
  if (schema !== undefined) throw invalid('schema', 'is for PostgreSQL: give a prefix');
  if (name === 'mysql') return new Mysql(prefix ?? DEFAULT_PREFIX);
  if (name === 'sqlite') return new Sqlite(prefix ?? DEFAULT_PREFIX);
  throw invalid('driver.dialect', "speaks no dialect that is known here: give 'postgres', 'mysql' or 'sqlite'");
}
