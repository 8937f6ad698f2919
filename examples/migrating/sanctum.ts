import { dateOf } from './columns.js';
import { Ended, type Source } from './import-rows.js';

/** A row of Sanctum's table `personal_access_tokens`. */
export interface SanctumRow {
  readonly id: number;
  readonly tokenable_type: string;
  readonly tokenable_id: number;
  readonly name: string;
  /** SHA-256 of the part behind the `|`, in hexadecimal. */
  readonly token: string;
  /** JSON. */
  readonly abilities: string | null;
  readonly created_at: string;
  readonly expires_at: string | null;
}

/** Edit this: `expiration` of config/sanctum.php, in minutes. `null`: only `expires_at` ends a token. */
const EXPIRATION: number | null = null;

/** Edit this: the owner. A user and a team of the same number must not become one. */
function ownerOf({ tokenable_type, tokenable_id }: SanctumRow): string {
  if (tokenable_type === 'App\\Models\\User') return String(tokenable_id);
  throw new Error(`ownerOf has no case for ${tokenable_type}`);
}

/** Edit this: the scopes for an ability. Tokens that were made without abilities have `*`. */
function scopesOf(ability: string): readonly ('models:read' | 'models:write')[] {
  if (ability === 'models:list') return ['models:read'];
  if (ability === 'models:edit') return ['models:write'];
  if (ability === '*') return ['models:read', 'models:write'];
  throw new Error(`scopesOf has no case for ${JSON.stringify(ability)}`);
}

function expiryOf({ created_at, expires_at }: SanctumRow): Date | null {
  const own = dateOf(expires_at, 'expires_at');
  if (EXPIRATION === null) return own;
  const created = dateOf(created_at, 'created_at');
  if (created === null) throw new Error('created_at is empty');
  const common = new Date(created.getTime() + EXPIRATION * 60_000);
  return own !== null && own < common ? own : common;
}

export const sanctum: Source<SanctumRow> = {
  importedTokens: [
    // `id|secret`: 40 characters, since version 4 with a CRC-32 of 8 more, and with `token_prefix` if it is set.
    { pattern: /^\d+\|([A-Za-z0-9_]{0,32}[A-Za-z0-9]{40})$/, secret: (match) => match[1] },
  ],
  tokenOf(row) {
    if (row.abilities === undefined) throw new Error('abilities is missing');
    const abilities: string[] = JSON.parse(row.abilities ?? '[]');
    if (abilities.length === 0) throw new Ended('it has no abilities');
    return {
      digest: row.token,
      name: row.name,
      owner: ownerOf(row),
      types: { developer: { scopes: abilities.flatMap(scopesOf) } },
      expiresAt: expiryOf(row),
      metadata: { importedFrom: `personal_access_tokens ${row.id}` },
    };
  },
};
