import type { SecretRotation, StoredSecret, StoredToken, TokenQuery } from '../../services/ports.js';
import { firstFound, SECRET_COLUMNS, TOKEN_COLUMNS, toToken } from '../sql/rows.js';
import { encodeTypeNames } from '../sql/type-names.js';
import type { Connection } from './connection.js';
import type { SqlValue } from './driver.js';

/** The statement that a lookup by so many digests is: one for each, because a list can't be a parameter. */
export function findByDigestSql(digests: number): string {
  const condition = digests === 1 ? '= ?' : `IN (${Array(digests).fill('?').join(', ')})`;
  return `SELECT ${TOKEN_COLUMNS}, ${SECRET_COLUMNS} FROM secrets s JOIN tokens t ON t.seq = s.token WHERE s.digest ${condition}`;
}

export function findTokenByDigest(
  db: Connection,
  digests: readonly string[],
): { token: StoredToken; secret: StoredSecret } | null {
  if (digests.length === 0) return null;
  return firstFound(db.all(findByDigestSql(digests.length), ...digests), digests);
}

export function findToken(db: Connection, id: string): StoredToken | null {
  const row = db.get(`SELECT ${TOKEN_COLUMNS} FROM tokens t WHERE t.id = ?`, id);
  return row === undefined ? null : toToken(row);
}

/** The statement of a page, and its parameters. What varies is which conditions there are; what they compare is bound. */
export function listTokensSql(query: TokenQuery): { readonly sql: string; readonly parameters: readonly SqlValue[] } {
  const conditions: string[] = [];
  const parameters: SqlValue[] = [];
  const where = (condition: string, ...values: SqlValue[]) => {
    conditions.push(condition);
    parameters.push(...values);
  };
  if (query.organization !== null) where('t.organization = ?', query.organization);
  if (query.owner !== undefined) where('t.owner = ?', query.owner);
  if (query.type !== undefined) where('instr(t.type_names, ?) > 0', encodeTypeNames([query.type]));
  if (query.search !== undefined) {
    // SQLite's lower() knows ASCII only, which is what is wanted; instr() has no wildcards.
    const holds = (column: string) => `instr(lower(${column}), lower(?)) > 0`;
    where(`(${holds('t.name')} OR ${holds('t.description')})`, query.search, query.search);
  }
  if (query.after !== undefined) where('(t.created_at, t.id) < (?, ?)', query.after.createdAt, query.after.id);
  const sql = `SELECT ${TOKEN_COLUMNS} FROM tokens t ${conditions.length > 0 ? `WHERE ${conditions.join(' AND ')} ` : ''}ORDER BY t.created_at DESC, t.id DESC LIMIT ?`;
  return { sql, parameters: [...parameters, query.limit] };
}

export function listTokens(db: Connection, query: TokenQuery): readonly StoredToken[] {
  const { sql, parameters } = listTokensSql(query);
  return db.all(sql, ...parameters).map(toToken);
}

/** In a transaction. `false` where the id or the digest is taken: then what was written must be rolled back. */
export function insertToken(db: Connection, token: StoredToken, secret: StoredSecret): boolean {
  const written = db.run(
    `INSERT INTO tokens (id, organization, owner, ownership, name, description, types, type_names, metadata, hint, limits,
       created_at, updated_at, expires_at, revoked_at, last_used_at, version)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    token.id,
    token.organization,
    token.owner,
    token.ownership,
    token.name,
    token.description,
    token.types,
    encodeTypeNames(token.typeNames),
    token.metadata,
    token.hint,
    token.limits,
    token.createdAt,
    token.updatedAt,
    token.expiresAt,
    token.revokedAt,
    token.lastUsedAt,
    token.version,
  );
  return written === 1 && insertSecret(db, token.id, secret);
}

/** In a transaction. `false`: roll back. */
export function replaceToken(
  db: Connection,
  token: StoredToken,
  expectedVersion: number,
  rotation: SecretRotation | null,
): boolean {
  const written = db.run(
    `UPDATE tokens SET organization = ?, owner = ?, ownership = ?, name = ?, description = ?, types = ?, type_names = ?,
       metadata = ?, hint = ?, limits = ?, created_at = ?, updated_at = ?, expires_at = ?, revoked_at = ?, version = ?
     WHERE id = ? AND version = ?`,
    token.organization,
    token.owner,
    token.ownership,
    token.name,
    token.description,
    token.types,
    encodeTypeNames(token.typeNames),
    token.metadata,
    token.hint,
    token.limits,
    token.createdAt,
    token.updatedAt,
    token.expiresAt,
    token.revokedAt,
    token.version,
    token.id,
    expectedVersion,
  );
  if (written === 0) return false;
  if (rotation === null) return true;
  db.run(
    `UPDATE secrets SET ends_at = min(coalesce(ends_at, ?), ?)
     WHERE token = (SELECT seq FROM tokens WHERE id = ?)`,
    rotation.othersEndAt,
    rotation.othersEndAt,
    token.id,
  );
  return insertSecret(db, token.id, rotation.secret);
}

function insertSecret(db: Connection, tokenId: string, secret: StoredSecret): boolean {
  const written = db.run(
    `INSERT INTO secrets (digest, token, pepper, created_at, ends_at)
     SELECT ?, seq, ?, ?, ? FROM tokens WHERE id = ? ON CONFLICT DO NOTHING`,
    secret.digest,
    secret.pepper,
    secret.createdAt,
    secret.endsAt,
    tokenId,
  );
  return written === 1;
}

/** In a transaction. */
export function deleteToken(db: Connection, id: string): boolean {
  // Not left to ON DELETE CASCADE: foreign keys are a setting of the connection, and nothing must outlive a token.
  db.run('DELETE FROM uses WHERE token = (SELECT seq FROM tokens WHERE id = ?)', id);
  db.run('DELETE FROM secrets WHERE token = (SELECT seq FROM tokens WHERE id = ?)', id);
  return db.run('DELETE FROM tokens WHERE id = ?', id) > 0;
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
