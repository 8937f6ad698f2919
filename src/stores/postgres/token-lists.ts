import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import { TOKEN_COLUMNS, toToken } from '../sql/rows.js';
import { encodeTypeNames } from '../sql/type-names.js';
import { Conditions } from './conditions.js';
import type { Database, SqlValue } from './database.js';
import { EVERY_TOKEN } from './schema.js';

/** A statement for one call, and its parameters. */
interface Composed {
  readonly text: string;
  readonly values: SqlValue[];
}

function conditionsOf({
  organization,
  owner,
  ownership,
  type,
  revoked,
  search,
  after,
  until,
}: TokenFilter): Conditions {
  const where = new Conditions();
  if (organization !== null) where.add((p) => `t.organization = ${p('text', organization)}`);
  if (owner !== undefined) where.add((p) => `t.owner = ${p('text', owner)}`);
  // Hidden from the planner. For the more frequent ownership it would scan all tokens, and read past those of the other.
  if (ownership !== undefined) where.add((p) => `t.ownership = (SELECT ${p('text', ownership)})`);
  if (type !== undefined) where.add((p) => `position(${p('text', encodeTypeNames([type]))} IN t.type_names) > 0`);
  if (revoked !== undefined) where.add(() => `t.revoked_at IS ${revoked ? 'NOT ' : ''}NULL`);
  if (search !== undefined) {
    where.add((p) => {
      // lower() under "C" changes ASCII letters only, as the port asks for. position() has no wildcards.
      const wanted = `lower(${p('text', search)} COLLATE "C")`;
      const holds = (column: string) => `position(${wanted} IN lower(${column} COLLATE "C")) > 0`;
      return `(${holds('t.name')} OR ${holds('t.description')})`;
    });
  }
  for (const [position, sign] of [
    [after, '<'],
    [until, '>='],
  ] as const) {
    if (position === undefined) continue;
    const { createdAt, id } = position;
    where.add((p) => `(t.created_at, t.id) ${sign} (${p('bigint', createdAt)}, ${p('text', id)})`);
  }
  return where;
}

export function listTokensSql(schema: string, query: TokenQuery): Composed {
  const where = conditionsOf(query);
  const { organization, offset = 0 } = query;
  if (organization === null) where.add(() => `t.${EVERY_TOKEN}`);
  const limit = where.parameter('bigint', query.limit);
  const skipped = offset === 0 ? '' : ` OFFSET ${where.parameter('bigint', offset)}`;
  return {
    text: `SELECT ${TOKEN_COLUMNS} FROM ${schema}.tokens t ${where}ORDER BY t.created_at DESC, t.id DESC LIMIT ${limit}${skipped}`,
    values: where.values,
  };
}

/** The statement for a count that stops at `atMost`. */
export function countTokensSql(schema: string, filter: TokenFilter, atMost: number): Composed {
  const where = conditionsOf(filter);
  const limit = where.parameter('bigint', atMost);
  return {
    text: `SELECT count(*) AS count FROM (SELECT FROM ${schema}.tokens t ${where}LIMIT ${limit}) AS counted`,
    values: where.values,
  };
}

export async function listTokens(db: Database, schema: string, query: TokenQuery): Promise<readonly StoredToken[]> {
  const { text, values } = listTokensSql(schema, query);
  return (await db.run({ text }, values)).map(toToken);
}

export async function countTokens(db: Database, schema: string, filter: TokenFilter, atMost: number): Promise<number> {
  const { text, values } = countTokensSql(schema, filter, atMost);
  const [row] = await db.run({ text }, values);
  return Number(row?.count);
}

export async function listExpiredTokens(
  db: Database,
  schema: string,
  organization: string | null,
  before: number,
  limit: number,
): Promise<readonly string[]> {
  const only = organization === null ? '' : 'AND organization = $3::text';
  const text = `SELECT id FROM ${schema}.tokens WHERE expires_at <= $1::bigint ${only}
    ORDER BY expires_at LIMIT $2::bigint`;
  const rows = await db.run({ text }, [before, limit, ...(organization === null ? [] : [organization])]);
  return rows.map(({ id }) => id as string);
}
