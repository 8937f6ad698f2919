import {
  MOST_SECRETS,
  type NewSecret,
  type SecretRotation,
  type StoredSecret,
  type StoredToken,
} from '../../ports/records.js';
import {
  type Fields,
  firstFound,
  firstFoundByKey,
  KEY_COLUMNS,
  namesOf,
  SECRET_COLUMNS,
  SECRET_FIELDS,
  secretValues,
  TOKEN_COLUMNS,
  TOKEN_FIELDS,
  tokenValues,
  toToken,
} from '../sql/rows.js';
import type { Connection } from './connection.js';

/** The statement for a look-up by this many digests. There is one for each number, because a list can't be a parameter. */
export function findByDigestSql(digests: number): string {
  return `SELECT ${TOKEN_COLUMNS}, ${SECRET_COLUMNS} FROM secrets s JOIN tokens t ON t.seq = s.token WHERE s.digest ${isOneOf(digests)}`;
}

/** The same for this many ids of keys. */
export function findByKeyIdSql(keyIds: number): string {
  return `SELECT ${TOKEN_COLUMNS}, ${SECRET_COLUMNS}, ${KEY_COLUMNS} FROM secrets s JOIN tokens t ON t.seq = s.token WHERE s.key_id ${isOneOf(keyIds)}`;
}

function isOneOf(values: number): string {
  return values === 1 ? '= ?' : `IN (${Array(values).fill('?').join(', ')})`;
}

export function findTokenByDigest(
  db: Connection,
  digests: readonly string[],
): { token: StoredToken; secret: StoredSecret } | null {
  if (digests.length === 0) return null;
  return firstFound(db.all(findByDigestSql(digests.length), ...digests), digests);
}

export function findTokenByKeyId(
  db: Connection,
  keyIds: readonly string[],
): { token: StoredToken; secret: StoredSecret; publicKey: string } | null {
  if (keyIds.length === 0) return null;
  return firstFoundByKey(db.all(findByKeyIdSql(keyIds.length), ...keyIds), keyIds);
}

export function findToken(db: Connection, id: string): StoredToken | null {
  const row = db.get(`SELECT ${TOKEN_COLUMNS} FROM tokens t WHERE t.id = ?`, id);
  return row === undefined ? null : toToken(row);
}

const places = (fields: Fields): string => fields.map(() => '?').join(', ');

const INSERT = `INSERT INTO tokens (id, last_used_at, ${namesOf(TOKEN_FIELDS)})
  VALUES (?, ?, ${places(TOKEN_FIELDS)}) ON CONFLICT DO NOTHING`;

const REPLACE = `UPDATE tokens SET ${TOKEN_FIELDS.map(([name]) => `${name} = ?`).join(', ')} WHERE id = ? AND version = ?`;

const REVOKE = `UPDATE tokens SET revoked_at = ?, updated_at = ?, version = version + 1
  WHERE id = ? AND revoked_at IS NULL`;

const OTHERS = 'token = (SELECT seq FROM tokens WHERE id = ?) AND digest <> ?';

const REMOVE_SECRETS = `DELETE FROM secrets WHERE ${OTHERS} AND digest NOT IN (
  SELECT digest FROM secrets WHERE ${OTHERS} AND (ends_at IS NULL OR ends_at > ?)
  ORDER BY ends_at IS NULL DESC, created_at DESC, digest DESC LIMIT ${MOST_SECRETS - 1})`;

const END_SECRETS = `UPDATE secrets SET ends_at = min(coalesce(ends_at, ?), ?) WHERE ${OTHERS}`;

const INSERT_SECRET = `INSERT INTO secrets (${namesOf(SECRET_FIELDS)}, token)
  SELECT ${places(SECRET_FIELDS)}, seq FROM tokens WHERE id = ? ON CONFLICT DO NOTHING`;

/** In a transaction. `false`: the id, the digest or the key's id is taken, and the transaction must be rolled back. */
export function insertToken(db: Connection, token: StoredToken, secret: NewSecret): boolean {
  const written = db.run(INSERT, token.id, token.lastUsedAt, ...tokenValues(token));
  return written === 1 && insertSecret(db, token.id, secret);
}

/** In a transaction. `false`: roll back. */
export function replaceToken(
  db: Connection,
  token: StoredToken,
  expectedVersion: number,
  rotation: SecretRotation | null,
): boolean {
  const { id } = token;
  if (db.run(REPLACE, ...tokenValues(token), id, expectedVersion) === 0) return false;
  return rotation === null || rotateSecret(db, id, rotation);
}

function rotateSecret(db: Connection, tokenId: string, { secret, othersEndAt, at }: SecretRotation): boolean {
  if (!insertSecret(db, tokenId, secret)) return false;
  const others = [tokenId, secret.digest];
  db.run(REMOVE_SECRETS, ...others, ...others, at);
  db.run(END_SECRETS, othersEndAt, othersEndAt, ...others);
  return true;
}

function insertSecret(db: Connection, tokenId: string, secret: NewSecret): boolean {
  return db.run(INSERT_SECRET, ...secretValues(secret), tokenId) === 1;
}

/** In a transaction. */
export function revokeToken(db: Connection, id: string, at: number): boolean {
  return db.run(REVOKE, at, at, id) > 0;
}

/** In a transaction. */
export function deleteToken(db: Connection, id: string): boolean {
  // Not left to ON DELETE CASCADE: that depends on a setting of the connection, and nothing must outlive a token.
  db.run('DELETE FROM uses WHERE token = (SELECT seq FROM tokens WHERE id = ?)', id);
  db.run('DELETE FROM secrets WHERE token = (SELECT seq FROM tokens WHERE id = ?)', id);
  return db.run('DELETE FROM tokens WHERE id = ?', id) > 0;
}
