/** What the management API answers, in the parts that the console reads. Times are ISO 8601. */

export interface User {
  readonly name: string;
  readonly email: string;
  readonly first_name: string;
  readonly last_name: string;
}

/** Token type → what of it is granted. */
export type Grants = Readonly<
  Record<string, { readonly scopes: readonly string[] } | { readonly endpoints: '*' | readonly string[] }>
>;

/** A token type of the application. */
export type TokenType =
  | { readonly name: string; readonly form: 'endpoint_access' }
  | {
      readonly name: string;
      readonly form: 'scope_access';
      /** Resource → action → the actions that it includes. */
      readonly resources: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
    };

export interface Permissions {
  readonly listTokens: boolean;
  readonly manageTokens: boolean;
  /** The caller's own personal tokens. */
  readonly manageOwn: boolean;
  readonly readEndpoints: boolean;
  readonly manageEndpoints: boolean;
  readonly readAudit: boolean;
}

export interface Session {
  readonly user: User;
  readonly organization: { readonly name: string };
  /** Who the caller's personal tokens belong to; `null`: to nobody by name. */
  readonly owner: string | null;
  /** What the caller may grant: scopes with all they include, endpoints by name. */
  readonly grants: { readonly scopes: readonly string[]; readonly endpoints: '*' | readonly string[] };
  readonly types: readonly TokenType[];
  readonly can: Permissions;
  /** Whether the session was begun by the console's own sign-in, and can be ended here. */
  readonly sign_out: boolean;
}

export interface Token {
  readonly uid: string;
  readonly name: string;
  readonly description: string;
  readonly types: Grants;
  readonly user: User;
  readonly owner: string | null;
  readonly hint: string;
  readonly created_at: string;
  readonly expired_at: string | null;
  readonly last_used_at: string | null;
  readonly revoked_at: string | null;
  readonly is_expired: boolean;
  readonly is_organization_token: boolean;
}

export interface IssuedToken extends Token {
  /** The secret. */
  readonly token: string;
}

export interface TokenPage {
  readonly start: number;
  readonly count: number;
  readonly total: number;
  readonly items: readonly Token[];
}

export interface Use {
  /** `null`: calls that no endpoint was in question for. */
  readonly endpoint: string | null;
  readonly count: number;
  readonly last_used_at: string;
}

export type Access = 'public' | 'protected' | 'private';

export interface Endpoint {
  readonly id: string;
  readonly access: Access;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface CursorPage<Item> {
  readonly items: readonly Item[];
  readonly next_cursor: string | null;
}

export interface AffectedToken {
  readonly token: Token;
  /** When it last used the endpoint. */
  readonly last_used_at: string | null;
}

export interface Preview {
  readonly from: Access;
  readonly to: Access;
  readonly open_to_anyone: boolean;
  /** Of all; `gain` and `lose` name some of them. */
  readonly gain_count: number;
  readonly lose_count: number;
  readonly gain: readonly AffectedToken[];
  readonly lose: readonly AffectedToken[];
}

export interface AuditEntry {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly token_id?: string | null; readonly owner?: string | null };
  readonly from: string | null;
  readonly subject: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Someone who waits at a terminal to be logged in. */
export interface LoginRequest {
  /** The address that it came from; `null` where the server can't tell. */
  readonly from: string | null;
  readonly created_at: string;
  readonly expires_at: string;
  /** Whether only who began it can collect the token. */
  readonly bound: boolean;
  readonly status: 'pending' | 'approved' | 'denied';
  /** What it gets unless less is chosen. */
  readonly types: Grants;
  /** When its token ends at the latest; `null`: as is chosen. */
  readonly token_expires_at: string | null;
  /** How long its token lives unless another life is chosen, e.g. `90d`. */
  readonly token_expires_in: string;
}
