import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import { TOKEN_COLUMNS, toToken } from '../sql/rows.js';
import { encodeTypeNames } from '../sql/type-names.js';
import { Conditions, type Statement } from './conditions.js';
import type { Connection } from './connection.js';

function conditionsOf({
  organization,
  owner,
  ownership,
  type,
  revoked,
  search,
  after,
  until,
}: TokenFilter): Conditions {
  const conditions = new Conditions();
  if (organization !== null) conditions.add('t.organization = ?', organization);
  if (owner !== undefined) conditions.add('t.owner = ?', owner);
  if (ownership !== undefined) {
    // An owner has few tokens and an ownership many, but SQLite can't know that. The plus excludes the index by ownership
    // (sqlite.org/optoverview.html, "Disqualifying WHERE clause terms").
    conditions.add(owner === undefined ? 't.ownership = ?' : '+t.ownership = ?', ownership);
  }
  if (type !== undefined) conditions.add('instr(t.type_names, ?) > 0', encodeTypeNames([type]));
  if (revoked !== undefined) conditions.add(`t.revoked_at IS ${revoked ? 'NOT ' : ''}NULL`);
  if (search !== undefined) {
    // SQLite's lower() changes ASCII letters only, as the port asks for. instr() has no wildcards.
    const holds = (column: string) => `instr(lower(${column}), lower(?)) > 0`;
    conditions.add(`(${holds('t.name')} OR ${holds('t.description')})`, search, search);
  }
  if (after !== undefined) conditions.add('(t.created_at, t.id) < (?, ?)', after.createdAt, after.id);
  if (until !== undefined) conditions.add('(t.created_at, t.id) >= (?, ?)', until.createdAt, until.id);
  return conditions;
}

export function listTokensSql({ offset = 0, limit, ...filter }: TokenQuery): Statement {
  const conditions = conditionsOf(filter);
  const isOffset = offset > 0;
  return {
    sql: `SELECT ${TOKEN_COLUMNS} FROM tokens t ${conditions.where}ORDER BY t.created_at DESC, t.id DESC LIMIT ?${isOffset ? ' OFFSET ?' : ''}`,
    parameters: [...conditions.parameters, limit, ...(isOffset ? [offset] : [])],
  };
}

export function listTokens(db: Connection, query: TokenQuery): readonly StoredToken[] {
  const { sql, parameters } = listTokensSql(query);
  return db.all(sql, ...parameters).map(toToken);
}

/** The statement for a count that stops at `atMost`. */
export function countTokensSql(filter: TokenFilter, atMost: number): Statement {
  const conditions = conditionsOf(filter);
  return {
    sql: `SELECT count(*) AS count FROM (SELECT 1 FROM tokens t ${conditions.where}LIMIT ?)`,
    parameters: [...conditions.parameters, atMost],
  };
}

export function countTokens(db: Connection, filter: TokenFilter, atMost: number): number {
  const { sql, parameters } = countTokensSql(filter, atMost);
  return db.get(sql, ...parameters)?.count as number;
}

export function listExpiredTokens(
  db: Connection,
  organization: string | null,
  before: number,
  limit: number,
): readonly string[] {
  const only = organization === null ? '' : 'AND organization = ?';
  const parameters = organization === null ? [before, limit] : [before, organization, limit];
  return db
    .all(`SELECT id FROM tokens WHERE expires_at <= ? ${only} ORDER BY expires_at LIMIT ?`, ...parameters)
    .map((row) => row.id as string);
}
