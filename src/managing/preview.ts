import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { inTurn } from '../base/turns.js';
import type { Access } from '../domain/endpoint.js';
import { reaches } from '../domain/grants.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { StoredEndpoint, StoredToken } from '../ports/records.js';
import type { ChangeLog } from './changes.js';
import { recordsOf } from './records.js';
import { MOST_LOOKED_AT, MOST_OF_PAGE, Page } from './slices.js';
import { sizeOfToken } from './token-lists.js';

/** The effect of a change of an endpoint's access. */
export interface AccessPreview {
  readonly from: Access;
  readonly to: Access;
  /** After the change, anyone may call it, with or without a token. */
  readonly openToAnyone: boolean;
  /** The number of living tokens that are refused now, and would be let through. */
  readonly gainCount: number;
  /** The number of living tokens that are let through now, and would be refused. */
  readonly loseCount: number;
  /** `true`: the organization has more than 50,000 tokens. Only the newest 50,000 were checked, so the counts are "at least". */
  readonly more: boolean;
  /** The tokens that gain it, at most 1,000 or one page in size, by their last use of it, the latest first. */
  readonly gain: readonly AffectedToken[];
  /** The tokens that lose it, likewise. */
  readonly lose: readonly AffectedToken[];
}

/** A token that a change of access would let through or refuse. */
export interface AffectedToken {
  readonly record: TokenRecord;
  /** Its last use of this endpoint while that was protected; `null`: never. */
  readonly lastUsedAt: Date | null;
}

const PAGE = 100;
const MOST_SHOWN = 1_000;

/** Compares both accesses for the living tokens of the endpoint's organization, up to the limit of one request. */
export async function previewAccess(
  ground: Ground,
  changes: ChangeLog,
  endpoint: StoredEndpoint,
  to: Access,
): Promise<AccessPreview> {
  const { store, time } = ground;
  const { organization, access: from } = endpoint;
  const gain = new Affected();
  const lose = new Affected();
  const now = time.read();
  let looked = 0;
  let after: StoredToken | undefined;
  let page: readonly StoredToken[];
  do {
    page = await store.listTokens({ organization, limit: PAGE, ...(after && { after }) });
    after = page.at(-1);
    looked += page.length;
    const judged = await inTurn(page, (token) => ({ token, granted: isGranted(ground, token, endpoint, now) }));
    const changed = judged.flatMap(({ token, granted }) => {
      if (granted === null || getsThrough(from, granted) === getsThrough(to, granted)) return [];
      return [{ token, gains: getsThrough(to, granted) }];
    });
    const ids = changed.map(({ token }) => token.id);
    const uses = ids.length === 0 ? [] : await store.listUsage(ids, endpoint.id);
    const lastUses = new Map(uses.map(({ tokenId, lastUsedAt }) => [tokenId, lastUsedAt]));
    for (const { token, gains } of changed) (gains ? gain : lose).add(token, lastUses.get(token.id) ?? null);
  } while (page.length === PAGE && looked < MOST_LOOKED_AT);
  const shown = async (affected: Affected): Promise<readonly AffectedToken[]> => {
    const uses = affected.latest();
    const times = new Map(uses.map(({ token, lastUsedAt }) => [token.id, lastUsedAt]));
    const records = await recordsOf(
      ground,
      changes,
      uses.map(({ token }) => token),
    );
    return records.map((record) => {
      const lastUsedAt = times.get(record.id) ?? null;
      return { record, lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt) };
    });
  };
  return {
    from,
    to,
    openToAnyone: to === 'public',
    gainCount: gain.count,
    loseCount: lose.count,
    more: page.length === PAGE,
    gain: await shown(gain),
    lose: await shown(lose),
  };
}

/** For external callers. An internal caller needs no token for a private endpoint. */
function getsThrough(access: Access, granted: boolean): boolean {
  return access === 'public' || (access === 'protected' && granted);
}

/** Whether a token's grants reach the endpoint; `null`: the token has ended, or can't be read. */
function isGranted(ground: Ground, token: StoredToken, endpoint: StoredEndpoint, now: number): boolean | null {
  try {
    return isRevoked(token) || expiryOf(token) <= now ? null : reaches(ground.reader.grants(token), endpoint);
  } catch (error) {
    ground.events.fault('record', error, now);
    return null;
  }
}

interface Use {
  readonly token: StoredToken;
  readonly lastUsedAt: number | null;
}

/** Counts tokens, and keeps those with the latest uses of the endpoint. */
class Affected {
  count = 0;
  #uses: Use[] = [];
  #size = 0;

  add(token: StoredToken, lastUsedAt: number | null): void {
    this.count++;
    this.#uses.push({ token, lastUsedAt });
    this.#size += sizeOfToken(token);
    // Sorted only when the list is four times too long or too large.
    if (this.#uses.length >= 4 * MOST_SHOWN || this.#size >= 4 * MOST_OF_PAGE) this.latest();
  }

  /** Keeps no others: what comes later pushes none of them up again. */
  latest(): readonly Use[] {
    this.#uses.sort((a, b) => (b.lastUsedAt ?? 0) - (a.lastUsedAt ?? 0));
    const page = new Page(MOST_SHOWN, ({ token }: Use) => sizeOfToken(token));
    for (const use of this.#uses) page.add(use);
    this.#uses = page.rows;
    this.#size = page.size;
    return page.rows;
  }
}
