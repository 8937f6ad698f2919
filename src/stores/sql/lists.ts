import { IDLE, SOON, type TokenState } from '../../domain/token-state.js';
import type { ChangeQuery } from '../../ports/changes.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import { Conditions, type Position } from './conditions.js';
import type { Dialect } from './dialect.js';
import type { SqlStatement } from './driver.js';
import { CHANGE_COLUMNS, SECRET_COLUMNS, TOKEN_COLUMNS } from './rows.js';
import { encodeTypeNames } from './type-names.js';

function conditionsOf(dialect: Dialect, filter: TokenFilter): Conditions {
  const { organization, owner, ownership, type, revoked, state, ends, search, after, until } = filter;
  const conditions = new Conditions(dialect);
  if (organization !== null) conditions.add(dialect.is('t.organization', ':organization'), { organization });
  else if (dialect.everything !== null) conditions.add(`t.${dialect.everything}`);
  if (owner !== undefined) conditions.add(dialect.is('t.owner', ':owner'), { owner });
  if (ownership !== undefined) {
    conditions.add(dialect.isOwnership('t.ownership', ':ownership', owner === undefined), { ownership });
  }
  if (type !== undefined) conditions.add(dialect.holds('t.type_names', ':type'), { type: encodeTypeNames([type]) });
  if (revoked !== undefined) conditions.add(`t.revoked_at IS ${revoked ? 'NOT ' : ''}NULL`);
  if (state !== undefined) {
    const { is, at } = state;
    conditions.add(STATES[is], { now: at, soon: at + SOON, twice: 2 * at, idle: at - IDLE });
  }
  if (ends === 'never') conditions.add('t.expires_at IS NULL');
  else if (ends !== undefined) {
    conditions.add('t.expires_at > #endsAfter AND t.expires_at <= #endsBy', { endsAfter: ends.after, endsBy: ends.by });
  }
  if (search !== undefined) {
    const holds = (column: string) => dialect.holdsInAnyCase(column, ':search');
    conditions.add(`(${holds('t.name')} OR ${holds('t.description')})`, { search });
  }
  const position = (at: TokenFilter['after']): Position | undefined => at && [at.createdAt, at.id];
  conditions.addBounds(['t.created_at', 't.id'], position(after), position(until));
  return conditions;
}

const LASTS = `(t.expires_at IS NULL
  OR t.expires_at > #now AND (t.expires_at >= #soon OR t.expires_at + t.created_at >= #twice))`;

/** The same rule as `stateAt`. */
const STATES: Readonly<Record<TokenState, string>> = {
  revoked: 't.revoked_at IS NOT NULL',
  expired: 't.revoked_at IS NULL AND t.expires_at <= #now',
  expiring: `t.revoked_at IS NULL AND t.expires_at > #now AND t.expires_at < #soon AND t.expires_at + t.created_at < #twice`,
  idle: `t.revoked_at IS NULL AND ${LASTS} AND COALESCE(t.last_used_at, t.created_at) < #idle`,
  active: `t.revoked_at IS NULL AND ${LASTS} AND COALESCE(t.last_used_at, t.created_at) >= #idle`,
};

const skipping = (offset: number) => (offset === 0 ? '' : ' OFFSET #offset');

export function listTokens(dialect: Dialect, { offset = 0, limit, ...filter }: TokenQuery): SqlStatement {
  const select = `SELECT ${TOKEN_COLUMNS} FROM ${dialect.table('tokens')} t`;
  const rest = `ORDER BY t.created_at DESC, t.id DESC LIMIT #limit${skipping(offset)}`;
  return conditionsOf(dialect, filter).statement(select, rest, { limit, offset });
}

export function listSecrets(dialect: Dialect, tokenId: string): SqlStatement {
  const [tokens, secrets] = [dialect.table('tokens'), dialect.table('secrets')];
  return dialect.statement(
    `SELECT ${SECRET_COLUMNS} FROM ${tokens} t JOIN ${secrets} s ON s.token = t.seq WHERE t.id = :id`,
    { id: tokenId },
  );
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
  conditions.add('t.expires_at <= #before', { before });
  if (organization !== null) conditions.add(dialect.is('t.organization', ':organization'), { organization });
  const select = `SELECT ${TOKEN_COLUMNS} FROM ${dialect.table('tokens')} t`;
  return conditions.statement(select, 'ORDER BY t.expires_at LIMIT #limit', { limit });
}

export function listChanges(dialect: Dialect, query: ChangeQuery): SqlStatement {
  const { organization, subject, type, actor, after, until, offset = 0, limit } = query;
  const conditions = new Conditions(dialect);
  if (organization !== null) conditions.add(dialect.is('organization', ':organization'), { organization });
  if (subject !== undefined) conditions.add(dialect.is('subject', ':subject'), { subject });
  if (type !== undefined) conditions.add('type = :type', { type });
  if (actor !== undefined) {
    const application = actor === 'application' ? " OR actor_kind = 'application'" : '';
    conditions.add(`(actor_owner = :actor OR actor_token = :actor${application})`, { actor });
  }
  const position = (at: ChangeQuery['after']): Position | undefined => at && [at.at, at.id];
  conditions.addBounds(['at', 'id'], position(after), position(until));
  const rest = `ORDER BY at DESC, id DESC LIMIT #limit${skipping(offset)}`;
  return conditions.statement(`SELECT ${CHANGE_COLUMNS} FROM ${dialect.table('changes')}`, rest, { limit, offset });
}
