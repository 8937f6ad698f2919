import type { Ground } from '../base/ground.js';
import type { Access } from '../domain/endpoint.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { StoredEndpoint, StoredToken } from '../ports/records.js';
import type { ChangeLog } from './changes.js';

/** What a change of an endpoint's access would do. */
export interface AccessPreview {
  readonly from: Access;
  readonly to: Access;
  /** Afterwards anyone may call it, with or without a token. */
  readonly openToAnyone: boolean;
  /** Living tokens that do not get through now and would then. */
  readonly gain: readonly AffectedToken[];
  /** Living tokens that get through now and would no longer. Those that used it last come first. */
  readonly lose: readonly AffectedToken[];
}

/** A token that a change of access would let through, or shut out. */
export interface AffectedToken {
  readonly record: TokenRecord;
  /** When it last used this endpoint while that was protected; `null`: it never did. */
  readonly lastUsedAt: Date | null;
}

const PAGE = 500;

/** Judges every living token of the endpoint's organization, under both accesses. */
export async function previewAccess(
  ground: Ground,
  changes: ChangeLog,
  endpoint: StoredEndpoint,
  to: Access,
): Promise<AccessPreview> {
  const gain: AffectedToken[] = [];
  const lose: AffectedToken[] = [];
  const now = ground.time.read();
  let after: StoredToken | undefined;
  let page: readonly StoredToken[];
  do {
    page = await ground.store.listTokens({ organization: endpoint.organization, limit: PAGE, ...(after && { after }) });
    after = page.at(-1);
    for (const token of page) {
      const record = changes.readable(token, now);
      if (record === null || record.revokedAt !== null || (record.expiresAt?.getTime() ?? now + 1) <= now) continue;
      const granted = reaches(ground, token, endpoint);
      const before = getsThrough(endpoint.access, granted);
      const afterwards = getsThrough(to, granted);
      if (before === afterwards) continue;
      (afterwards ? gain : lose).push({ record, lastUsedAt: await lastUse(ground, token.id, endpoint.id) });
    }
  } while (page.length === PAGE);
  return { from: endpoint.access, to, openToAnyone: to === 'public', gain: latestFirst(gain), lose: latestFirst(lose) };
}

/** From outside: who stands inside needs no token for a private endpoint. */
function getsThrough(access: Access, granted: boolean): boolean {
  return access === 'public' || (access === 'protected' && granted);
}

function reaches(ground: Ground, token: StoredToken, endpoint: StoredEndpoint): boolean {
  const grants = ground.reader.grants(token);
  return grants.allEndpoints || grants.endpoints.has(endpoint.uid);
}

async function lastUse(ground: Ground, tokenId: string, endpoint: string): Promise<Date | null> {
  const counts = await ground.store.listUsage(tokenId);
  const count = counts.find((each) => each.endpoint === endpoint);
  return count ? new Date(count.lastUsedAt) : null;
}

function latestFirst(tokens: AffectedToken[]): AffectedToken[] {
  return tokens.sort((a, b) => (b.lastUsedAt?.getTime() ?? 0) - (a.lastUsedAt?.getTime() ?? 0));
}
