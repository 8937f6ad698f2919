import type { Access, Zone } from '../../domain/endpoint.js';
import type { Ownership } from '../../domain/principal.js';
import type { Endpoint, Explanation, Preview, Use } from '../../management/wire/types.js';

/** A token as the command shows it: the same keys from a server and from a store. Times are ISO 8601. */
export interface TokenView {
  readonly uid: string;
  readonly name: string;
  readonly description: string;
  readonly status: 'active' | 'expired' | 'revoked';
  /** By token type: `{ scopes }` or `{ endpoints }`. */
  readonly types: Readonly<Record<string, GrantView>>;
  /** Those of `types` that reach nothing any more: their endpoint was deleted. */
  readonly dead_grants: readonly { readonly type: string; readonly endpoint: string }[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  /** The start of the secret, to know it by. */
  readonly hint: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly created_at: string;
  readonly updated_at: string | null;
  /** `null`: never. */
  readonly expired_at: string | null;
  readonly revoked_at: string | null;
  readonly last_used_at: string | null;
}

export interface GrantView {
  readonly scopes?: readonly string[] | undefined;
  readonly endpoints?: '*' | readonly string[] | undefined;
}

/** With the token in few words. Of a server: the first of them that you may see. */
export type PreviewView = Omit<Preview, 'gain' | 'lose'> & Readonly<Record<'gain' | 'lose', readonly AffectedView[]>>;

export interface AffectedView {
  readonly uid: string;
  readonly name: string;
  readonly owner: string | null;
  readonly last_used_at: string | null;
}

/** Whether a credential is good, and what for. Of one that is not, nothing else is told but (of a store) why. */
export interface Inspection {
  readonly active: boolean;
  /** `null` where it is active, and where the server does not say. */
  readonly reason: string | null;
  readonly uid: string | null;
  readonly owner: string | null;
  readonly organization: string | null;
  /** Every scope held, with those included. */
  readonly scopes: readonly string[];
  readonly endpoints: '*' | readonly string[];
  /** Granted once, and deleted since. */
  readonly dead_endpoints: readonly string[];
  readonly expired_at: string | null;
}

export interface Question {
  /** `null`: what happens without a credential. */
  readonly token: string | null;
  readonly zone: Zone;
  readonly requirement:
    | { readonly endpoint: string }
    | { readonly scope: readonly string[] }
    | { readonly authenticated: true };
}

export interface TokenQuery {
  readonly search?: string | undefined;
  readonly type?: string | undefined;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface NewToken {
  readonly name: string;
  readonly description: string;
  readonly types: Readonly<Record<string, GrantView>>;
  readonly ownership: Ownership;
  /** `undefined`: whoever asks, and on a store nobody. */
  readonly owner: string | undefined;
  /** `null`: never. */
  readonly expiresAt: Date | null;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is `undefined` stays as it is. */
export interface TokenChanges {
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly types: Readonly<Record<string, GrantView>> | undefined;
  readonly expiresAt: Date | null | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
}

export interface Issued {
  readonly token: string;
  readonly record: TokenView;
}

export interface Listed<Item> {
  readonly items: readonly Item[];
  /** `null` on the last page. */
  readonly next: string | null;
}

/** What a command does its work on: a server over HTTP, or a store with the library on top. */
export interface Backend {
  /** Where it is, in words that hold no secret. */
  readonly place: string;
  /** Where a person would log in with a token of it; `null`: it is no server. */
  readonly endpoint: string | null;
  listTokens(query: TokenQuery): Promise<Listed<TokenView>>;
  createToken(input: NewToken): Promise<Issued>;
  findToken(id: string): Promise<TokenView | null>;
  updateToken(id: string, changes: TokenChanges): Promise<TokenView>;
  /** `grace`: a duration such as `1h`. */
  rotateToken(id: string, grace: string | undefined): Promise<Issued>;
  revokeToken(id: string): Promise<void>;
  deleteToken(id: string): Promise<void>;
  tokenUsage(id: string): Promise<readonly Use[]>;
  listEndpoints(query: { readonly limit: number; readonly cursor: string | null }): Promise<Listed<Endpoint>>;
  createEndpoint(id: string, access: Access): Promise<Endpoint>;
  updateEndpoint(id: string, access: Access): Promise<Endpoint>;
  deleteEndpoint(id: string): Promise<void>;
  previewEndpoint(id: string, access: Access): Promise<PreviewView>;
  inspect(token: string): Promise<Inspection>;
  explain(question: Question): Promise<Explanation>;
  close(): Promise<void>;
}
