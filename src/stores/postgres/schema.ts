/** The table of versions. No other tool's table has this name. */
export const VERSIONS = 'postern_migrations';

/** The schema as an identifier. It is quoted, because a valid name may still be a keyword. */
export function quoted(schema: string): string {
  return `"${schema}"`;
}

export function versionsTable(schema: string): string {
  return `${quoted(schema)}.${VERSIONS}`;
}

/** The statements before the first migration. */
export function foundation(schema: string, isThere: boolean): readonly string[] {
  return [
    // Not IF NOT EXISTS: that needs the right to make schemas even if the schema exists.
    ...(isThere ? [] : [`CREATE SCHEMA ${quoted(schema)}`]),
    `CREATE TABLE ${versionsTable(schema)} (version integer PRIMARY KEY, migrated_at timestamptz NOT NULL)`,
  ];
}

/** The statements that upgrade a schema by one version. */
export type Version = (schema: string) => readonly string[];

/** A condition that every token meets. It selects the index over all organizations. */
export const EVERY_TOKEN = 'seq > 0';

/**
 * COLLATE "C" is the order of pages, by code unit (ids are ASCII), and needs no locale to compare. The indexes on `tokens` and
 * `changes` have the order of a page: newest first. No index holds `last_used_at`, so that writing it changes only the row's own
 * page (HOT); `fillfactor` leaves room for that. `listeners` is logged like the rest: if a crash emptied it, confirmations would
 * wait for nobody.
 */
const tables: Version = (s) => [
  `CREATE TABLE ${s}.tokens (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  organization text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  ownership text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  types text NOT NULL,
  type_names text NOT NULL,
  metadata text NOT NULL,
  hint text NOT NULL,
  limits text,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  expires_at bigint,
  revoked_at bigint,
  last_used_at bigint,
  version bigint NOT NULL
) WITH (fillfactor = 90)`,
  `CREATE INDEX tokens_by_organization ON ${s}.tokens (organization, created_at DESC, id DESC)`,
  `CREATE INDEX tokens_by_owner ON ${s}.tokens (organization, owner, created_at DESC, id DESC)`,
  `CREATE INDEX tokens_by_ownership ON ${s}.tokens (organization, ownership, created_at DESC, id DESC)`,
  // Only a query with this condition, which is always true, uses this index. Otherwise PostgreSQL might read a page of one
  // organization from it, past the newer tokens of all others.
  `CREATE INDEX tokens_of_all ON ${s}.tokens (created_at DESC, id DESC) WHERE ${EVERY_TOKEN}`,
  `CREATE INDEX tokens_by_expiry ON ${s}.tokens (expires_at) WHERE expires_at IS NOT NULL`,
  `CREATE TABLE ${s}.secrets (
  digest text COLLATE "C" PRIMARY KEY,
  token bigint NOT NULL REFERENCES ${s}.tokens (seq) ON DELETE CASCADE,
  pepper text,
  created_at bigint NOT NULL,
  ends_at bigint,
  key_id text COLLATE "C",
  public_key text
)`,
  `CREATE UNIQUE INDEX secrets_by_key ON ${s}.secrets (key_id) WHERE key_id IS NOT NULL`,
  `CREATE INDEX secrets_by_token ON ${s}.secrets (token)`,
  `CREATE TABLE ${s}.uses (
  token bigint NOT NULL REFERENCES ${s}.tokens (seq) ON DELETE CASCADE,
  endpoint text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  last_used_at bigint NOT NULL,
  PRIMARY KEY (token, endpoint)
) WITH (fillfactor = 90)`,
  `CREATE TABLE ${s}.token_days (
  token bigint NOT NULL REFERENCES ${s}.tokens (seq) ON DELETE CASCADE,
  day integer NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (token, day, endpoint, scope)
) WITH (fillfactor = 90)`,
  `CREATE INDEX token_days_by_day ON ${s}.token_days (day)`,
  `CREATE TABLE ${s}.organization_days (
  organization text COLLATE "C" NOT NULL,
  day integer NOT NULL,
  endpoint text COLLATE "C" NOT NULL,
  scope text COLLATE "C" NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (organization, day, endpoint, scope)
) WITH (fillfactor = 50)`,
  `CREATE INDEX organization_days_by_day ON ${s}.organization_days (day)`,
  `CREATE TABLE ${s}.endpoints (
  organization text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  uid text NOT NULL,
  access text NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (organization, id)
)`,
  `CREATE TABLE ${s}.changes (
  id text COLLATE "C" CONSTRAINT changes_pkey PRIMARY KEY,
  type text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  actor_kind text NOT NULL,
  actor_token text,
  actor_owner text,
  origin text,
  organization text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  before text,
  after text
)`,
  `CREATE INDEX changes_by_organization ON ${s}.changes (organization, at DESC, id DESC)`,
  `CREATE INDEX changes_by_subject ON ${s}.changes (subject, at DESC, id DESC)`,
  `CREATE INDEX changes_by_age ON ${s}.changes (at DESC, id DESC)`,
  `CREATE TABLE ${s}.entries (
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  value text NOT NULL,
  expires_at bigint,
  version bigint NOT NULL,
  PRIMARY KEY (kind, id)
)`,
  `CREATE INDEX entries_by_end ON ${s}.entries (expires_at) WHERE expires_at IS NOT NULL`,
  `CREATE FUNCTION ${s}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' AND current_setting('postern.trimming', true) = 'on' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'the audit log is append-only';
END $$`,
  `CREATE TRIGGER changes_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ${s}.changes
FOR EACH STATEMENT EXECUTE FUNCTION ${s}.refuse_change()`,
  `CREATE FUNCTION ${s}.trim_changes(before_time bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS
$$ DECLARE trimmed bigint; BEGIN
  PERFORM set_config('postern.trimming', 'on', true);
  DELETE FROM ${s}.changes WHERE id = ANY (ARRAY(
    SELECT id FROM ${s}.changes WHERE at < before_time ORDER BY at, id LIMIT most));
  GET DIAGNOSTICS trimmed = ROW_COUNT;
  PERFORM set_config('postern.trimming', 'off', true);
  RETURN trimmed;
END $$`,
  `CREATE TABLE ${s}.listeners (instance text PRIMARY KEY, live_until timestamptz NOT NULL)`,
];

/** A released migration is never changed; a change is a new migration. */
export const MIGRATIONS: readonly Version[] = [tables];

/** The version that this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
