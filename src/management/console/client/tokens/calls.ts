import type { Grants, IssuedToken, Token, TokenPage, Use } from '../../../wire/types.js';
import { call } from '../api.js';

export type Ownership = 'personal' | 'organization';

export interface TokenQuery {
  readonly ownership: Ownership;
  readonly start: number;
  readonly count: number;
  /** In place of `start`. */
  readonly cursor?: string | null;
  readonly search?: string;
  readonly type?: string;
  readonly owner?: string;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  readonly types: Grants;
  readonly expired_at: string | null;
  readonly ownership: Ownership;
}

export type TokenChanges = Partial<Omit<NewToken, 'ownership'>>;

const at = (token: Token, rest = '') => `api/v1/api_tokens/${encodeURIComponent(token.uid)}${rest}`;

export const listTokens = (query: TokenQuery, signal: AbortSignal) =>
  call<TokenPage>('GET', 'api/v1/api_tokens', { query: { ...query }, signal });

export const readToken = (uid: string, signal: AbortSignal) =>
  call<Token>('GET', `api/v1/api_tokens/${encodeURIComponent(uid)}`, { signal });

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
