import type { StoredEndpoint } from '../../ports/records.js';
import type { EndpointQuery } from '../../ports/store.js';
import { ENDPOINT_COLUMNS, toEndpoint } from '../sql/rows.js';
import { recorded } from './audit.js';
import { type Database, prepared, type Statement } from './database.js';
import type { Write } from './tokens.js';

export class EndpointStatements {
  readonly #byId: Statement;
  readonly #byIds: Statement;
  readonly #list: Statement;
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #delete: Statement;

  constructor(s: string) {
    const found = `SELECT ${ENDPOINT_COLUMNS} FROM ${s}.endpoints WHERE organization = $1`;
    this.#byId = prepared(`${found} AND id = $2`);
    this.#byIds = prepared(`${found} AND id = ANY ($2::text[])`);
    // Every id is greater than the empty text.
    this.#list = prepared(`${found} AND id > $2 ORDER BY id LIMIT $3`);
    this.#insert = {
      text: `WITH written AS (
          INSERT INTO ${s}.endpoints (organization, id, uid, access, created_at, updated_at, version)
            VALUES ($1::text, $2::text, $3::text, $4::text, $5::bigint, $6::bigint, $7::bigint)
            ON CONFLICT DO NOTHING RETURNING 1),
        ${recorded(s, 'written', 8)}`,
    };
    // The uid too: the name may belong to another endpoint by now, at the same version.
    this.#replace = {
      text: `WITH written AS (
          UPDATE ${s}.endpoints SET access = $4::text, created_at = $5::bigint, updated_at = $6::bigint, version = $7::bigint
            WHERE organization = $1::text AND id = $2::text AND uid = $3::text AND version = $8::bigint RETURNING 1),
        ${recorded(s, 'written', 9)}`,
    };
    this.#delete = {
      text: `WITH written AS (DELETE FROM ${s}.endpoints WHERE organization = $1::text AND id = $2::text RETURNING 1),
        ${recorded(s, 'written', 3)}`,
    };
  }

  async find(db: Database, organization: string, id: string): Promise<StoredEndpoint | null> {
    const [row] = await db.run(this.#byId, [organization, id]);
    return row === undefined ? null : toEndpoint(row);
  }

  async findSome(db: Database, organization: string, ids: readonly string[]): Promise<readonly StoredEndpoint[]> {
    return (await db.run(this.#byIds, [organization, ids])).map(toEndpoint);
  }

  async list(db: Database, { organization, after = '', limit }: EndpointQuery): Promise<readonly StoredEndpoint[]> {
    return (await db.run(this.#list, [organization, after, limit])).map(toEndpoint);
  }

  insert(endpoint: StoredEndpoint): Write {
    return { statement: this.#insert, values: valuesOf(endpoint) };
  }

  replace(endpoint: StoredEndpoint, expectedVersion: number): Write {
    return { statement: this.#replace, values: [...valuesOf(endpoint), expectedVersion] };
  }

  delete(organization: string, id: string): Write {
    return { statement: this.#delete, values: [organization, id] };
  }
}

function valuesOf(endpoint: StoredEndpoint): readonly (string | number)[] {
  const { organization, id, uid, access, createdAt, updatedAt, version } = endpoint;
  return [organization, id, uid, access, createdAt, updatedAt, version];
}
