import { BoundedMap } from '../base/bounded-map.js';
import type { CacheLimits } from '../base/options.js';
import { Remembered } from '../base/remembered.js';
import { ACCESS, type EndpointPolicy, isEndpointId, isOrganizationName } from '../domain/endpoint.js';
import { isUnavailable, PosternError } from '../domain/errors.js';
import type { StoredEndpoint } from '../ports/records.js';
import type { VerificationReads } from '../ports/store.js';
import { feedTtl } from './token-cache.js';

/** The most organizations in the cache: with endpoints, and without any. */
const MAX_ORGANIZATIONS = 1_000;
const MAX_EMPTY = 10_000;
/** An organization with more endpoints than this is not read as a whole: its endpoints are cached one by one. */
const MAX_WHOLE = 10_000;
const PAGE = 1_000;
/** The most cached names, known and unknown, of an organization that is not read as a whole. */
const MAX_SINGLE = 20_000;

interface Listing {
  readonly loadedAt: number;
  /** `true`: `known` holds every endpoint of the organization, so other names don't exist. */
  readonly whole: boolean;
  readonly known: {
    get(id: string): StoredEndpoint | null | undefined;
    set(id: string, endpoint: StoredEndpoint | null): unknown;
  };
}

/** A read in progress. `overtaken` means that something changed after it began. */
interface Reading {
  overtaken: boolean;
  readonly listing: Promise<Listing>;
}

/** `undefined`: the store must be read. `null`: there is no such endpoint. */
export type Lookup = EndpointPolicy | null | undefined;

/**
 * Caches endpoints by organization and id. An organization's endpoints are read together, so that an unknown name costs no read:
 * a flood of unknown names is answered from memory. An id with invalid characters is refused first.
 */
export class EndpointDirectory {
  readonly #reads: VerificationReads;
  readonly #limits: CacheLimits;
  #ttl: number;
  readonly #listings = new Remembered<string, Listing, Listing>(MAX_ORGANIZATIONS, MAX_EMPTY);
  readonly #reading = new Map<string, Reading>();
  #changes = 0;

  constructor(reads: VerificationReads, limits: CacheLimits) {
    this.#reads = reads;
    this.#limits = limits;
    this.#ttl = limits.ttl;
  }

  /** @throws PosternError `record_unreadable` */
  peek(organization: string, id: string, now: number): Lookup {
    const listing = this.#fresh(organization, now);
    if (listing === undefined) return isEndpointId(id) && isOrganizationName(organization) ? undefined : null;
    const endpoint = listing.known.get(id);
    if (endpoint === undefined) return listing.whole || !isEndpointId(id) ? null : undefined;
    return endpoint === null ? null : readable(endpoint);
  }

  /** Reads the store if needed. @throws PosternError `record_unreadable`, or the store's own error */
  async find(organization: string, id: string, now: number): Promise<EndpointPolicy | null> {
    if (!isEndpointId(id) || !isOrganizationName(organization)) return null;
    const endpoint = await this.#find(organization, id, now);
    return endpoint && readable(endpoint);
  }

  /** How many changes this process has heard of. A fact that was read at another number may be of before. */
  get changes(): number {
    return this.#changes;
  }

  /** The clock time at which the endpoints of an organization were read; `undefined`: none are remembered. */
  loadedAt(organization: string): number | undefined {
    return this.#remembered(organization)?.loadedAt;
  }

  /** As {@link TokenCache.setFeed}. */
  setFeed(connected: boolean): void {
    this.#ttl = feedTtl(this.#limits, connected);
  }

  /** Endpoints of this organization have changed. They are few and change seldom, so all of them are read again. */
  invalidate(organization: string): void {
    this.#changes++;
    this.#listings.delete(organization);
    this.#overtake(organization);
  }

