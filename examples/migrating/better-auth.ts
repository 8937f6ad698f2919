import { dateOf, flagOf, hexOf } from './columns.js';
import { Ended, type Source } from './import-rows.js';

/** A row of the table `apikey` of better-auth's API key plugin. */
export interface BetterAuthRow {
  readonly id: string;
  readonly name: string | null;
  /** SHA-256 of the whole key, as base64url without padding. */
  readonly key: string;
  /** A user or an organization, as its configuration says. Before version 1.5: `userId`. */
  readonly referenceId?: string;
  readonly userId?: string;
  readonly configId?: string;
  readonly enabled: boolean | number;
  readonly expiresAt: string | number | null;
  /** JSON: the actions by resource. */
  readonly permissions: string | null;
  /** Uses that are left; with `refillInterval` (milliseconds) they come back. */
  readonly remaining: number | null;
  readonly refillInterval: number | null;
  readonly refillAmount: number | null;
  readonly rateLimitEnabled: boolean | number;
  /** Milliseconds. */
  readonly rateLimitTimeWindow: number | null;
  readonly rateLimitMax: number | null;
}

/** Edit this: the owner. A user and an organization of the same id must not become one. */
function ownerOf({ configId = 'default', referenceId, userId }: BetterAuthRow): string {
  if (configId !== 'default') throw new Error(`ownerOf has no case for the configuration ${configId}`);
  const owner = referenceId ?? userId;
  if (owner === undefined) throw new Error('referenceId is missing');
  return owner;
}

/** Edit this: the scope for an action on a resource. */
function scopeOf(resource: string, action: string): 'models:read' | 'models:write' {
  if (resource === 'files' && action === 'read') return 'models:read';
  if (resource === 'files' && action === 'write') return 'models:write';
  throw new Error(`scopeOf has no case for ${JSON.stringify(`${resource}: ${action}`)}`);
}

function limitsOf(row: BetterAuthRow) {
  const { remaining, refillInterval, refillAmount, rateLimitTimeWindow, rateLimitMax } = row;
  const refills = refillInterval !== null && refillAmount !== null;
  if (remaining !== null && !refills) throw new Error('remaining: here uses come back, so this limit has no equal');
  const isLimited = flagOf(row.rateLimitEnabled, 'rateLimitEnabled');
  if (isLimited && (rateLimitMax === null || rateLimitTimeWindow === null))
    throw new Error('a rate limit without numbers');
  return {
    rateLimit: isLimited
      ? { points: Number(rateLimitMax), duration: `${Number(rateLimitTimeWindow)}ms` as const }
      : null,
    quota: remaining === null ? null : { points: Number(refillAmount), refill: `${Number(refillInterval)}ms` as const },
  };
}

export const betterAuth: Source<BetterAuthRow> = {
  // 64 letters behind the prefix, if there is one. Edit both if you set `defaultKeyLength` or `customKeyGenerator`.
  importedTokens: [{ pattern: /^[A-Za-z0-9_-]{0,32}[A-Za-z]{64}$/ }],
  tokenOf(row) {
    if (!flagOf(row.enabled, 'enabled')) throw new Ended('disabled');
    const permissions = Object.entries(JSON.parse(row.permissions ?? '{}') as Record<string, string[]>);
    return {
      digest: hexOf(row.key, 'base64url'),
      name: row.name ?? `key ${row.id}`,
      owner: ownerOf(row),
      types: {
        developer: {
          scopes: permissions.flatMap(([resource, actions]) => actions.map((action) => scopeOf(resource, action))),
        },
      },
      expiresAt: dateOf(row.expiresAt, 'expiresAt'),
      ...limitsOf(row),
      metadata: { importedFrom: `apikey ${row.id}` },
    };
  },
};
