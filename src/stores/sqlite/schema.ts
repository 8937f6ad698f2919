/**
 * `seq` is SQLite's own row number. `secrets` points to it, so that a look-up by digest is two descents of a tree without a
 * search in an index. The indexes on `tokens` and `changes` have the order of a page: newest first. `changes.seq` counts up in
 * the order of commits; the feed relies on that. `told` is the message for other processes.
 *
 * `trimming` has a row only inside the transaction that trims the audit log. Changes before its time may be deleted.
 *
 * `entries` has row numbers, unlike the other tables with a key of their own: its values are too large for a tree's inner pages.
 */
const TABLES = [
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
  'CREATE INDEX tokens_by_ownership ON tokens (organization, ownership, created_at DESC, id DESC)',
  'CREATE INDEX tokens_by_age ON tokens (created_at DESC, id DESC)',
  'CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL',
  `CREATE TABLE secrets (
  digest TEXT NOT NULL PRIMARY KEY,
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  pepper TEXT,
  created_at INTEGER NOT NULL,
  ends_at INTEGER,
  key_id TEXT,
  public_key TEXT
) STRICT, WITHOUT ROWID`,
  'CREATE INDEX secrets_by_token ON secrets (token)',
  'CREATE UNIQUE INDEX secrets_by_key ON secrets (key_id) WHERE key_id IS NOT NULL',
  `CREATE TABLE uses (
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (token, endpoint)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE token_days (
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  day INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  scope TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (token, day, endpoint, scope)
) STRICT, WITHOUT ROWID`,
  'CREATE INDEX token_days_by_day ON token_days (day)',
  `CREATE TABLE organization_days (
  organization TEXT NOT NULL,
  day INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  scope TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (organization, day, endpoint, scope)
) STRICT, WITHOUT ROWID`,
  'CREATE INDEX organization_days_by_day ON organization_days (day)',
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
  after TEXT,
  told TEXT
) STRICT`,
  'CREATE INDEX changes_by_organization ON changes (organization, at DESC, id DESC)',
  'CREATE INDEX changes_by_subject ON changes (subject, at DESC, id DESC)',
  'CREATE INDEX changes_by_age ON changes (at DESC, id DESC)',
  `CREATE TRIGGER changes_are_kept BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
  'CREATE TABLE trimming (before INTEGER NOT NULL) STRICT',
  `CREATE TRIGGER changes_are_never_deleted BEFORE DELETE ON changes
WHEN NOT EXISTS (SELECT 1 FROM trimming WHERE OLD.at < before)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
  `CREATE TABLE entries (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at INTEGER,
  version INTEGER NOT NULL,
  PRIMARY KEY (kind, id)
) STRICT`,
  'CREATE INDEX entries_by_end ON entries (expires_at) WHERE expires_at IS NOT NULL',
] as const;

/** Each upgrades a database by one version. A released migration is never changed; a change is a new migration. */
export const MIGRATIONS: readonly (readonly string[])[] = [TABLES];

/** The version that this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
