import type { Change, ChangeQuery } from '../../ports/changes.js';
import { CHANGE_COLUMNS, toChange } from '../sql/rows.js';
import { Conditions, type Statement } from './conditions.js';
import type { Connection } from './connection.js';

/** The statement of a page of the audit log. */
export function listChangesSql({ organization, subject, type, after, limit }: ChangeQuery): Statement {
  const conditions = new Conditions();
  if (organization !== null) conditions.add('organization = ?', organization);
  if (subject !== undefined) conditions.add('subject = ?', subject);
  if (type !== undefined) conditions.add('type = ?', type);
  if (after !== undefined) conditions.add('(at, id) < (?, ?)', after.at, after.id);
  return {
    sql: `SELECT ${CHANGE_COLUMNS} FROM changes ${conditions.where}ORDER BY at DESC, id DESC LIMIT ?`,
    parameters: [...conditions.parameters, limit],
  };
}

export function listChanges(db: Connection, query: ChangeQuery): readonly Change[] {
  const { sql, parameters } = listChangesSql(query);
  return db.all(sql, ...parameters).map(toChange);
}

/** In a transaction. */
export function trimChanges(db: Connection, before: number, limit: number): number {
  db.run('INSERT INTO trimming (before) VALUES (?)', before);
  const trimmed = db.run(
    'DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE at < ? ORDER BY at, id LIMIT ?)',
    before,
    limit,
  );
  db.run('DELETE FROM trimming');
  return trimmed;
}
