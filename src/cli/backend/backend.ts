import type { Access, Zone } from '../../domain/endpoint.js';
import type { Ownership } from '../../domain/principal.js';
import type { TokenState } from '../../domain/token-state.js';
import type {
  AuditEntry,
  DailyUse,
  Endpoint,
  Explanation,
  LimitStanding,
  Preview,
  TokenType,
  Use,
} from '../../management/wire/types.js';
import type { ChangeType } from '../../ports/changes.js';

/** A token in the command's output. A server and a store give the same keys. Times are ISO 8601. */
export interface TokenView {
  readonly uid: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'active' | 'expired' | 'revoked';
  /** By token type: `{ scopes }` or `{ endpoints }`. */
  readonly types: Readonly<Record<string, GrantView>>;
  /** The grants of `types` whose endpoint was deleted: they reach nothing. */
  readonly dead_grants: readonly { readonly type: string; readonly endpoint: string }[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  /** The first and the last characters of the secret, to recognise it. */
  readonly hint: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Calls in a window of time; `null`: no limit. Lengths are durations such as `1m`. */
  readonly rate_limit: RateLimitView | null;
  /** Calls in total, until all come back. */
  readonly quota: QuotaView | null;
  readonly created_at: string;
  readonly updated_at: string | null;
  /** `null`: never. */
  readonly expired_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

export interface RateLimitView {
  readonly points: number;
  readonly duration: string;
}

export interface QuotaView {
  readonly points: number;
  readonly refill: string;
}

export type LimitView = LimitStanding;

/** A token with what is left of its limits, and its secrets. */
export interface TokenDetail extends TokenView {
  /** `null`: not known here. A store keeps no counts: the limiter of the application does. */
  readonly limits: readonly LimitView[] | null;
  /** The secrets that work, the current one first; `null`: an older server does not say. */
  readonly secrets: readonly SecretView[] | null;
}

export interface SecretView {
  readonly created_at: string;
  /** `null`: with the token. */
  readonly ends_at: string | null;
}

export interface GrantView {
  readonly scopes?: readonly string[] | undefined;
  readonly endpoints?: '*' | readonly string[] | undefined;
}

/** A preview with short descriptions of tokens. A server lists only the first of those that you may see. */
export type PreviewView = Omit<Preview, 'gain' | 'lose'> & Readonly<Record<'gain' | 'lose', readonly AffectedView[]>>;

export interface AffectedView {
  readonly uid: string;
  readonly name: string;
  readonly owner: string | null;
  readonly last_used_at: string | null;
}

/** Whether a credential is valid, with its rights. For an invalid one only the reason is told, and only by a store. */
export interface Inspection {
  readonly active: boolean;
  /** `null` if it is active, or if the server does not say. */
  readonly reason: string | null;
  readonly uid: string | null;
  readonly owner: string | null;
  readonly organization: string | null;
  /** All scopes, included ones too. */
  readonly scopes: readonly string[];
  readonly endpoints: '*' | readonly string[];
  /** Granted endpoints that were deleted. */
  readonly dead_endpoints: readonly string[];
  /** What is left of its limits. */
  readonly limits: readonly LimitView[];
  readonly expired_at: string | null;
}

export interface Question {
  /** `null`: a call without a credential. */
  readonly token: string | null;
  readonly zone: Zone;
  readonly requirement:
    | { readonly endpoint: string }
    | { readonly scope: readonly string[] }
    | { readonly authenticated: true };
}

export interface TokenQuery extends Paging {
  readonly search?: string | undefined;
  readonly type?: string | undefined;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly state?: TokenState | undefined;
  readonly expires?: string | undefined;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  readonly types: Readonly<Record<string, GrantView>>;
  readonly ownership: Ownership;
  /** `undefined`: the caller on a server, nobody on a store. */
  readonly owner: string | undefined;
  /** `null`: never. */
  readonly expiresAt: Date | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly rateLimit: RateLimitView | undefined;
  readonly quota: QuotaView | undefined;
}

/** Fields that are `undefined` stay as they are. */
export interface TokenChanges {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly types: Readonly<Record<string, GrantView>> | undefined;
  readonly expiresAt: Date | null | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** `null`: none. */
  readonly rateLimit: RateLimitView | null | undefined;
  readonly quota: QuotaView | null | undefined;
}

/** Days such as `2026-01-31`, both included. */
export interface UsageDays {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface ChangeFilter {
  readonly type?: ChangeType | undefined;
  readonly subject?: string | undefined;
  readonly actor?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
}

export interface Issued {
  readonly token: string;
  readonly record: TokenView;
}

export interface Paging {
  readonly limit: number;
  readonly cursor: string | null;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** `null` on the last page. */
  readonly next: string | null;
}

/** Imports tokens. */
export type PutTokens = (
  inputs: readonly Readonly<Record<string, unknown>>[],
) => Promise<readonly PromiseSettledResult<unknown>[]>;

/** The target of a command: a server over HTTP, or a store through the library. */
export interface Backend {
  /** Its address, without secrets. */
  readonly place: string;
  /** The address to log in to with one of its tokens; `null` for a store. */
  readonly endpoint: string | null;
  /** The types that its tokens can have. */
  tokenTypes(): Promise<readonly TokenType[]>;
  listTokens(query: TokenQuery): Promise<Listed<TokenView>>;
  createToken(input: NewToken): Promise<Issued>;
  findToken(id: string): Promise<TokenDetail | null>;
  updateToken(id: string, changes: TokenChanges): Promise<TokenView>;
  /** `grace`: a duration such as `1h`. */
  rotateToken(id: string, grace: string | undefined): Promise<Issued>;
  /** Fills its limits again. */
  resetLimits(id: string): Promise<void>;
  revokeToken(id: string): Promise<void>;
  deleteToken(id: string): Promise<void>;
  /** Deletes the tokens of all organizations that expired longer ago than this duration. */
  pruneTokens(olderThan: string): Promise<number>;
  /**
   * Resolves with the function that imports tokens by their digests, with the inputs and the results of `tokens.import`.
   *
   * @param dryRun it checks all, and writes nothing
   */
  importing(dryRun: boolean): Promise<PutTokens>;
  tokenUsage(id: string): Promise<readonly Use[]>;
  /** By day. `token` `null`: of all tokens of the organization. */
  dailyUsage(token: string | null, days: UsageDays): Promise<readonly DailyUse[]>;
  listEndpoints(query: Paging): Promise<Listed<Endpoint>>;
  createEndpoint(id: string, access: Access): Promise<Endpoint>;
  updateEndpoint(id: string, access: Access): Promise<Endpoint>;
  deleteEndpoint(id: string): Promise<void>;
  previewEndpoint(id: string, access: Access): Promise<PreviewView>;
  /** The audit log, newest first. */
  listChanges(query: ChangeFilter & Paging): Promise<Listed<AuditEntry>>;
  inspect(token: string): Promise<Inspection>;
  explain(question: Question): Promise<Explanation>;
  close(): Promise<void>;
}
