/**
 * `seq` is SQLite's own row number: `secrets` points to it, so that a lookup by digest is two descents of a tree and no
 * search in an index. The order of the indexes on `tokens` and `changes` is that of a page: newest first. `changes.seq`
 * counts up in the order of commits, which is what the feed goes by.
 */
const VERSION_1 = [
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
] as const;

const COUNT_IN = `
  INSERT INTO token_counts (organization, ownership, count) VALUES (NEW.organization, NEW.ownership, 1)
    ON CONFLICT (organization, ownership) DO UPDATE SET count = count + 1;
  INSERT INTO token_totals (ownership, count) VALUES (NEW.ownership, 1)
    ON CONFLICT (ownership) DO UPDATE SET count = count + 1;`;

const COUNT_OUT = `
  UPDATE token_counts SET count = count - 1 WHERE organization = OLD.organization AND ownership = OLD.ownership;
  DELETE FROM token_counts WHERE organization = OLD.organization AND ownership = OLD.ownership AND count = 0;
  UPDATE token_totals SET count = count - 1 WHERE ownership = OLD.ownership;`;

/**
 * Counters, because counting the rows of a large organization takes as long as reading them. Triggers keep them, so that no
 * statement can forget to, one of an older version that has the file open included. Of a token that is counted nowhere any
 * more no row is left: the name of an organization goes with its last token.
 *
 * An entry has a row number, unlike other tables with a key of their own: its value is too large for the inner pages of a tree.
 */
const VERSION_2 = [
  'ALTER TABLE secrets ADD COLUMN key_id TEXT',
  'ALTER TABLE secrets ADD COLUMN public_key TEXT',
  'CREATE UNIQUE INDEX secrets_by_key ON secrets (key_id) WHERE key_id IS NOT NULL',
  'CREATE INDEX tokens_by_ownership ON tokens (organization, ownership, created_at DESC, id DESC)',
  `CREATE TABLE token_counts (
  organization TEXT NOT NULL,
  ownership TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (organization, ownership)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE token_totals (
  ownership TEXT NOT NULL PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID`,
  `INSERT INTO token_counts (organization, ownership, count)
SELECT organization, ownership, count(*) FROM tokens GROUP BY organization, ownership`,
  'INSERT INTO token_totals (ownership, count) SELECT ownership, sum(count) FROM token_counts GROUP BY ownership',
  `CREATE TRIGGER tokens_are_counted AFTER INSERT ON tokens
BEGIN ${COUNT_IN} END`,
  `CREATE TRIGGER tokens_are_uncounted AFTER DELETE ON tokens
BEGIN ${COUNT_OUT} END`,
  `CREATE TRIGGER tokens_are_counted_again AFTER UPDATE OF organization, ownership ON tokens
WHEN OLD.organization <> NEW.organization OR OLD.ownership <> NEW.ownership
BEGIN ${COUNT_OUT} ${COUNT_IN} END`,
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

/** Each takes a database one version up. One that was ever released stays as it is; a change is a new one. */
export const MIGRATIONS: readonly (readonly string[])[] = [VERSION_1, VERSION_2];
