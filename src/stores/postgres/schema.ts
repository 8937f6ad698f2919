/** Where the version of the tables is kept: a name that no other tool's table has. */
export const VERSIONS = 'postern_migrations';

/** The schema as an identifier: quoted, because a valid name may still be a keyword. */
export function quoted(schema: string): string {
  return `"${schema}"`;
}

export function versionsTable(schema: string): string {
  return `${quoted(schema)}.${VERSIONS}`;
}

/** What has to be there before the first migration. */
export function foundation(schema: string, isThere: boolean): readonly string[] {
  return [
    // Not IF NOT EXISTS: that asks for the right to make schemas even where there is nothing to make.
    ...(isThere ? [] : [`CREATE SCHEMA ${quoted(schema)}`]),
    `CREATE TABLE ${versionsTable(schema)} (version integer PRIMARY KEY, migrated_at timestamptz NOT NULL)`,
  ];
}

/** The statements that take a schema one version up. */
export type Version = (schema: string) => readonly string[];

/** What holds of each token: the condition that the index over all organizations is found by. */
export const EVERY_TOKEN = 'seq > 0';

/**
 * COLLATE "C" is the order by code unit that pages are read in (ids are ASCII), and needs no locale to compare. The order of
 * the indexes on `tokens` and `changes` is that of a page: newest first. No index holds `last_used_at`, so that writing it
 * touches the row's own page only (HOT), for which `fillfactor` leaves room. `listeners` is logged like the rest: forgotten
 * in a crash, it would say that nobody is there to be waited for.
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
  // Only who asks for it by this condition, which always holds, gets this index. Else a page of a large organization might be
  // read from it, past all the newer tokens of others.
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

/** One that was ever released stays as it is; a change is a new one. */
export const MIGRATIONS: readonly Version[] = [tables];

/** The version that this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