  clear(): void {
    this.#changes++;
    this.#listings.clear();
    for (const organization of [...this.#reading.keys()]) this.#overtake(organization);
  }

  async #find(organization: string, id: string, now: number): Promise<StoredEndpoint | null> {
    // Without a cache, reading all of them would be wasted.
    if (this.#limits.ttl === 0) return this.#reads.findEndpoint(organization, id);
    const listing = await this.#load(organization, now).catch((error: unknown) =>
      this.#stale(organization, now, error),
    );
    const known = listing.known.get(id);
    if (known !== undefined || listing.whole) return known ?? null;
    const endpoint = await this.#reads.findEndpoint(organization, id);
    listing.known.set(id, endpoint);
    return endpoint;
  }

  /** The endpoints from before an outage, if they may still be served; otherwise rethrows the error. */
  #stale(organization: string, now: number, error: unknown): Listing {
    const { ttl, staleIfUnavailable } = this.#limits;
    const known = staleIfUnavailable > 0 && isUnavailable(error) ? this.#remembered(organization) : undefined;
    if (known !== undefined && now - known.loadedAt < ttl + staleIfUnavailable) return known;
    throw error;
  }

  #remembered(organization: string): Listing | undefined {
    return this.#listings.value(organization) ?? this.#listings.absence(organization);
  }

  #fresh(organization: string, now: number): Listing | undefined {
    const listing = this.#remembered(organization);
    return listing !== undefined && now - listing.loadedAt < this.#ttl ? listing : undefined;
  }

  #load(organization: string, now: number): Promise<Listing> {
    const fresh = this.#fresh(organization, now);
    if (fresh !== undefined) return Promise.resolve(fresh);
    const under = this.#reading.get(organization);
    if (under !== undefined) return under.listing;
    const listing = this.#read(organization, now).then(
      (found) => {
        if (!reading.overtaken) this.#remember(organization, found);
        this.#done(organization, reading);
        return found.listing;
      },
      (error: unknown) => {
        this.#done(organization, reading);
        throw error;
      },
    );
    const reading: Reading = { overtaken: false, listing };
    this.#reading.set(organization, reading);
    return listing;
  }

  #remember(organization: string, { listing, empty }: { listing: Listing; empty: boolean }): void {
    if (empty) this.#listings.setAbsence(organization, listing);
    else this.#listings.setValue(organization, listing);
  }

  #done(organization: string, reading: Reading): void {
    if (this.#reading.get(organization) === reading) this.#reading.delete(organization);
  }

  /** A read in progress may return the state before the change. It is not cached, and only the calls that already wait get it. */
  #overtake(organization: string): void {
    const reading = this.#reading.get(organization);
    if (reading === undefined) return;
    reading.overtaken = true;
    this.#reading.delete(organization);
  }

  async #read(organization: string, loadedAt: number): Promise<{ listing: Listing; empty: boolean }> {
    const whole = new Map<string, StoredEndpoint | null>();
    let page: readonly StoredEndpoint[] = [];
    do {
      const last = page.at(-1);
      page = await this.#reads.listEndpoints({ organization, limit: PAGE, ...(last && { after: last.id }) });
      for (const endpoint of page) whole.set(endpoint.id, endpoint);
    } while (page.length === PAGE && whole.size < MAX_WHOLE);
    const listing: Listing =
      page.length < PAGE
        ? { loadedAt, whole: true, known: whole }
        : { loadedAt, whole: false, known: new BoundedMap(MAX_SINGLE) };
    return { listing, empty: listing.whole && whole.size === 0 };
  }
}

/** An endpoint with a damaged access has no policy: that is a fault, never an allow. */
function readable(endpoint: StoredEndpoint): EndpointPolicy {
  if (!ACCESS.includes(endpoint.access) || typeof endpoint.uid !== 'string' || endpoint.uid === '') {
    throw damaged(endpoint.id);
  }
  return endpoint;
}

function damaged(id: string): PosternError {
  const problem = `the record of endpoint ${id} can not be read: its access is damaged. Update it, or delete the endpoint`;
  return new PosternError('record_unreadable', problem, { path: 'access' });
}
