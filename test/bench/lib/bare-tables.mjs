import { randomBytes } from 'node:crypto';

const TYPES = {
  postgres: { key: 'text COLLATE "C"', text: 'text', time: 'bigint' },
  mysql: { key: 'VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin', text: 'LONGTEXT', time: 'BIGINT' },
  sqlite: { key: 'TEXT', text: 'TEXT', time: 'INTEGER' },
};
const TOKEN = [
  'id',
  'digest',
  'organization',
  'owner',
  'ownership',
  'name',
  'types',
  'created_at',
  'expires_at',
  'revoked_at',
];
const CHANGE = ['id', 'type', 'at', 'actor', 'organization', 'subject', 'record'];
const GRANTS = JSON.stringify({ developer: { scopes: ['models:read'] } });

/**
 * The tables and statements of an application that does the same by itself: a token is one row, found by the unique digest; a new
 * token is written with a row in a log, in one transaction. Each table has one index for its list.
 */
export function bareTables(dialect, name = `bare_${randomBytes(4).toString('hex')}`) {
  const { key, text, time } = TYPES[dialect];
  const place = (_, index) => (dialect === 'postgres' ? `$${index + 1}` : '?');
  const into = (table, columns) =>
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(place).join(', ')})`;
  const [tokens, changes] = [`${name}_tokens`, `${name}_changes`];
  return {
    create: [
      `CREATE TABLE ${tokens} (id ${key} PRIMARY KEY, digest ${key} NOT NULL UNIQUE, organization ${key} NOT NULL, owner ${text},
        ownership ${text} NOT NULL, name ${text} NOT NULL, types ${text} NOT NULL, created_at ${time} NOT NULL, expires_at ${time},
        revoked_at ${time})`,
      `CREATE INDEX ${tokens}_list ON ${tokens} (organization, created_at)`,
      `CREATE TABLE ${changes} (id ${key} PRIMARY KEY, type ${text} NOT NULL, at ${time} NOT NULL, actor ${text} NOT NULL,
        organization ${key} NOT NULL, subject ${text} NOT NULL, record ${text})`,
      `CREATE INDEX ${changes}_list ON ${changes} (organization, at)`,
    ],
    read: (digest) => ({
      sql: `SELECT id, organization, owner, ownership, types, expires_at, revoked_at FROM ${tokens} WHERE digest = ${place('', 0)}`,
      parameters: [digest],
    }),
    write(digest = randomBytes(32).toString('hex')) {
      const [id, change, now] = [randomBytes(12).toString('hex'), randomBytes(12).toString('hex'), Date.now()];
      const token = [id, digest, 'default', null, 'personal', 'bench', GRANTS, now, null, null];
      const record = JSON.stringify({ id, name: 'bench', types: GRANTS });
      return [
        { sql: into(tokens, TOKEN), parameters: token },
        {
          sql: into(changes, CHANGE),
          parameters: [change, 'token.created', now, 'application', 'default', id, record],
        },
      ];
    },
  };
}
