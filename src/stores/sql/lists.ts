import type { ChangeQuery } from '../../ports/changes.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import { Conditions, type Position } from './conditions.js';
import type { Dialect } from './dialect.js';
import type { SqlStatement } from './driver.js';
import { CHANGE_COLUMNS, TOKEN_COLUMNS } from './rows.js';
import { encodeTypeNames } from './type-names.js';

function conditionsOf(dialect: Dialect, filter: TokenFilter): Conditions {
  const { organization, owner, ownership, type, revoked, search, after, until } = filter;
  const conditions = new Conditions(dialect);
  if (organization !== null) conditions.add(dialect.is('t.organization', ':organization'), { organization });
  else if (dialect.everything !== null) conditions.add(`t.${dialect.everything}`);
  if (owner !== undefined) conditions.add(dialect.is('t.owner', ':owner'), { owner });
  if (ownership !== undefined) {
    conditions.add(dialect.isOwnership('t.ownership', ':ownership', owner === undefined), { ownership });
  }
  if (type !== undefined) conditions.add(dialect.holds('t.type_names', ':type'), { type: encodeTypeNames([type]) });
  if (revoked !== undefined) conditions.add(`t.revoked_at IS ${revoked ? 'NOT ' : ''}NULL`);
  if (search !== undefined) {
    const holds = (column: string) => dialect.holdsInAnyCase(column, ':search');
    conditions.add(`(${holds('t.name')} OR ${holds('t.description')})`, { search });
  }
  const position = (at: TokenFilter['after']): Position | undefined => at && [at.createdAt, at.id];
  conditions.addBounds(['t.created_at', 't.id'], position(after), position(until));
  return conditions;
}

const skipping = (offset: number) => (offset === 0 ? '' : ' OFFSET #offset');

export function listTokens(dialect: Dialect, { offset = 0, limit, ...filter }: TokenQuery): SqlStatement {
  const select = `SELECT ${TOKEN_COLUMNS} FROM ${dialect.table('tokens')} t`;
  const rest = `ORDER BY t.created_at DESC, t.id DESC LIMIT #limit${skipping(offset)}`;
  return conditionsOf(dialect, filter).statement(select, rest, { limit, offset });
}

/** A count that stops at `atMost`. */
export function countTokens(dialect: Dialect, filter: TokenFilter, atMost: number): SqlStatement {
  const select = `SELECT count(*) AS count FROM (SELECT 1 FROM ${dialect.table('tokens')} t`;
  return conditionsOf(dialect, filter).statement(select, 'LIMIT #atMost) counted', { atMost });
}

export function listExpiredTokens(
  dialect: Dialect,
  organization: string | null,
  before: number,
  limit: number,
): SqlStatement {
  const conditions = new Conditions(dialect);
  conditions.add('expires_at <= #before', { before });
  if (organization !== null) conditions.add(dialect.is('organization', ':organization'), { organization });
  return conditions.statement(`SELECT id FROM ${dialect.table('tokens')}`, 'ORDER BY expires_at LIMIT #limit', {
    limit,
  });
}

export function listChanges(dialect: Dialect, query: ChangeQuery): SqlStatement {
  const { organization, subject, type, after, until, offset = 0, limit } = query;
  const conditions = new Conditions(dialect);
  if (organization !== null) conditions.add(dialect.is('organization', ':organization'), { organization });
  if (subject !== undefined) conditions.add(dialect.is('subject', ':subject'), { subject });
  if (type !== undefined) conditions.add('type = :type', { type });
  const position = (at: ChangeQuery['after']): Position | undefined => at && [at.at, at.id];
  conditions.addBounds(['at', 'id'], position(after), position(until));
  const rest = `ORDER BY at DESC, id DESC LIMIT #limit${skipping(offset)}`;
  return conditions.statement(`SELECT ${CHANGE_COLUMNS} FROM ${dialect.table('changes')}`, rest, { limit, offset });
}
