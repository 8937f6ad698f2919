import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter, TokenPosition, TokenQuery } from '../../ports/store.js';
import { matches, newestFirst, placeOf } from './query.js';

/** The tokens of a memory store. Its listings are in the order of a page, so a page is read without other organizations' tokens. */
export class MemoryTokens {
  readonly #tokens = new Map<string, StoredToken>();
  /** Oldest first, so that new ones go to the end. */
  readonly #listings = new Map<string, TokenPosition[]>();

  get(id: string): StoredToken | undefined {
    return this.#tokens.get(id);
  }

  set(token: StoredToken): void {
    const before = this.#tokens.get(token.id);
    this.#tokens.set(token.id, token);
    if (before !== undefined && isPlacedAs(before, token)) return;
    if (before !== undefined) this.#unlist(before);
    for (const name of listingsOf(token)) {
      const listing = this.#listings.get(name) ?? [];
      this.#listings.set(name, listing);
      listing.splice(placeOf(listing, token, itself), 0, { createdAt: token.createdAt, id: token.id });
    }
  }

  /** Returns whether the token existed. */
  delete(id: string): boolean {
    const token = this.#tokens.get(id);
    if (token === undefined) return false;
    this.#tokens.delete(id);
    this.#unlist(token);
    return true;
  }

  list({ offset = 0, limit, ...filter }: TokenQuery): readonly StoredToken[] {
    const page: StoredToken[] = [];
    let toPass = offset;
    for (const token of this.#matching(filter)) {
      if (page.length >= limit) break;
      if (toPass > 0) toPass--;
      else page.push(token);
    }
    return page;
  }

  count(filter: TokenFilter, atMost: number): number {
    let count = 0;
    for (const _ of this.#matching(filter)) {
      if (count >= atMost) break;
      count++;
    }
    return count;
  }

  expired(organization: string | null, before: number, limit: number): readonly StoredToken[] {
    const expired: StoredToken[] = [];
    for (const token of this.#tokens.values()) {
      if (expired.length >= limit) break;
      if (token.expiresAt === null || token.expiresAt > before) continue;
      if (organization === null || token.organization === organization) expired.push(token);
    }
    return expired;
  }

  *#matching(filter: TokenFilter): Generator<StoredToken> {
    const listing = this.#listings.get(listingFor(filter)) ?? [];
    const { after, until } = filter;
    for (let index = after === undefined ? listing.length : placeOf(listing, after, itself); index > 0; index--) {
      const position = listing[index - 1] as TokenPosition;
      if (until !== undefined && newestFirst(position, until) > 0) return;
      const token = this.#tokens.get(position.id) as StoredToken;
      if (matches(token, filter)) yield token;
    }
  }

  #unlist(token: StoredToken): void {
    for (const name of listingsOf(token)) {
      const listing = this.#listings.get(name) as TokenPosition[];
      listing.splice(placeOf(listing, token, itself), 1);
      if (listing.length === 0) this.#listings.delete(name);
    }
  }
}

function isPlacedAs(before: StoredToken, { createdAt, organization, owner, ownership }: StoredToken): boolean {
  return (
    before.createdAt === createdAt &&
    before.organization === organization &&
    before.owner === owner &&
    before.ownership === ownership
  );
}

const itself = (position: TokenPosition) => position;

const ALL = 'all';

/** JSON, so that no character can be mistaken for a separator. */
function listingsOf({ organization, owner, ownership }: StoredToken): readonly string[] {
  return [ALL, named({ organization }), named({ organization, owner }), named({ organization, ownership })];
}

function listingFor({ organization, owner, ownership }: TokenFilter): string {
  if (organization === null) return ALL;
  return named(owner !== undefined ? { organization, owner } : { organization, ownership });
}

function named(conditions: object): string {
  return JSON.stringify(conditions);
}
