import type { Actor, Change } from '../../ports/changes.js';
import type {
  DailyCount,
  FoundToken,
  NewSecret,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  UsageCount,
} from '../../ports/records.js';
import type { Values } from './dialect.js';
import type { SqlRow as Row } from './driver.js';
import { decodeTypeNames, encodeTypeNames } from './type-names.js';

/** The columns to read, under the names of the port's fields. `t` is `tokens`, `s` is `secrets`. */
export const TOKEN_COLUMNS = `t.id, t.organization, t.owner, t.ownership, t.name, t.description, t.types,
  t.type_names AS "typeNames", t.metadata, t.hint, t.limits, t.created_at AS "createdAt", t.updated_at AS "updatedAt",
  t.expires_at AS "expiresAt", t.revoked_at AS "revokedAt", t.last_used_at AS "lastUsedAt", t.version`;

export const SECRET_COLUMNS = `s.digest AS "secretDigest", s.pepper AS "secretPepper",
  s.created_at AS "secretCreatedAt", s.ends_at AS "secretEndsAt"`;

/** The columns of a secret's key, read in addition when a token is looked up by the key. */
export const KEY_COLUMNS = 's.key_id AS "keyId", s.public_key AS "publicKey"';

/** The columns of {@link FoundToken}: few, because each costs as much as a tenth of the read. */
export const FOUND_COLUMNS = `t.id, t.organization, t.owner, t.ownership, t.types, t.limits, t.expires_at AS "expiresAt",
  t.revoked_at AS "revokedAt", s.digest, s.ends_at AS "endsAt"`;

export const ENTRY_COLUMNS = 'kind, id, value, expires_at AS "expiresAt", version';

export const ENDPOINT_COLUMNS =
  'uid, organization, id, access, created_at AS "createdAt", updated_at AS "updatedAt", version';

export const CHANGE_COLUMNS = `id, type, at, actor_kind AS "actorKind", actor_token AS "actorToken",
  actor_owner AS "actorOwner", origin, organization, subject, record_before AS "recordBefore", record_after AS "recordAfter"`;

export function toToken(row: Row): StoredToken {
  return {
    id: row.id as string,
    organization: row.organization as string,
    owner: row.owner as string | null,
    ownership: row.ownership as StoredToken['ownership'],
    name: row.name as string,
    description: row.description as string,
    types: row.types as string,
    typeNames: decodeTypeNames(row.typeNames as string),
    metadata: row.metadata as string,
    hint: row.hint as string,
    limits: row.limits as string | null,
    createdAt: Number(row.createdAt),
    updatedAt: Number(row.updatedAt),
    expiresAt: toTime(row.expiresAt),
    revokedAt: toTime(row.revokedAt),
    lastUsedAt: toTime(row.lastUsedAt),
    version: Number(row.version),
  };
}

export function toSecret(row: Row): StoredSecret {
  return {
    digest: row.secretDigest as string,
    pepper: row.secretPepper as string | null,
    createdAt: Number(row.secretCreatedAt),
    endsAt: toTime(row.secretEndsAt),
  };
}

/** Of the rows found by several digests, the row of the digest that comes first in `digests`. */
export function firstFound(rows: readonly Row[], digests: readonly string[]): FoundToken | null {
  const row = firstNamed(rows, 'digest', digests);
  return row === undefined ? null : toFound(row);
}

/** The same for a look-up by the ids of keys. */
export function firstFoundByKey(
  rows: readonly Row[],
  keyIds: readonly string[],
): (FoundToken & { publicKey: string }) | null {
  const row = firstNamed(rows, 'keyId', keyIds);
  return row === undefined ? null : { ...toFound(row), publicKey: row.publicKey as string };
}

function toFound(row: Row): FoundToken {
  return {
    token: {
      id: row.id as string,
      organization: row.organization as string,
      owner: row.owner as string | null,
      ownership: row.ownership as StoredToken['ownership'],
      types: row.types as string,
      limits: row.limits as string | null,
      expiresAt: toTime(row.expiresAt),
      revokedAt: toTime(row.revokedAt),
    },
    secret: { digest: row.digest as string, endsAt: toTime(row.endsAt) },
  };
}

function firstNamed(rows: readonly Row[], column: string, names: readonly string[]): Row | undefined {
  const rank = (row: Row) => names.indexOf(row[column] as string);
  return rows.length > 1 ? [...rows].sort((a, b) => rank(a) - rank(b))[0] : rows[0];
}

