import type { Change, ChangeQuery } from '../../ports/changes.js';
import { CHANGE_COLUMNS, toChange } from '../sql/rows.js';
import { Conditions, type Statement } from './conditions.js';
import type { Connection } from './connection.js';

export function listChangesSql(query: ChangeQuery): Statement {
  const { organization, subject, type, after, until, offset = 0, limit } = query;
  const conditions = new Conditions();
  if (organization !== null) conditions.add('organization = ?', organization);
  if (subject !== undefined) conditions.add('subject = ?', subject);
  if (type !== undefined) conditions.add('type = ?', type);
  if (after !== undefined) conditions.add('(at, id) < (?, ?)', after.at, after.id);
  if (until !== undefined) conditions.add('(at, id) >= (?, ?)', until.at, until.id);
  return {
    sql: `SELECT ${CHANGE_COLUMNS} FROM changes ${conditions.where}ORDER BY at DESC, id DESC LIMIT ? OFFSET ?`,
    parameters: [...conditions.parameters, limit, offset],
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
