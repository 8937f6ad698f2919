import { MOST_SECRETS, type NewSecret, type SecretRotation, type StoredToken } from '../../ports/records.js';
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
import { recorded } from './audit.js';
import { type Database, prepared, type SqlValue, type Statement } from './database.js';

/** @param first the number of the first of the parameters */
const parametersOf = (fields: Fields, first: number): string =>
  fields.map(([, type], index) => `$${first + index}::${type}`).join(', ');

/** A statement that changes something, and its values without those of the audit log. */
export interface Write {
  readonly statement: Statement;
  readonly values: readonly SqlValue[];
}

/** The statements for tokens and their secrets. Each change is one statement, so a broken connection can't leave half of it. */
export class TokenStatements {
  readonly #byDigest: Statement;
  readonly #byDigests: Statement;
  readonly #byKeyId: Statement;
  readonly #byKeyIds: Statement;
  readonly #byId: Statement;
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #rotate: Statement;
  readonly #revoke: Statement;
  readonly #delete: Statement;

  constructor(s: string) {
    const found = (columns: string) =>
      `SELECT ${columns} FROM ${s}.secrets s JOIN ${s}.tokens t ON t.seq = s.token WHERE`;
    const byDigest = found(`${TOKEN_COLUMNS}, ${SECRET_COLUMNS}`);
    this.#byDigest = prepared(`${byDigest} s.digest = $1`);
    this.#byDigests = prepared(`${byDigest} s.digest = ANY ($1::text[])`);
    const byKeyId = found(`${TOKEN_COLUMNS}, ${SECRET_COLUMNS}, ${KEY_COLUMNS}`);
    this.#byKeyId = prepared(`${byKeyId} s.key_id = $1`);
    this.#byKeyIds = prepared(`${byKeyId} s.key_id = ANY ($1::text[])`);
    this.#byId = prepared(`SELECT ${TOKEN_COLUMNS} FROM ${s}.tokens t WHERE t.id = $1`);

    const columns = namesOf(TOKEN_FIELDS);
    const sets = TOKEN_FIELDS.map(([name, type], index) => `${name} = $${3 + index}::${type}`).join(', ');
    const end = 3 + TOKEN_FIELDS.length;
    const afterSecret = end + SECRET_FIELDS.length;
    const addSecret = `INSERT INTO ${s}.secrets (token, ${namesOf(SECRET_FIELDS)})
         SELECT seq, ${parametersOf(SECRET_FIELDS, end)} FROM written`;
    this.#insert = {
      text: `WITH written AS (
          INSERT INTO ${s}.tokens (id, last_used_at, ${columns})
            VALUES ($1::text, $2::bigint, ${parametersOf(TOKEN_FIELDS, 3)}) RETURNING seq),
        secret AS (${addSecret}),
        ${recorded(s, 'written', afterSecret)}`,
    };
    const update = `WITH written AS (
        UPDATE ${s}.tokens SET ${sets} WHERE id = $1::text AND version = $2::bigint RETURNING seq)`;
    this.#replace = { text: `${update}, ${recorded(s, 'written', end)}` };
    this.#rotate = {
      text: `${update},
        staying AS (SELECT digest FROM ${s}.secrets, written
          WHERE token = written.seq AND (ends_at IS NULL OR ends_at > $${afterSecret + 1}::bigint)
          ORDER BY ends_at IS NULL DESC, secrets.created_at DESC, digest DESC LIMIT ${MOST_SECRETS - 1}),
        removed AS (DELETE FROM ${s}.secrets USING written
          WHERE token = written.seq AND digest NOT IN (SELECT digest FROM staying)),
        ended AS (UPDATE ${s}.secrets SET ends_at = least(ends_at, $${afterSecret}::bigint)
          FROM written WHERE token = written.seq AND digest IN (SELECT digest FROM staying)),
        secret AS (${addSecret}),
        ${recorded(s, 'written', afterSecret + 2)}`,
    };
    this.#revoke = {
      text: `WITH written AS (
          UPDATE ${s}.tokens SET revoked_at = $2::bigint, updated_at = $2::bigint, version = version + 1
            WHERE id = $1::text AND revoked_at IS NULL RETURNING 1),
        ${recorded(s, 'written', 3)}`,
    };
    // ON DELETE CASCADE deletes the secrets and counts.
    this.#delete = {
      text: `WITH written AS (DELETE FROM ${s}.tokens WHERE id = $1::text RETURNING seq), ${recorded(s, 'written', 2)}`,
    };
  }

  async findByDigest(db: Database, digests: readonly string[]) {
    if (digests.length === 0) return null;
    const [only, ...others] = digests;
    const rows =
      others.length === 0 ? await db.run(this.#byDigest, [only as string]) : await db.run(this.#byDigests, [digests]);
    return firstFound(rows, digests);
  }

  async findByKeyId(db: Database, keyIds: readonly string[]) {
    if (keyIds.length === 0) return null;
    const [only, ...others] = keyIds;
    const rows =
      others.length === 0 ? await db.run(this.#byKeyId, [only as string]) : await db.run(this.#byKeyIds, [keyIds]);
    return firstFoundByKey(rows, keyIds);
  }

  async find(db: Database, id: string): Promise<StoredToken | null> {
    const [row] = await db.run(this.#byId, [id]);
    return row === undefined ? null : toToken(row);
  }

  insert(token: StoredToken, secret: NewSecret): Write {
    return {
      statement: this.#insert,
      values: [token.id, token.lastUsedAt, ...tokenValues(token), ...secretValues(secret)],
    };
  }

  replace(token: StoredToken, expectedVersion: number, rotation: SecretRotation | null): Write {
    const values = [token.id, expectedVersion, ...tokenValues(token)];
    if (rotation === null) return { statement: this.#replace, values };
    const { secret, othersEndAt, at } = rotation;
    return { statement: this.#rotate, values: [...values, ...secretValues(secret), othersEndAt, at] };
  }

  revoke(id: string, at: number): Write {
    return { statement: this.#revoke, values: [id, at] };
  }

  delete(id: string): Write {
    return { statement: this.#delete, values: [id] };
  }
}
