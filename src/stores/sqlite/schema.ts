import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../sql/migration.js';
import type { Connection } from './connection.js';

/** What marks a SQLite file as postern's, in its header: the bytes of "pstn". */
export const APPLICATION_ID = 0x7073746e;

/**
 * Each entry takes a database one version up. An entry that was ever released stays as it is; a change is a new entry.
 *
 * `seq` is SQLite's own row number: `secrets` points to it, so that a lookup by digest is two descents of a tree and no
 * search in an index. The order of the indexes on `tokens` and `changes` is that of a page: newest first. `changes.seq`
 * counts up in the order of commits, which is what the feed goes by.
 */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE tokens (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  organization TEXT NOT NULL,
  owner TEXT,
  ownership TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  types TEXT NOT NULL,
  type_names TEXT NOT NULL,
  metadata TEXT NOT NULL,
  hint TEXT NOT NULL,
  limits TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER,
  version INTEGER NOT NULL
) STRICT`,
    'CREATE INDEX tokens_by_organization ON tokens (organization, created_at DESC, id DESC)',
    'CREATE INDEX tokens_by_owner ON tokens (organization, owner, created_at DESC, id DESC)',
    'CREATE INDEX tokens_by_age ON tokens (created_at DESC, id DESC)',
    'CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL',
    `CREATE TABLE secrets (
  digest TEXT NOT NULL PRIMARY KEY,
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  pepper TEXT,
  created_at INTEGER NOT NULL,
  ends_at INTEGER
) STRICT, WITHOUT ROWID`,
    'CREATE INDEX secrets_by_token ON secrets (token)',
    `CREATE TABLE uses (
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (token, endpoint)
) STRICT, WITHOUT ROWID`,
    `CREATE TABLE endpoints (
  organization TEXT NOT NULL,
  id TEXT NOT NULL,
  uid TEXT NOT NULL,
  access TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (organization, id)
) STRICT, WITHOUT ROWID`,
    `CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_token TEXT,
  actor_owner TEXT,
  origin TEXT,
  organization TEXT NOT NULL,
  subject TEXT NOT NULL,
  before TEXT,
  after TEXT
) STRICT`,
    'CREATE INDEX changes_by_organization ON changes (organization, at DESC, id DESC)',
    'CREATE INDEX changes_by_subject ON changes (subject, at DESC, id DESC)',
    'CREATE INDEX changes_by_age ON changes (at DESC, id DESC)',
    `CREATE TRIGGER changes_are_kept BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
    `CREATE TRIGGER changes_are_never_deleted BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
  ],
];

/** The version that this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** What the header of a SQLite file says of its content. */
export interface Header {
  readonly applicationId: number;
  readonly version: number;
}

export function readHeader(get: (sql: string) => unknown): Header {
  return {
    applicationId: (get('PRAGMA application_id') as { application_id: number }).application_id,
    version: (get('PRAGMA user_version') as { user_version: number }).user_version,
  };
}

/**
 * Refuses what this library must not touch.
 *
 * @throws PosternError `store_invalid`: another application's database; `store_newer`
 */
export function assertOurs({ applicationId, version }: Header, filename: string): void {
  if (applicationId !== APPLICATION_ID) {
    throw new PosternError(
      'store_invalid',
      `${filename} is a SQLite database, but not one of postern's: it is left as it is. Give postern a file of its own`,
      { path: 'filename' },
    );
  }
  if (version > SCHEMA_VERSION) {
    throw new PosternError(
      'store_newer',
      `${filename} was written by a newer postern (schema ${version}, this one knows ${SCHEMA_VERSION}): upgrade postern, or open another file`,
      { path: 'filename' },
    );
  }
}

/** What takes a database from a version to this library's. A PRAGMA takes no parameters; both are constants of this module. */
export function planFrom(version: number): Migration {
  const statements = MIGRATIONS.slice(version).flat();
  const marks = [`PRAGMA application_id = ${APPLICATION_ID}`, `PRAGMA user_version = ${SCHEMA_VERSION}`];
  return {
    from: version,
    to: SCHEMA_VERSION,
    statements: statements.length === 0 ? [] : [...statements, ...marks],
  };
}

/**
 * What an upgrade of an open database would do.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function plan(db: Connection, filename: string): Migration {
  const header = readHeader((sql) => db.get(sql));
  const isNew = header.applicationId === 0 && db.get('SELECT 1 FROM sqlite_master') === undefined;
  if (!isNew) assertOurs(header, filename);
  return planFrom(isNew ? 0 : header.version);
}

/**
 * Makes the tables, or takes them up to this library's version, in one transaction. Of several processes that open a
 * database at once one does it, and the others find it done.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function upgrade(db: Connection, filename: string): Migration {
  let found = plan(db, filename);
  if (found.statements.length === 0) return found;
  db.transaction(() => {
    found = plan(db, filename);
    for (const statement of found.statements) db.exec(statement);
    return true;
  });
  return found;
}
