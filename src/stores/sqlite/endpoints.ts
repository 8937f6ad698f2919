import type { StoredEndpoint } from '../../ports/records.js';
import type { EndpointQuery } from '../../ports/store.js';
import { ENDPOINT_COLUMNS, toEndpoint } from '../sql/rows.js';
import type { Connection } from './connection.js';

export function findEndpoint(db: Connection, organization: string, id: string): StoredEndpoint | null {
  const row = db.get(`SELECT ${ENDPOINT_COLUMNS} FROM endpoints WHERE organization = ? AND id = ?`, organization, id);
  return row === undefined ? null : toEndpoint(row);
}

export function findEndpoints(db: Connection, organization: string, ids: readonly string[]): readonly StoredEndpoint[] {
  // All ids are one parameter, so the statement is the same for any number of them.
  const sql = `SELECT ${ENDPOINT_COLUMNS} FROM endpoints WHERE organization = ? AND id IN (SELECT value FROM json_each(?))`;
  return db.all(sql, organization, JSON.stringify(ids)).map(toEndpoint);
}

export function listEndpoints(db: Connection, query: EndpointQuery): readonly StoredEndpoint[] {
  // Every id is greater than the empty text. Ids are ASCII, so SQLite's order by bytes is the order by code unit.
  return db
    .all(
      `SELECT ${ENDPOINT_COLUMNS} FROM endpoints WHERE organization = ? AND id > ? ORDER BY id LIMIT ?`,
      query.organization,
      query.after ?? '',
      query.limit,
    )
    .map(toEndpoint);
}

/** In a transaction, like all below. */
export function insertEndpoint(db: Connection, endpoint: StoredEndpoint): boolean {
  const written = db.run(
    `INSERT INTO endpoints (organization, id, uid, access, created_at, updated_at, version)
     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    endpoint.organization,
    endpoint.id,
    endpoint.uid,
    endpoint.access,
    endpoint.createdAt,
    endpoint.updatedAt,
    endpoint.version,
  );
  return written === 1;
}

export function replaceEndpoint(db: Connection, endpoint: StoredEndpoint, expectedVersion: number): boolean {
  // The uid too: the name may belong to another endpoint by now, at the same version.
  const written = db.run(
    `UPDATE endpoints SET access = ?, created_at = ?, updated_at = ?, version = ?
     WHERE organization = ? AND id = ? AND uid = ? AND version = ?`,
    endpoint.access,
    endpoint.createdAt,
    endpoint.updatedAt,
    endpoint.version,
    endpoint.organization,
    endpoint.id,
    endpoint.uid,
    expectedVersion,
  );
  return written === 1;
}

export function deleteEndpoint(db: Connection, organization: string, id: string): boolean {
  return db.run('DELETE FROM endpoints WHERE organization = ? AND id = ?', organization, id) === 1;
}