export function toEntry(row: Row): StoredEntry {
  return {
    kind: row.kind as string,
    id: row.id as string,
    value: row.value as string,
    expiresAt: toTime(row.expiresAt),
    version: Number(row.version),
  };
}

export function toEndpoint(row: Row): StoredEndpoint {
  return {
    uid: row.uid as string,
    organization: row.organization as string,
    id: row.id as string,
    access: row.access as StoredEndpoint['access'],
    createdAt: Number(row.createdAt),
    updatedAt: Number(row.updatedAt),
    version: Number(row.version),
  };
}

export function toUsageCount(row: Row): UsageCount {
  return {
    tokenId: row.tokenId as string,
    endpoint: row.endpoint as string,
    count: Number(row.count),
    lastUsedAt: Number(row.lastUsedAt),
  };
}

export function toDailyCount(row: Row): DailyCount {
  return {
    day: Number(row.day),
    endpoint: row.endpoint as string,
    scope: row.scope as string,
    count: Number(row.count),
  };
}

export function toChange(row: Row): Change {
  return {
    id: row.id as string,
    type: row.type as Change['type'],
    at: Number(row.at),
    actor: toActor(row),
    from: row.origin as string | null,
    organization: row.organization as string,
    subject: row.subject as string,
    before: row.recordBefore as string | null,
    after: row.recordAfter as string | null,
  };
}

function toActor(row: Row): Actor {
  if (row.actorKind !== 'principal') return { kind: 'application' };
  return { kind: 'principal', tokenId: row.actorToken as string, owner: row.actorOwner as string | null };
}

/** The columns of a change, and the parameters for them. */
export const CHANGE_FIELDS =
  'id, type, at, actor_kind, actor_token, actor_owner, origin, organization, subject, record_before, record_after';

export const CHANGE_PARAMETERS =
  ':change, :changeType, #changedAt, :actorKind, :actorToken, :actorOwner, :origin, :changeOrganization, :subject, :before, :after';

export function changeValues(change: Change): Values {
  const { actor } = change;
  const holder = actor.kind === 'principal' ? actor : null;
  return {
    change: change.id,
    changeType: change.type,
    changedAt: change.at,
    actorKind: actor.kind,
    actorToken: holder?.tokenId ?? null,
    actorOwner: holder?.owner ?? null,
    origin: change.from,
    changeOrganization: change.organization,
    subject: change.subject,
    before: change.before,
    after: change.after,
  };
}

/** Columns, each with its parameter. */
export type Fields = Readonly<Record<string, string>>;

export const namesOf = (fields: Fields): string => Object.keys(fields).join(', ');
export const parametersOf = (fields: Fields): string => Object.values(fields).join(', ');

/** The columns of a token that a change of it writes. */
export const TOKEN_FIELDS = {
  organization: ':organization',
  owner: ':owner',
  ownership: ':ownership',
  name: ':name',
  description: ':description',
  types: ':types',
  type_names: ':typeNames',
  metadata: ':metadata',
  hint: ':hint',
  limits: ':limits',
  created_at: '#createdAt',
  updated_at: '#updatedAt',
  expires_at: '#expiresAt',
  revoked_at: '#revokedAt',
  version: '#version',
  last_change: ':change',
} as const satisfies Fields;

export function tokenValues(token: StoredToken): Values {
  return {
    id: token.id,
    organization: token.organization,
    owner: token.owner,
    ownership: token.ownership,
    name: token.name,
    description: token.description,
    types: token.types,
    typeNames: encodeTypeNames(token.typeNames),
    metadata: token.metadata,
    hint: token.hint,
    limits: token.limits,
    createdAt: token.createdAt,
    updatedAt: token.updatedAt,
    expiresAt: token.expiresAt,
    revokedAt: token.revokedAt,
    lastUsedAt: token.lastUsedAt,
    version: token.version,
  };
}

/** The columns of a secret, without its token. */
export const SECRET_FIELDS = {
  digest: ':digest',
  pepper: ':pepper',
  created_at: '#secretCreatedAt',
  ends_at: '#endsAt',
  key_id: ':keyId',
  public_key: ':publicKey',
} as const satisfies Fields;

export function secretValues({ digest, pepper, createdAt, endsAt, key }: NewSecret): Values {
  return {
    digest,
    pepper,
    secretCreatedAt: createdAt,
    endsAt,
    keyId: key?.id ?? null,
    publicKey: key?.publicKey ?? null,
  };
}

/** `null` stays `null`: `Number(null)` would be the epoch. */
function toTime(value: unknown): number | null {
  return value === null ? null : Number(value);
}
