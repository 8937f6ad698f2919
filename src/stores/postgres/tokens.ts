import type { SecretRotation, StoredSecret, StoredToken, TokenQuery } from '../../services/ports.js';
import { firstFound, SECRET_COLUMNS, TOKEN_COLUMNS, toToken } from '../sql/rows.js';
import { encodeTypeNames } from '../sql/type-names.js';
import { recorded } from './audit.js';
import { Conditions } from './conditions.js';
import { type Database, prepared, type SqlValue, type Statement } from './database.js';

/** What a token is written to, but `id` and `last_used_at`, with the type of each. */
const FIELDS = [
  ['organization', 'text'],
  ['owner', 'text'],
  ['ownership', 'text'],
  ['name', 'text'],
  ['description', 'text'],
  ['types', 'text'],
  ['type_names', 'text'],
  ['metadata', 'text'],
  ['hint', 'text'],
  ['limits', 'text'],
  ['created_at', 'bigint'],
  ['updated_at', 'bigint'],
  ['expires_at', 'bigint'],
  ['revoked_at', 'bigint'],
  ['version', 'bigint'],
] as const;

function fieldValues(token: StoredToken): readonly SqlValue[] {
  return [
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
  ];
}

const secretValues = (secret: StoredSecret): readonly SqlValue[] => [
  secret.digest,
  secret.pepper,
  secret.createdAt,
  secret.endsAt,
];

/** A change as statements do it: their text, and the values before those of the audit log. */
export interface Write {
  readonly statement: Statement;
  readonly values: readonly SqlValue[];
}

/** The statements over tokens and their secrets. Each change is one statement, so that a connection can't break within it. */
export class TokenStatements {
  readonly #schema: string;
  readonly #byDigest: Statement;
  readonly #byDigests: Statement;
  readonly #byId: Statement;
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #rotate: Statement;
  readonly #delete: Statement;

  constructor(s: string) {
    this.#schema = s;
    const found = `SELECT ${TOKEN_COLUMNS}, ${SECRET_COLUMNS} FROM ${s}.secrets s JOIN ${s}.tokens t ON t.seq = s.token`;
    this.#byDigest = prepared(`${found} WHERE s.digest = $1`);
    this.#byDigests = prepared(`${found} WHERE s.digest = ANY ($1::text[])`);
    this.#byId = prepared(`SELECT ${TOKEN_COLUMNS} FROM ${s}.tokens t WHERE t.id = $1`);

    const columns = FIELDS.map(([name]) => name).join(', ');
    const parameters = (first: number) => FIELDS.map(([, type], index) => `$${first + index}::${type}`).join(', ');
    const sets = FIELDS.map(([name, type], index) => `${name} = $${3 + index}::${type}`).join(', ');
    const end = 3 + FIELDS.length;
    const addSecret = (first: number) =>
      `INSERT INTO ${s}.secrets (digest, token, pepper, created_at, ends_at)
         SELECT $${first}::text, seq, $${first + 1}::text, $${first + 2}::bigint, $${first + 3}::bigint FROM written`;
    this.#insert = {
      text: `WITH written AS (
          INSERT INTO ${s}.tokens (id, last_used_at, ${columns})
            VALUES ($1::text, $2::bigint, ${parameters(3)}) RETURNING seq),
        secret AS (${addSecret(end)}),
        ${recorded(s, 'written', end + 4)}`,
    };
    const update = `WITH written AS (
        UPDATE ${s}.tokens SET ${sets} WHERE id = $1::text AND version = $2::bigint RETURNING seq)`;
    this.#replace = { text: `${update}, ${recorded(s, 'written', end)}` };
    this.#rotate = {
      text: `${update},
        ended AS (UPDATE ${s}.secrets SET ends_at = least(ends_at, $${end + 4}::bigint)
          FROM written WHERE token = written.seq),
        secret AS (${addSecret(end)}),
        ${recorded(s, 'written', end + 5)}`,
    };
    // Secrets and counts go with their token: ON DELETE CASCADE.
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

  async find(db: Database, id: string): Promise<StoredToken | null> {
    const [row] = await db.run(this.#byId, [id]);
    return row === undefined ? null : toToken(row);
  }

  /** The statement of a page, and its parameters. */
  listSql(query: TokenQuery): { readonly text: string; readonly values: SqlValue[] } {
    const where = new Conditions();
    const { organization, owner, type, search, after } = query;
    if (organization !== null) where.add((p) => `t.organization = ${p('text', organization)}`);
    if (owner !== undefined) where.add((p) => `t.owner = ${p('text', owner)}`);
    if (type !== undefined) where.add((p) => `position(${p('text', encodeTypeNames([type]))} IN t.type_names) > 0`);
    if (search !== undefined) {
      where.add((p) => {
        // lower() under "C" knows ASCII only, which is what is wanted; position() has no wildcards.
        const wanted = `lower(${p('text', search)} COLLATE "C")`;
        const holds = (column: string) => `position(${wanted} IN lower(${column} COLLATE "C")) > 0`;
        return `(${holds('t.name')} OR ${holds('t.description')})`;
      });
    }
    if (after !== undefined) {
      where.add((p) => `(t.created_at, t.id) < (${p('bigint', after.createdAt)}, ${p('text', after.id)})`);
    }
    const limit = where.parameter('bigint', query.limit);
    return {
      text: `SELECT ${TOKEN_COLUMNS} FROM ${this.#schema}.tokens t ${where}ORDER BY t.created_at DESC, t.id DESC LIMIT ${limit}`,
      values: where.values,
    };
  }

  async list(db: Database, query: TokenQuery): Promise<readonly StoredToken[]> {
    const { text, values } = this.listSql(query);
    return (await db.run({ text }, values)).map(toToken);
  }

  async listExpired(db: Database, organization: string | null, before: number, limit: number) {
    const only = organization === null ? '' : 'AND organization = $3::text';
    const text = `SELECT id FROM ${this.#schema}.tokens WHERE expires_at <= $1::bigint ${only}
      ORDER BY expires_at LIMIT $2::bigint`;
    const rows = await db.run({ text }, [before, limit, ...(organization === null ? [] : [organization])]);
    return rows.map(({ id }) => id as string);
  }

  insert(token: StoredToken, secret: StoredSecret): Write {
    return {
      statement: this.#insert,
      values: [token.id, token.lastUsedAt, ...fieldValues(token), ...secretValues(secret)],
    };
  }

  replace(token: StoredToken, expectedVersion: number, rotation: SecretRotation | null): Write {
    const values = [token.id, expectedVersion, ...fieldValues(token)];
    if (rotation === null) return { statement: this.#replace, values };
    return { statement: this.#rotate, values: [...values, ...secretValues(rotation.secret), rotation.othersEndAt] };
  }

  delete(id: string): Write {
    return { statement: this.#delete, values: [id] };
  }
}
