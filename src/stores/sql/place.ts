import * as z from 'zod';
import { PosternError } from '../../domain/errors.js';

/** Whether the tables are made and upgraded, or only compared. */
export type MigrateMode = 'auto' | 'verify';

/**
 * The longest name of a notification channel in PostgreSQL is of 63 characters, and `postern:`, a schema and a prefix are in it. The
 * longest name of a table, an index or a trigger has 25 characters after the prefix.
 */
const LONGEST_PLACE = 54;

/** The options of every SQL store that say where its tables are, and who makes them. The names get into statements as they are. */
export const placeOptions = {
  schema: z
    .string()
    .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,49}$/, 'give a name of lower case letters, digits and _, at most 50, without pg_')
    .refine((name) => name !== 'information_schema', 'is a schema of PostgreSQL itself: give another name'),
  prefix: z
    .string()
    .regex(/^([a-z][a-z0-9_]{0,29})?$/, 'give lower case letters, digits and _, at most 30, or an empty text')
    .refine(
      (prefix) => !prefix.startsWith('sqlite_'),
      'begins with sqlite_, which SQLite keeps for itself: give another',
    ),
  migrate: z.enum(['auto', 'verify'], "give 'auto' or 'verify'").default('auto'),
};

export const DEFAULT_SCHEMA = 'postern';
/** Where no schema is around the tables. */
export const DEFAULT_PREFIX = 'postern_';

/** @throws PosternError `option_invalid` */
export function assertShort(schema: string, prefix: string, input: string): void {
  if (schema.length + prefix.length <= LONGEST_PLACE) return;
  const problem = `schema and prefix have more than ${LONGEST_PLACE} characters together: give shorter names`;
  throw new PosternError('option_invalid', problem, { path: 'prefix', input });
}
