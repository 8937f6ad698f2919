import { MOST_SECRETS, type SecretRotation, type StoredToken } from '../../ports/records.js';
import type { Dialect, Values } from './dialect.js';
import type { SqlStatement } from './driver.js';
import {
  FOUND_COLUMNS,
  KEY_COLUMNS,
  namesOf,
  parametersOf,
  SECRET_FIELDS,
  secretValues,
  TOKEN_COLUMNS,
  TOKEN_FIELDS,
  tokenValues,
} from './rows.js';
import type { Write } from './write.js';

/** A write and its values, without those of the change. */
export type Prepared = readonly [write: Write, values: Values];

/** The statements for tokens and their secrets. */
export class TokenStatements {
  readonly #dialect: Dialect;
  readonly #byId: string;
  readonly #found: string;
  /** Kept, because making a text of this length, and finding what is known of it, takes as long as a small read. */
  readonly #bySecrets = new Map<string, string>();
  readonly #replace: Write;
  readonly #rotate: Write;
  readonly #revoke: Write;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    const [tokens, secrets] = [dialect.table('tokens'), dialect.table('secrets')];
    this.#byId = `SELECT ${TOKEN_COLUMNS} FROM ${tokens} t WHERE t.id = :id`;
    this.#found = `FROM ${secrets} s JOIN ${tokens} t ON t.seq = s.token WHERE`;

    const columns = 'seq';
    const source = `(SELECT seq FROM ${tokens} WHERE id = :id AND last_change = :change) written`;
    const addSecret = (written: string) => `INSERT INTO ${secrets} (token, ${namesOf(SECRET_FIELDS)})
      SELECT seq, ${parametersOf(SECRET_FIELDS)} FROM ${written}`;
    const sets = Object.entries(TOKEN_FIELDS).map(([name, parameter]) => `${name} = ${parameter}`);
    this.#replace = {
      first: `UPDATE ${tokens} SET ${sets.join(', ')} WHERE id = :id AND version = #expectedVersion`,
      source,
      columns,
    };
    this.#rotate = {
      ...this.#replace,
      // The secrets that stay are chosen in each statement anew: in one statement of PostgreSQL, none sees what another has changed.
      parts: (written) => {
        const others = `token = (SELECT seq FROM ${written}) AND digest <> :digest`;
        const staying = `(SELECT digest FROM (SELECT digest FROM ${secrets}
          WHERE ${others} AND (ends_at IS NULL OR ends_at > #at)
          ORDER BY ends_at IS NULL DESC, created_at DESC, digest DESC LIMIT ${MOST_SECRETS - 1}) staying)`;
        return [
          `DELETE FROM ${secrets} WHERE ${others} AND digest NOT IN ${staying}`,
          `UPDATE ${secrets} SET ends_at = #othersEndAt
            WHERE ${others} AND (ends_at IS NULL OR ends_at > #othersEndAt) AND digest IN ${staying}`,
          addSecret(written),
        ];
      },
    };
    this.#revoke = {
      first: `UPDATE ${tokens} SET revoked_at = #at, updated_at = #at, version = version + 1, last_change = :change
        WHERE id = :id AND revoked_at IS NULL`,
      source,
      columns,
    };
  }

  byDigest(digests: readonly string[]): SqlStatement {
    return this.#bySecret('digest', digests);
  }

  byKeyId(keyIds: readonly string[]): SqlStatement {
    return this.#bySecret('key_id', keyIds);
  }

  byId(id: string): SqlStatement {
    return this.#dialect.statement(this.#byId, { id }, { isFrequent: true, findsOne: true });
  }

  replace(token: StoredToken, expectedVersion: number, rotation: SecretRotation | null): Prepared {
    const values = { ...tokenValues(token), expectedVersion };
    if (rotation === null) return [this.#replace, values];
    const { secret, othersEndAt, at } = rotation;
    return [this.#rotate, { ...values, ...secretValues(secret), othersEndAt, at }];
  }

  revoke(id: string, at: number): Prepared {
    return [this.#revoke, { id, at }];
  }

  /** There is one statement for each number of names: a list can't be a parameter. */
  #bySecret(column: 'digest' | 'key_id', names: readonly string[]): SqlStatement {
    const key = `${column} ${names.length}`;
    let sql = this.#bySecrets.get(key);
    if (sql === undefined) {
      const columns = column === 'digest' ? FOUND_COLUMNS : `${FOUND_COLUMNS}, ${KEY_COLUMNS}`;
      const isOne = names.length === 1 ? '= :n0' : `IN (${names.map((_, index) => `:n${index}`).join(', ')})`;
      sql = `SELECT ${columns} ${this.#found} s.${column} ${isOne}`;
      this.#bySecrets.set(key, sql);
    }
    const values = Object.fromEntries(names.map((name, index) => [`n${index}`, name]));
    return this.#dialect.statement(sql, values, { isFrequent: true, findsOne: names.length === 1 });
  }
}
