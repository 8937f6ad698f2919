import type { Change, ChangeQuery } from '../../ports/changes.js';
import { CHANGE_COLUMNS, toChange } from '../sql/rows.js';
import type { Connection } from './connection.js';
import type { SqlValue } from './driver.js';

/** The statement of a page of the audit log, and its parameters. */
export function listChangesSql(query: ChangeQuery): { readonly sql: string; readonly parameters: readonly SqlValue[] } {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const where = (condition: string, ...values: SqlValue[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  if (query.organization !== null) where('organization = ?', query.organization);
  if (query.subject !== undefined) where('subject = ?', query.subject);
  if (query.type !== undefined) where('type = ?', query.type);
  if (query.after !== undefined) where('(at, id) < (?, ?)', query.after.at, query.after.id);
  if (query.until !== undefined) where('(at, id) >= (?, ?)', query.until.at, query.until.id);
  const filter = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')} ` : '';
  return {
    sql: `SELECT ${CHANGE_COLUMNS} FROM changes ${filter}ORDER BY at DESC, id DESC LIMIT ? OFFSET ?`,
    parameters: [...parameters, query.limit, query.offset ?? 0],
  };
}

export function listChanges(db: Connection, query: ChangeQuery): readonly Change[] {
  const { sql, parameters } = listChangesSql(query);
  return db.all(sql, ...parameters).map(toChange);
}
