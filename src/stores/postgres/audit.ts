import type { Change, ChangeQuery } from '../../ports/changes.js';
import { CHANGE_COLUMNS, CHANGE_FIELDS, changeValues, toChange } from '../sql/rows.js';
import { Conditions } from './conditions.js';
import type { Database, SqlValue } from './database.js';

const TYPES = ['text', 'text', 'bigint', 'text', 'text', 'text', 'text', 'text', 'text', 'text', 'text'];

/**
 * The end of a statement that changes something, after its own CTEs. For the one row of `source` it adds one row to the audit
 * log and sends one notification; without a row it does neither. All of it is one transaction, and PostgreSQL sends the
 * notification after the commit.
 *
 * @param first the number of the first of {@link recordValues}' parameters
 */
export function recorded(schema: string, source: string, first: number): string {
  const values = TYPES.map((type, index) => `$${first + index}::${type}`).join(', ');
  const channel = first + TYPES.length;
  return `recorded AS (INSERT INTO ${schema}.changes (${CHANGE_FIELDS}) SELECT ${values} FROM ${source} RETURNING 1)
    SELECT CASE WHEN $${channel + 1}::text IS NULL THEN NULL ELSE pg_notify($${channel}::text, $${channel + 1}::text) END
    FROM recorded`;
}

/** @param payload the notification; `null`: none */
export function recordValues(change: Change, channel: string, payload: string | null): readonly SqlValue[] {
  return [...changeValues(change), channel, payload];
}

/** The statement for a page of the audit log, and its parameters. */
export function listChangesSql(
  schema: string,
  query: ChangeQuery,
): { readonly text: string; readonly values: SqlValue[] } {
  const where = new Conditions();
  if (query.organization !== null) where.add((p) => `organization = ${p('text', query.organization as string)}`);
  if (query.subject !== undefined) where.add((p) => `subject = ${p('text', query.subject as string)}`);
  if (query.type !== undefined) where.add((p) => `type = ${p('text', query.type as string)}`);
  const { after, until, offset = 0 } = query;
  if (after !== undefined) where.add((p) => `(at, id) < (${p('bigint', after.at)}, ${p('text', after.id)})`);
  if (until !== undefined) where.add((p) => `(at, id) >= (${p('bigint', until.at)}, ${p('text', until.id)})`);
  const limit = where.parameter('bigint', query.limit);
  const skipped = offset === 0 ? '' : ` OFFSET ${where.parameter('bigint', offset)}`;
  return {
    text: `SELECT ${CHANGE_COLUMNS} FROM ${schema}.changes ${where}ORDER BY at DESC, id DESC LIMIT ${limit}${skipped}`,
    values: where.values,
  };
}

export async function listChanges(db: Database, schema: string, query: ChangeQuery): Promise<readonly Change[]> {
  const { text, values } = listChangesSql(schema, query);
  return (await db.run({ text }, values)).map(toChange);
}

export async function trimChanges(db: Database, schema: string, before: number, limit: number): Promise<number> {
  const text = `SELECT ${schema}.trim_changes($1::bigint, $2::bigint) AS trimmed`;
  const [row] = await db.run({ text }, [before, limit]);
  return Number(row?.trimmed);
}
