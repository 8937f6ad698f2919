-- What postern 0.1.0 wrote: pg_dump of a database of schema version 1. Never altered: test/stores/postgres-upgrade.test.ts.

CREATE SCHEMA postern;

CREATE FUNCTION postern.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;

CREATE TABLE postern.changes (
    id text NOT NULL COLLATE pg_catalog."C",
    type text NOT NULL COLLATE pg_catalog."C",
    at bigint NOT NULL,
    actor_kind text NOT NULL,
    actor_token text,
    actor_owner text,
    origin text,
    organization text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    before text,
    after text
);

CREATE TABLE postern.endpoints (
    organization text NOT NULL COLLATE pg_catalog."C",
    id text NOT NULL COLLATE pg_catalog."C",
    uid text NOT NULL,
    access text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE postern.listeners (
    instance text NOT NULL,
    live_until timestamp with time zone NOT NULL
);

CREATE TABLE postern.postern_migrations (
    version integer NOT NULL,
    migrated_at timestamp with time zone NOT NULL
);

CREATE TABLE postern.secrets (
    digest text NOT NULL COLLATE pg_catalog."C",
    token bigint NOT NULL,
    pepper text,
    created_at bigint NOT NULL,
    ends_at bigint
);

CREATE TABLE postern.tokens (
    seq bigint NOT NULL,
    id text NOT NULL COLLATE pg_catalog."C",
    organization text NOT NULL COLLATE pg_catalog."C",
    owner text COLLATE pg_catalog."C",
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
)
WITH (fillfactor='90');

ALTER TABLE postern.tokens ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME postern.tokens_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE postern.uses (
    token bigint NOT NULL,
    endpoint text NOT NULL COLLATE pg_catalog."C",
    count bigint NOT NULL,
    last_used_at bigint NOT NULL
)
WITH (fillfactor='90');

INSERT INTO postern.changes VALUES ('old1xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't1', NULL, NULL);
INSERT INTO postern.changes VALUES ('old2xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't2', NULL, NULL);
INSERT INTO postern.changes VALUES ('old3xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't3', NULL, NULL);
INSERT INTO postern.changes VALUES ('old4xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, 'umbrella', 't4', NULL, NULL);
INSERT INTO postern.changes VALUES ('old5xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't5', NULL, NULL);
INSERT INTO postern.changes VALUES ('old6xxxxxxxxxxxxxxxxxx', 'token.created', 1767225600000, 'application', NULL, NULL, NULL, '', 't6', NULL, NULL);
INSERT INTO postern.changes VALUES ('old7xxxxxxxxxxxxxxxxxx', 'token.deleted', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't5', NULL, NULL);
INSERT INTO postern.changes VALUES ('old8xxxxxxxxxxxxxxxxxx', 'token.rotated', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't1', NULL, NULL);
INSERT INTO postern.changes VALUES ('old9xxxxxxxxxxxxxxxxxx', 'token.revoked', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 't2', NULL, NULL);
INSERT INTO postern.changes VALUES ('old10xxxxxxxxxxxxxxxxx', 'endpoint.created', 1767225600000, 'application', NULL, NULL, NULL, 'acme', 'a', NULL, NULL);

INSERT INTO postern.endpoints VALUES ('acme', 'a', 'uid of acme/a', 'protected', 1767225600000, 1767225600000, 1);

INSERT INTO postern.postern_migrations VALUES (1, '2026-11-24 20:50:16.547779+00');

INSERT INTO postern.secrets VALUES ('0000000000000000000000000000000000000000000000000000000074000032', 2, NULL, 1767225600000, NULL);
INSERT INTO postern.secrets VALUES ('0000000000000000000000000000000000000000000000000000000074000033', 3, NULL, 1767225600000, NULL);
INSERT INTO postern.secrets VALUES ('0000000000000000000000000000000000000000000000000000000074000034', 4, NULL, 1767225600000, NULL);
INSERT INTO postern.secrets VALUES ('0000000000000000000000000000000000000000000000000000000074000036', 6, NULL, 1767225600000, NULL);
INSERT INTO postern.secrets VALUES ('000000000000007400003100002000007300006500006300006f00006e000064', 1, NULL, 1767225600000, NULL);
INSERT INTO postern.secrets VALUES ('0000000000000000000000000000000000000000000000000000000074000031', 1, NULL, 1767225600000, 1767225600100);

INSERT INTO postern.tokens OVERRIDING SYSTEM VALUE VALUES (3, 't3', 'acme', NULL, 'organization', 'token t3', '', '{"developer":{"scopes":["models:read"]}}', '
"developer"
', '{}', 'pst_abcd', NULL, 1767225600002, 1767225600000, 1767225600050, NULL, NULL, 1);
INSERT INTO postern.tokens OVERRIDING SYSTEM VALUE VALUES (4, 't4', 'umbrella', 'ada', 'personal', 'token t4', '', '{"developer":{"scopes":["models:read"]}}', '
"developer"
', '{}', 'pst_abcd', NULL, 1767225600003, 1767225600000, NULL, NULL, NULL, 1);
INSERT INTO postern.tokens OVERRIDING SYSTEM VALUE VALUES (6, 't6', '', 'ada', 'organization', 'token t6', '', '{"developer":{"scopes":["models:read"]}}', '
"developer"
', '{}', 'pst_abcd', NULL, 1767225600005, 1767225600000, NULL, NULL, NULL, 1);
INSERT INTO postern.tokens OVERRIDING SYSTEM VALUE VALUES (2, 't2', 'acme', 'bob', 'personal', 'token t2', '', '{"developer":{"scopes":["models:read"]}}', '
"developer"
', '{}', 'pst_abcd', NULL, 1767225600001, 1767225600001, NULL, 1767225600009, NULL, 2);
INSERT INTO postern.tokens OVERRIDING SYSTEM VALUE VALUES (1, 't1', 'acme', 'ada', 'personal', 'token t1', '', '{"developer":{"scopes":["models:read"]}}', '
"developer"
', '{}', 'pst_abcd', NULL, 1767225600000, 1767225600001, NULL, NULL, 1767225600007, 2);

INSERT INTO postern.uses VALUES (1, 'a', 2, 1767225600007);

SELECT pg_catalog.setval('postern.tokens_seq_seq', 6, true);

ALTER TABLE ONLY postern.changes
    ADD CONSTRAINT changes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY postern.endpoints
    ADD CONSTRAINT endpoints_pkey PRIMARY KEY (organization, id);

ALTER TABLE ONLY postern.listeners
    ADD CONSTRAINT listeners_pkey PRIMARY KEY (instance);

ALTER TABLE ONLY postern.postern_migrations
    ADD CONSTRAINT postern_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY postern.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (digest);

ALTER TABLE ONLY postern.tokens
    ADD CONSTRAINT tokens_id_key UNIQUE (id);

ALTER TABLE ONLY postern.tokens
    ADD CONSTRAINT tokens_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY postern.uses
    ADD CONSTRAINT uses_pkey PRIMARY KEY (token, endpoint);

CREATE INDEX changes_by_age ON postern.changes USING btree (at DESC, id DESC);

CREATE INDEX changes_by_organization ON postern.changes USING btree (organization, at DESC, id DESC);

CREATE INDEX changes_by_subject ON postern.changes USING btree (subject, at DESC, id DESC);

CREATE INDEX secrets_by_token ON postern.secrets USING btree (token);

CREATE INDEX tokens_by_age ON postern.tokens USING btree (created_at DESC, id DESC);

CREATE INDEX tokens_by_expiry ON postern.tokens USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX tokens_by_organization ON postern.tokens USING btree (organization, created_at DESC, id DESC);

CREATE INDEX tokens_by_owner ON postern.tokens USING btree (organization, owner, created_at DESC, id DESC);

CREATE TRIGGER changes_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON postern.changes FOR EACH STATEMENT EXECUTE FUNCTION postern.refuse_change();

ALTER TABLE ONLY postern.secrets
    ADD CONSTRAINT secrets_token_fkey FOREIGN KEY (token) REFERENCES postern.tokens(seq) ON DELETE CASCADE;

ALTER TABLE ONLY postern.uses
    ADD CONSTRAINT uses_token_fkey FOREIGN KEY (token) REFERENCES postern.tokens(seq) ON DELETE CASCADE;
