import { crc32 } from 'node:zlib';
import { dateOf, flagOf, hexOf } from './columns.js';
import { Ended, type Source } from './import-rows.js';

/** Your own tokens in GitHub's form, of which the SHA-256 is kept in base64. */
export interface PatRow {
  readonly id: number;
  readonly note: string;
  readonly login: string;
  /** SHA-256 of the whole token, in base64. */
  readonly hashed_token: string;
  /** Separated by commas. */
  readonly scopes: string;
  readonly expires_at: string | null;
  readonly revoked: boolean | number;
}

/** Edit this: the scope here for a scope there. */
function scopeOf(scope: string): 'models:read' | 'models:write' {
  if (scope === 'read:models') return 'models:read';
  if (scope === 'models') return 'models:write';
  throw new Error(`scopeOf has no case for ${JSON.stringify(scope)}`);
}

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** CRC-32 in base62: 6 digits. */
export function checksumOf(random: string): string {
  let rest = crc32(random);
  let digits = '';
  for (let i = 0; i < 6; i++) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

export const pats: Source<PatRow> = {
  importedTokens: [
    {
      // 30 random characters and the checksum. Without a part the token is refused, and the store is not read.
      pattern: /^acme_([A-Za-z0-9]{30})([A-Za-z0-9]{6})$/,
      secret: ([token, random = '', checksum]) => (checksum === checksumOf(random) ? token : undefined),
    },
  ],
  tokenOf(row) {
    if (flagOf(row.revoked, 'revoked')) throw new Ended('revoked');
    return {
      digest: hexOf(row.hashed_token, 'base64'),
      name: row.note,
      owner: row.login,
      types: { developer: { scopes: row.scopes.split(',').map((scope) => scopeOf(scope.trim())) } },
      expiresAt: dateOf(row.expires_at, 'expires_at'),
      metadata: { importedFrom: `tokens ${row.id}` },
    };
  },
};
