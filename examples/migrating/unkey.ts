import { dateOf, flagOf, hexOf } from './columns.js';
import { Ended, type Source } from './import-rows.js';

/** A key as Unkey's `keys.migrateKeys` takes it, with its id. Put `null` or an empty list where a key has none. */
export interface UnkeyRow {
  readonly id: string;
  /** SHA-256 of the whole key, in base64. */
  readonly hash: string;
  readonly name: string | null;
  readonly externalId: string | null;
  readonly enabled: boolean | number;
  /** Epoch milliseconds. */
  readonly expires: number | null;
  readonly permissions: readonly string[];
  readonly roles: readonly string[];
  readonly credits: { readonly remaining: number } | null;
  readonly ratelimits: readonly {
    readonly name: string;
    readonly limit: number;
    /** Milliseconds. */
    readonly duration: number;
    readonly autoApply: boolean;
  }[];
}

/** Edit this: the scopes for a permission. */
function scopesOf(permission: string): 'models:read' | 'models:write' {
  if (permission === 'documents.read') return 'models:read';
  if (permission === 'documents.write') return 'models:write';
  throw new Error(`scopesOf has no case for ${JSON.stringify(permission)}`);
}

/** Only limits that apply to every call have an equal here. */
function rateLimitOf({ credits, ratelimits }: UnkeyRow) {
  if (credits !== null) throw new Error('credits: choose a quota for this key');
  const [limit, ...others] = ratelimits;
  if (limit === undefined) return null;
  if (others.length > 0 || !limit.autoApply) throw new Error('ratelimits: choose one that applies to every call');
  return { points: limit.limit, duration: `${limit.duration}ms` as const };
}

export const unkey: Source<UnkeyRow> = {
  // Base58 of at least 16 random bytes, behind the prefix if there is one.
  importedTokens: [{ pattern: /^(?:[A-Za-z0-9_]{1,16}_)?[1-9A-HJ-NP-Za-km-z]{16,}$/ }],
  tokenOf(row) {
    if (!flagOf(row.enabled, 'enabled')) throw new Ended('disabled');
    if (row.roles.length > 0) throw new Error('roles: list their permissions in permissions');
    return {
      digest: hexOf(row.hash, 'base64'),
      name: row.name ?? `key ${row.id}`,
      owner: row.externalId,
      types: { developer: { scopes: row.permissions.map(scopesOf) } },
      expiresAt: dateOf(row.expires, 'expires'),
      rateLimit: rateLimitOf(row),
      metadata: { importedFrom: row.id },
    };
  },
};
