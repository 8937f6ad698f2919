import type { DailyUse, Grants, IssuedToken, Token, TokenDetail, TokenPage, Use } from '../../../wire/types.js';
import { call } from '../api.js';
import { DAY } from '../words.js';

export type Ownership = 'personal' | 'organization';

export interface TokenQuery {
  readonly ownership: Ownership;
  readonly start: number;
  readonly count: number;
  /** In place of `start`. */
  readonly cursor?: string | null;
  readonly search?: string;
  readonly type?: string;
  readonly state?: string;
  readonly expires?: string;
  readonly owner?: string;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  readonly types: Grants;
  readonly expired_at: string | null;
  readonly ownership: Ownership;
  readonly rate_limit?: Token['rate_limit'];
  readonly quota?: Token['quota'];
}

export type TokenChanges = Partial<Omit<NewToken, 'ownership'>>;

const at = (token: Token, rest = '') => `api/v1/api_tokens/${encodeURIComponent(token.uid)}${rest}`;

export const listTokens = (query: TokenQuery, signal: AbortSignal) =>
  call<TokenPage>('GET', 'api/v1/api_tokens', { query: { ...query }, signal });

export const readToken = (uid: string, signal: AbortSignal) =>
  call<TokenDetail>('GET', `api/v1/api_tokens/${encodeURIComponent(uid)}`, { signal });

export const createToken = (token: NewToken) => call<IssuedToken>('POST', 'api/v1/api_tokens', { body: token });

export const updateToken = (token: Token, changes: TokenChanges) => call<Token>('PATCH', at(token), { body: changes });

/** @param grace the time that the old secret still works, e.g. `1h`; empty: none */
export const rotateToken = (token: Token, grace: string) =>
  call<IssuedToken>('POST', at(token, '/rotate'), { body: grace === '' ? {} : { grace } });

export const revokeToken = (token: Token) => call<unknown>('POST', at(token, '/revoke'), { body: {} });

export const deleteToken = (token: Token) => call<unknown>('DELETE', at(token));

export async function readUsage(token: Token, signal: AbortSignal): Promise<readonly Use[]> {
  return (await call<{ readonly items: readonly Use[] }>('GET', at(token, '/usage'), { signal })).items;
}

export const resetLimits = (token: Token) => call<unknown>('POST', at(token, '/reset_limits'), { body: {} });

/** The days of the charts, today included. */
export const SHOWN_DAYS = 30;

const dayAt = (time: number) => new Date(time).toISOString().slice(0, 10);

/** The days of the charts, in UTC, the oldest first. */
export function shownDays(now = Date.now()): readonly string[] {
  return Array.from({ length: SHOWN_DAYS }, (_, index) => dayAt(now - (SHOWN_DAYS - 1 - index) * DAY));
}

/** The uses of one token, or of all of the organization. */
export async function readDays(token: Token | null, signal: AbortSignal): Promise<readonly DailyUse[]> {
  const [from = ''] = shownDays();
  const path = token === null ? 'api/v1/usage' : at(token, '/usage');
  const query = { from, ...(token !== null && { by: 'day' }) };
  return (await call<{ readonly items: readonly DailyUse[] }>('GET', path, { query, signal })).items;
}
