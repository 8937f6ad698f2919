import type { StoredEndpoint } from '../../ports/records.js';
import type { EndpointQuery } from '../../ports/store.js';
import type { Dialect, Values } from './dialect.js';
import type { SqlStatement } from './driver.js';
import { ENDPOINT_COLUMNS } from './rows.js';
import type { Prepared } from './tokens.js';
import type { Write } from './write.js';

export class EndpointStatements {
  readonly #dialect: Dialect;
  readonly #found: string;
  readonly #insert: Write;
  readonly #replace: Write;
  readonly #delete: Write;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    const endpoints = dialect.table('endpoints');
    const isInOrganization = dialect.is('organization', ':organization');
    this.#found = `SELECT ${ENDPOINT_COLUMNS} FROM ${endpoints} WHERE ${isInOrganization}`;
    const named = `${isInOrganization} AND id = :id`;
    const written = {
      source: `(SELECT 1 FROM ${endpoints} WHERE ${named} AND last_change = :change) written`,
      columns: '1',
    };
    this.#insert = {
      first: `INSERT INTO ${endpoints} (organization, id, uid, access, created_at, updated_at, version, last_change)
        VALUES (:organization, :id, :uid, :access, #createdAt, #updatedAt, #version, :change) ${dialect.unlessTaken}`,
      ...written,
    };
    // The uid too: the name may belong to another endpoint by now, at the same version.
    this.#replace = {
      first: `UPDATE ${endpoints}
        SET access = :access, created_at = #createdAt, updated_at = #updatedAt, version = #version, last_change = :change
        WHERE ${named} AND uid = :uid AND version = #expectedVersion`,
      ...written,
    };
    this.#delete = dialect.isOneStatement
      ? { first: `DELETE FROM ${endpoints} WHERE ${named}`, ...written }
      : {
          first: `UPDATE ${endpoints} SET last_change = :change WHERE ${named}`,
          ...written,
          last: `DELETE FROM ${endpoints} WHERE ${named} AND last_change = :change`,
        };
  }

  byId(organization: string, id: string): SqlStatement {
    return this.#dialect.statement(
      `${this.#found} AND id = :id`,
      { organization, id },
      { isFrequent: true, findsOne: true },
    );
  }

  /** All ids are one parameter, so the statement is the same for any number of them. */
  byIds(organization: string, ids: readonly string[]): SqlStatement {
    const asked = this.#dialect.records(':ids', { id: 'text' });
    const sql = `${this.#found} AND id IN (SELECT id FROM ${asked} asked)`;
    const values = { organization, ids: JSON.stringify(ids.map((id) => ({ id }))) };
    return this.#dialect.statement(sql, values, { isFrequent: true });
  }

  /** Every id is greater than the empty text. Ids are ASCII, so an order by bytes is the order by code unit. */
  list({ organization, after = '', limit }: EndpointQuery): SqlStatement {
    const sql = `${this.#found} AND id > :after ORDER BY id LIMIT #limit`;
    return this.#dialect.statement(sql, { organization, after, limit }, { isFrequent: true });
  }

  insert(endpoint: StoredEndpoint): Prepared {
    return [this.#insert, valuesOf(endpoint)];
  }

  replace(endpoint: StoredEndpoint, expectedVersion: number): Prepared {
    return [this.#replace, { ...valuesOf(endpoint), expectedVersion }];
  }

  delete(organization: string, id: string): Prepared {
    return [this.#delete, { organization, id }];
  }
}

function valuesOf({ organization, id, uid, access, createdAt, updatedAt, version }: StoredEndpoint): Values {
  return { organization, id, uid, access, createdAt, updatedAt, version };
}
