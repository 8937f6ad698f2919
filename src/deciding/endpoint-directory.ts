import { BoundedMap } from '../base/bounded-map.js';
import type { CacheLimits } from '../base/options.js';
import { ACCESS, type EndpointPolicy, isEndpointId, isOrganizationName } from '../domain/endpoint.js';
import { isUnavailable, PosternError } from '../domain/errors.js';
import type { StoredEndpoint } from '../ports/records.js';
import type { Store } from '../ports/store.js';
import { feedTtl } from './token-cache.js';

/** The organizations whose endpoints are remembered. */
const MAX_ORGANIZATIONS = 1_000;
const MAX_EMPTY = 10_000;
/** An organization with more endpoints than this is not read whole: its endpoints are remembered one by one. */
const MAX_WHOLE = 10_000;
const PAGE = 1_000;
/** Names remembered of an organization that is not read whole, known and unknown. */
const MAX_SINGLE = 20_000;

interface Listing {
  readonly loadedAt: number;
  readonly sequence: number;
  /** Every endpoint of the organization is in `known`: what is not there does not exist. */
  readonly whole: boolean;
  readonly known: {
    get(id: string): StoredEndpoint | null | undefined;
    set(id: string, endpoint: StoredEndpoint | null): unknown;
  };
}

/** What the directory says of a name: `undefined` is "the store has to be read", `null` "there is no such endpoint". */
export type Lookup = EndpointPolicy | null | undefined;

/**
 * Endpoints by organization and id. An organization's endpoints are read together, so that a name which is not among them
 * costs no read: a flood of unknown names is answered from memory. Ids are gated by their charset before anything else.
 */
export class EndpointDirectory {
  readonly #store: Store;
  readonly #limits: CacheLimits;
  #ttl: number;
  readonly #organizations = new BoundedMap<string, Listing>(MAX_ORGANIZATIONS);
  /** Those without any, apart: a flood of names of organizations drives none of the others out. */
  readonly #empty = new BoundedMap<string, Listing>(MAX_EMPTY);
  readonly #loading = new Map<string, { readonly sequence: number; readonly listing: Promise<Listing> }>();
  #sequence = 0;

  constructor(store: Store, limits: CacheLimits) {
    this.#store = store;
    this.#limits = limits;
    this.#ttl = limits.ttl;
  }

  /** @throws PosternError `record_unreadable` */
  peek(organization: string, id: string, now: number): Lookup {
    const listing = this.#remembered(organization);
    if (listing === undefined || now - listing.loadedAt >= this.#ttl || listing.sequence !== this.#sequence) {
      return isEndpointId(id) && isOrganizationName(organization) ? undefined : null;
    }
    const endpoint = listing.known.get(id);
    if (endpoint === undefined) return listing.whole || !isEndpointId(id) ? null : undefined;
    return endpoint === null ? null : readable(endpoint);
  }

  /** Reads the store. @throws PosternError `record_unreadable`, and whatever the store rejects with */
  async find(organization: string, id: string, now: number): Promise<EndpointPolicy | null> {
    if (!isEndpointId(id) || !isOrganizationName(organization)) return null;
    const listing = await this.#load(organization, now).catch((error: unknown) =>
      this.#stale(organization, now, error),
    );
    let endpoint = listing.known.get(id);
    if (endpoint === undefined && !listing.whole) {
      endpoint = await this.#store.findEndpoint(organization, id);
      listing.known.set(id, endpoint);
    }
    return endpoint ? readable(endpoint) : null;
  }

  /** As {@link TokenCache.setFeed}. */
  setFeed(connected: boolean): void {
    this.#ttl = feedTtl(this.#limits, connected);
  }

  /** What was known before the store went down, if it may still be served; else what went wrong. */
  #stale(organization: string, now: number, error: unknown): Listing {
    const { ttl, staleIfUnavailable } = this.#limits;
    const known = staleIfUnavailable > 0 && isUnavailable(error) ? this.#remembered(organization) : undefined;
    if (known !== undefined && known.sequence === this.#sequence && now - known.loadedAt < ttl + staleIfUnavailable) {
      return known;
    }
    throw error;
  }

  /** Endpoints of some organization changed. They are few, and change seldom: all are read again. */
  clear(): void {
    this.#sequence++;
    this.#organizations.clear();
    this.#empty.clear();
  }

  #remembered(organization: string): Listing | undefined {
    return this.#organizations.get(organization) ?? this.#empty.get(organization);
  }

  #load(organization: string, now: number): Promise<Listing> {
    const sequence = this.#sequence;
    const known = this.#remembered(organization);
    if (known !== undefined && now - known.loadedAt < this.#ttl && known.sequence === sequence) {
      return Promise.resolve(known);
    }
    const loading = this.#loading.get(organization);
    if (loading !== undefined && loading.sequence === sequence && this.#ttl > 0) return loading.listing;
    const listing = this.#read(organization, now, sequence).finally(() => {
      if (this.#loading.get(organization)?.listing === listing) this.#loading.delete(organization);
    });
    this.#loading.set(organization, { sequence, listing });
    return listing;
  }

  async #read(organization: string, loadedAt: number, sequence: number): Promise<Listing> {
    const whole = new Map<string, StoredEndpoint | null>();
    let page: readonly StoredEndpoint[] = [];
    do {
      const last = page.at(-1);
      page = await this.#store.listEndpoints({ organization, limit: PAGE, ...(last && { after: last.id }) });
      for (const endpoint of page) whole.set(endpoint.id, endpoint);
    } while (page.length === PAGE && whole.size < MAX_WHOLE);
    const listing: Listing =
      page.length < PAGE
        ? { loadedAt, sequence, whole: true, known: whole }
        : { loadedAt, sequence, whole: false, known: new BoundedMap(MAX_SINGLE) };
    if (this.#ttl > 0 && sequence === this.#sequence) {
      (listing.whole && whole.size === 0 ? this.#empty : this.#organizations).set(organization, listing);
    }
    return listing;
  }
}

/** An endpoint whose access was changed by hand to something else has no policy to go by: a fault, never an allow. */
function readable(endpoint: StoredEndpoint): EndpointPolicy {
  if (!ACCESS.includes(endpoint.access) || typeof endpoint.uid !== 'string' || endpoint.uid === '') {
    throw new PosternError(
      'record_unreadable',
      `the record of endpoint ${endpoint.id} can not be read: its access is damaged. Update it, or delete the endpoint`,
      { path: 'access' },
    );
  }
  return endpoint;
}
