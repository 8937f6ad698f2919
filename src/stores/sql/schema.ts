import type { Dialect } from './dialect.js';
import type { Table } from './shape.js';

/**
 * `seq` is the database's own row number. `secrets` points to it, so that a look-up by digest is two descents of a tree. The
 * indexes on `tokens` and `changes` have the order of a page: newest first. No index holds `last_used_at`, so that PostgreSQL
 * changes only the row's own page when it is written (HOT).
 *
 * `last_change` names the change that wrote the row last. It ties what belongs to a change to the row that it has written.
 */
const tokens: Table = {
  name: 'tokens',
  columns: {
    seq: 'serial',
    id: 'key',
    organization: 'name',
    owner: 'name?',
    ownership: 'key',
    name: 'text',
    description: 'text',
    types: 'text',
    type_names: 'text',
    metadata: 'text',
    hint: 'text',
    limits: 'text?',
    created_at: 'integer',
    updated_at: 'integer',
    expires_at: 'integer?',
    revoked_at: 'integer?',
    last_used_at: 'integer?',
    version: 'integer',
    last_change: 'key?',
  },
  key: ['id'],
  fill: 90,
  indexes: [
    { name: 'tokens_by_organization', columns: ['organization', 'created_at', 'id'] },
    { name: 'tokens_by_owner', columns: ['organization', 'owner', 'created_at', 'id'] },
    { name: 'tokens_by_ownership', columns: ['organization', 'ownership', 'created_at', 'id'] },
    { name: 'tokens_by_age', columns: ['created_at', 'id'], isOfAll: true },
    { name: 'tokens_by_expiry', columns: ['expires_at'], where: 'expires_at' },
  ],
};

const secrets: Table = {
  name: 'secrets',
  columns: {
    digest: 'key',
    token: 'token',
    pepper: 'text?',
    created_at: 'integer',
    ends_at: 'integer?',
    key_id: 'key?',
    public_key: 'text?',
  },
  key: ['digest'],
  indexes: [
    { name: 'secrets_by_token', columns: ['token'] },
    { name: 'secrets_by_key', columns: ['key_id'], isUnique: true, where: 'key_id' },
  ],
};

const uses: Table = {
  name: 'uses',
  columns: { token: 'token', endpoint: 'name', count: 'integer', last_used_at: 'integer' },
  key: ['token', 'endpoint'],
  fill: 90,
};

const tokenDays: Table = {
  name: 'token_days',
  columns: { token: 'token', day: 'integer', endpoint: 'name', scope: 'name', count: 'integer' },
  key: ['token', 'day', 'endpoint', 'scope'],
  fill: 90,
  indexes: [{ name: 'token_days_by_day', columns: ['day'] }],
};

const organizationDays: Table = {
  name: 'organization_days',
  columns: { organization: 'name', day: 'integer', endpoint: 'name', scope: 'name', count: 'integer' },
  key: ['organization', 'day', 'endpoint', 'scope'],
  fill: 50,
  indexes: [{ name: 'organization_days_by_day', columns: ['day'] }],
};

const endpoints: Table = {
  name: 'endpoints',
  columns: {
    organization: 'name',
    id: 'key',
    uid: 'text',
    access: 'text',
    created_at: 'integer',
    updated_at: 'integer',
    version: 'integer',
    last_change: 'key?',
  },
  key: ['organization', 'id'],
};

/** `seq` counts up in the order of commits, without a gap; the feed relies on that. `told` is the message for other processes. */
const changes: Table = {
  name: 'changes',
  columns: {
    seq: 'sequence',
    id: 'key',
    type: 'key',
    at: 'integer',
    actor_kind: 'text',
    actor_token: 'text?',
    actor_owner: 'text?',
    origin: 'text?',
    organization: 'name',
    subject: 'name',
    record_before: 'text?',
    record_after: 'text?',
    told: 'text?',
  },
  key: ['id'],
  indexes: [
    { name: 'changes_by_organization', columns: ['organization', 'at', 'id'] },
    { name: 'changes_by_subject', columns: ['subject', 'at', 'id'] },
    { name: 'changes_by_age', columns: ['at', 'id'] },
  ],
};

const entries: Table = {
  name: 'entries',
  columns: { kind: 'key', id: 'key', value: 'text', expires_at: 'integer?', version: 'integer' },
  key: ['kind', 'id'],
  isWide: true,
  indexes: [{ name: 'entries_by_end', columns: ['expires_at'], where: 'expires_at' }],
};

export const TABLES: readonly Table[] = [
  tokens,
  secrets,
  uses,
  tokenDays,
  organizationDays,
  endpoints,
  changes,
  entries,
];

/** The statements that upgrade a schema by one version. */
export type Version = (dialect: Dialect) => readonly string[];

const first: Version = (dialect) => [
  ...[...TABLES, ...dialect.own].flatMap((table) => dialect.create(table)),
  ...dialect.finish(),
];

/** A released migration is never changed; a change is a new migration. */
export const MIGRATIONS: readonly Version[] = [first];

/** The version that this library writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;
