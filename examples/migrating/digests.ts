import { dateOf } from './columns.js';
import { Ended, type Source } from './import-rows.js';

/** A table of your own: keys such as `key_` with 48 hexadecimal digits, of which the SHA-256 is kept. */
export interface DigestRow {
  readonly id: number;
  /** SHA-256 of the whole key, in hexadecimal. */
  readonly key_hash: string;
  readonly label: string;
  readonly user_id: string;
  /** Separated by spaces. */
  readonly scopes: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
}

/** Edit this: the scopes here for a scope there. */
function scopesOf(scope: string): 'models:read' | 'models:write' {
  if (scope === 'read') return 'models:read';
  if (scope === 'write') return 'models:write';
  throw new Error(`scopesOf has no case for ${JSON.stringify(scope)}`);
}

export const digests: Source<DigestRow> = {
  importedTokens: [{ pattern: /^key_[0-9a-f]{48}$/ }],
  tokenOf(row) {
    if (dateOf(row.revoked_at, 'revoked_at') !== null) throw new Ended('revoked');
    return {
      digest: row.key_hash,
      name: row.label,
      owner: row.user_id,
      types: { developer: { scopes: row.scopes.split(' ').map(scopesOf) } },
      expiresAt: dateOf(row.expires_at, 'expires_at'),
      metadata: { importedFrom: `api_keys ${row.id}` },
    };
  },
};
