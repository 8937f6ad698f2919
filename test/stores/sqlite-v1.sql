-- What postern 0.1.0 wrote: SQLite's dump of a database of schema version 1. Never altered: test/stores/sqlite-upgrade.test.ts.
PRAGMA foreign_keys = OFF;
BEGIN TRANSACTION;
CREATE TABLE changes (
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
) STRICT;
INSERT INTO "changes" VALUES(1,'4dIoC8iX6OfL9F41hkZ34m','endpoint.created',1767225600000,'application',NULL,NULL,NULL,'acme','summarizer',NULL,'{"id":"summarizer","organization":"acme","access":"protected","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-01T00:00:00.000Z"}');
INSERT INTO "changes" VALUES(2,'4WMGQjTIhcl2CkBFVMvLeJ','token.created',1767225601000,'application',NULL,NULL,NULL,'acme','4ApYfWmIJfDAgGGRvwbBqh',NULL,'{"id":"4ApYfWmIJfDAgGGRvwbBqh","name":"ci","description":"nightly build","types":{"developer":{"scopes":["models:write"]},"user":{"endpoints":["summarizer"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_BKk0…","createdAt":"2026-01-01T00:00:01.000Z","updatedAt":"2026-01-01T00:00:01.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(3,'3SIuPkty9Uc2xRHdOblpbp','token.created',1767225602000,'application',NULL,NULL,NULL,'acme','0lRMgwmPraZawOl17oTQi7',NULL,'{"id":"0lRMgwmPraZawOl17oTQi7","name":"deploy","description":"","types":{"developer":{"scopes":["*"]}},"organization":"acme","owner":null,"ownership":"organization","hint":"pst_iyh4…","createdAt":"2026-01-01T00:00:02.000Z","updatedAt":"2026-01-01T00:00:02.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{"team":"nlp"},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(4,'7lq5Hv1no5KX54nY6kdzID','token.rotated',1767225603000,'application',NULL,NULL,NULL,'acme','0lRMgwmPraZawOl17oTQi7','{"id":"0lRMgwmPraZawOl17oTQi7","name":"deploy","description":"","types":{"developer":{"scopes":["*"]}},"organization":"acme","owner":null,"ownership":"organization","hint":"pst_iyh4…","createdAt":"2026-01-01T00:00:02.000Z","updatedAt":"2026-01-01T00:00:02.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{"team":"nlp"},"rateLimit":null,"quota":null}','{"id":"0lRMgwmPraZawOl17oTQi7","name":"deploy","description":"","types":{"developer":{"scopes":["*"]}},"organization":"acme","owner":null,"ownership":"organization","hint":"pst_gxPx…","createdAt":"2026-01-01T00:00:02.000Z","updatedAt":"2026-01-01T00:00:03.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{"team":"nlp"},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(5,'4mKGDM9IJggYFgZZYhBaSM','token.created',1767225604000,'application',NULL,NULL,NULL,'umbrella','4HiZxHopDQAmu6ht9v4bHX',NULL,'{"id":"4HiZxHopDQAmu6ht9v4bHX","name":"theirs","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"umbrella","owner":"bob","ownership":"personal","hint":"pst_dQop…","createdAt":"2026-01-01T00:00:04.000Z","updatedAt":"2026-01-01T00:00:04.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(6,'02AtdsIqqOc8NXJ1BBwMYm','token.created',1767225605000,'application',NULL,NULL,NULL,'acme','103169Us23njOg6iDoNjAK',NULL,'{"id":"103169Us23njOg6iDoNjAK","name":"revoked","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_GVHI…","createdAt":"2026-01-01T00:00:05.000Z","updatedAt":"2026-01-01T00:00:05.000Z","expiresAt":"2026-04-01T00:00:05.000Z","revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(7,'43FoGaazMnAHwWO7mqu0X4','token.revoked',1767225605000,'application',NULL,NULL,NULL,'acme','103169Us23njOg6iDoNjAK','{"id":"103169Us23njOg6iDoNjAK","name":"revoked","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_GVHI…","createdAt":"2026-01-01T00:00:05.000Z","updatedAt":"2026-01-01T00:00:05.000Z","expiresAt":"2026-04-01T00:00:05.000Z","revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}','{"id":"103169Us23njOg6iDoNjAK","name":"revoked","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_GVHI…","createdAt":"2026-01-01T00:00:05.000Z","updatedAt":"2026-01-01T00:00:05.000Z","expiresAt":"2026-04-01T00:00:05.000Z","revokedAt":"2026-01-01T00:00:05.000Z","lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(8,'5vPOVApzcxAvA7J7MVyYcc','token.created',1767225606000,'application',NULL,NULL,NULL,'acme','0z3iq9HQxQHHFer5ToVUHY',NULL,'{"id":"0z3iq9HQxQHHFer5ToVUHY","name":"deleted","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_0hPu…","createdAt":"2026-01-01T00:00:06.000Z","updatedAt":"2026-01-01T00:00:06.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}');
INSERT INTO "changes" VALUES(9,'7TRJvzaro0NKmYRK5hni37','token.deleted',1767225606000,'application',NULL,NULL,NULL,'acme','0z3iq9HQxQHHFer5ToVUHY','{"id":"0z3iq9HQxQHHFer5ToVUHY","name":"deleted","description":"","types":{"developer":{"scopes":["models:read"]}},"organization":"acme","owner":"ada","ownership":"personal","hint":"pst_0hPu…","createdAt":"2026-01-01T00:00:06.000Z","updatedAt":"2026-01-01T00:00:06.000Z","expiresAt":null,"revokedAt":null,"lastUsedAt":null,"metadata":{},"rateLimit":null,"quota":null}',NULL);
CREATE TABLE endpoints (
  organization TEXT NOT NULL,
  id TEXT NOT NULL,
  uid TEXT NOT NULL,
  access TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (organization, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "endpoints" VALUES('acme','summarizer','62YSf0bwAvV3vuP4t6pNug','protected',1767225600000,1767225600000,1);
CREATE TABLE secrets (
  digest TEXT NOT NULL PRIMARY KEY,
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  pepper TEXT,
  created_at INTEGER NOT NULL,
  ends_at INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO "secrets" VALUES('4df7050d82776f520f8d54b4576a4ebfc729095dfdd520b5ae463fd1fc4f28cf',3,NULL,1767225604000,NULL);
INSERT INTO "secrets" VALUES('540c5e43535a7ee347f07f0a443a59b3b085c5b9cae09359b0b301c48f3250ee',2,NULL,1767225603000,NULL);
INSERT INTO "secrets" VALUES('74c599cc7494fa74e303a2e7bf40b68d6c94d053d69524e5f19d6084c2a8b33c',1,NULL,1767225601000,NULL);
INSERT INTO "secrets" VALUES('ae701c029629a0150de2b78ac4bc85c6d44b968ca51391a42ab7c8238423a8f2',4,NULL,1767225605000,NULL);
INSERT INTO "secrets" VALUES('c8705baafe87defe8c6bae498b2695a048e720ea187fc1aee19f419867024674',2,NULL,1767225602000,1767229203000);
CREATE TABLE tokens (
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
) STRICT;
INSERT INTO "tokens" VALUES(1,'4ApYfWmIJfDAgGGRvwbBqh','acme','ada','personal','ci','nightly build','{"developer":{"scopes":["models:write"]},"user":{"endpoints":[{"id":"summarizer","uid":"62YSf0bwAvV3vuP4t6pNug"}]}}','
"developer"
"user"
','{}','pst_BKk0…',NULL,1767225601000,1767225601000,NULL,NULL,1767225606000,1);
INSERT INTO "tokens" VALUES(2,'0lRMgwmPraZawOl17oTQi7','acme',NULL,'organization','deploy','','{"developer":{"scopes":["*"]}}','
"developer"
','{"team":"nlp"}','pst_gxPx…',NULL,1767225602000,1767225603000,NULL,NULL,NULL,2);
INSERT INTO "tokens" VALUES(3,'4HiZxHopDQAmu6ht9v4bHX','umbrella','bob','personal','theirs','','{"developer":{"scopes":["models:read"]}}','
"developer"
','{}','pst_dQop…',NULL,1767225604000,1767225604000,NULL,NULL,NULL,1);
INSERT INTO "tokens" VALUES(4,'103169Us23njOg6iDoNjAK','acme','ada','personal','revoked','','{"developer":{"scopes":["models:read"]}}','
"developer"
','{}','pst_GVHI…',NULL,1767225605000,1767225605000,1775001605000,1767225605000,NULL,2);
CREATE TABLE uses (
  token INTEGER NOT NULL REFERENCES tokens (seq) ON DELETE CASCADE,
  endpoint TEXT NOT NULL,
  count INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  PRIMARY KEY (token, endpoint)
) STRICT, WITHOUT ROWID;
INSERT INTO "uses" VALUES(1,'summarizer',1,1767225606000);
CREATE INDEX tokens_by_organization ON tokens (organization, created_at DESC, id DESC);
CREATE INDEX tokens_by_owner ON tokens (organization, owner, created_at DESC, id DESC);
CREATE INDEX tokens_by_age ON tokens (created_at DESC, id DESC);
CREATE INDEX tokens_by_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX secrets_by_token ON secrets (token);
CREATE INDEX changes_by_organization ON changes (organization, at DESC, id DESC);
CREATE INDEX changes_by_subject ON changes (subject, at DESC, id DESC);
CREATE INDEX changes_by_age ON changes (at DESC, id DESC);
CREATE TRIGGER changes_are_kept BEFORE UPDATE ON changes
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER changes_are_never_deleted BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',9);
COMMIT;
PRAGMA application_id = 1886614638;
PRAGMA user_version = 1;
