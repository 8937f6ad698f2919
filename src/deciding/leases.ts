import { type Credential, credentialReader } from '../base/credential.js';
import { after, onNextTurn } from '../base/runtime.js';
import { type Denied, unavailable } from '../domain/decision.js';
import { AttemptReader, type GuardAttempt } from './attempt.js';
import type { Answer, Call } from './call.js';
import { Group, HeldLease, type Lease, type LeaseSources } from './lease.js';

/** Most calls are over before this many milliseconds. Only leases that are open for longer are sorted into groups. */
const SETTLING = 1_000;
/** How often a decision is looked at again if there is no cache, whose `ttl` would say it. Milliseconds. */
const UNCACHED = 5_000;
/** The longest time between two looks, so that a clock that was set is noticed. Milliseconds. */
const LONGEST = 30_000;
/** A lease survives this many looks in a row that find the store down. */
const TOLERATED_OUTAGES = 2;
/** How many leases one turn of the event loop handles, so that a hundred thousand of them hold up nobody. */
const PER_TURN = 100;

/**
 * Keeps decisions up to date while streams are open. Leases of one credential, requirement, zone and method form a group, and one
 * look serves the whole group: a thousand streams read the store as often as one.
 *
 * A group is looked at
 * - at once when its token or its endpoint has changed, in this process or (through the store's feed) in another one;
 * - when the facts behind its decision are as old as the cache allows. So a change is seen within `cache.ttl` without a feed, too;
 * - when its token ends.
 *
 * A denial ends all leases of the group. If the store is down, leases survive two looks and end at the third.
 */
export class Leases {
  readonly #sources: LeaseSources;
  readonly #attempts: AttemptReader;
  readonly #readCredential: (token: unknown) => Credential;
  /** Leases that are in no group yet. */
  readonly #fresh = new Set<HeldLease>();
  readonly #groups = new Map<string, Group>();
  readonly #byToken = new Map<string, Set<Group>>();
  /** Groups that are looked at in this turn or one of the next. */
  readonly #due = new Set<Group>();
  /** How many changes were told so far. */
  #changes = 0;
  #cancelSettling: (() => void) | null = null;

  constructor(sources: LeaseSources) {
    const { settings } = sources.ground;
    this.#sources = sources;
    this.#attempts = new AttemptReader(settings);
    this.#readCredential = credentialReader(settings);
  }

  /**
   * Opens a lease of an attempt that was allowed.
   *
   * @param ended called once, with the denial, when the attempt is no longer allowed. Never before `open` returns, nor after
   *   `close()`
   */
  open(attempt: GuardAttempt, ended: (denial: Denied) => void): Lease {
    const lease = new HeldLease(attempt, ended, this.#release);
    this.#fresh.add(lease);
    if (this.#sources.closed) onNextTurn(() => this.close());
    else {
      this.#cancelSettling ??= after(SETTLING, () => {
        this.#cancelSettling = null;
        this.#settle();
      });
    }
    return lease;
  }

  /** How many leases are open, and the number of groups that they form. */
  count(): { readonly leases: number; readonly groups: number } {
    let leases = this.#fresh.size;
    for (const { members } of this.#groups.values()) leases += members.size;
    return { leases, groups: this.#groups.size };
  }

  /** After a change of a token. */
  lookAtToken(id: string): void {
    this.#settle();
    this.#lookAt(this.#byToken.get(id) ?? []);
  }

  /** After a change of an organization's endpoints. */
  lookAtEndpoints(organization: string): void {
    this.#settle();
    const concerned: Group[] = [];
    for (const group of this.#groups.values()) if (group.organization === organization) concerned.push(group);
    this.#lookAt(concerned);
  }

  /** When anything may have changed. */
  lookAtAll(): void {
    this.#settle();
    this.#lookAt(this.#groups.values());
  }

  /** Ends all leases. Those that are opened once the instance is closed end, too. */
  close(): void {
    this.#cancelSettling?.();
    this.#cancelSettling = null;
    const denial = unavailable('store', new Error('the instance was closed'));
    inTurns(this.#fresh, (lease) => this.#end(lease, denial));
    for (const group of this.#groups.values()) this.#endGroup(group, denial);
  }

  readonly #release = (lease: HeldLease): void => {
    const { group } = lease;
    this.#fresh.delete(lease);
    if (group === null) return;
    group.members.delete(lease);
    if (group.members.size === 0) this.#drop(group);
  };

  #settle(): void {
    inTurns(this.#fresh, (lease) => {
      try {
        this.#sort(lease);
      } catch (error) {
        this.#end(lease, this.#sources.authorizer.fault(error));
      }
    });
  }

  #sort(lease: HeldLease): void {
    const { attempt } = lease;
    const key = this.#keyOf(this.#attempts.read(attempt, 'recheck'));
    const known = this.#groups.get(key);
    const group = known ?? new Group(key, attempt);
    group.members.add(lease);
    lease.group = group;
    if (known !== undefined) return;
    this.#groups.set(key, group);
    // Much may have changed since the decision.
    this.#look(group);
  }

  /** Everything that a recheck depends on. The credential is named by its hash. */
  #keyOf({ malformed, token, zone, method, proof, requirement }: Call): string {
    const credential = malformed ? 'token_malformed' : this.#readCredential(token);
    const name = typeof credential === 'string' ? credential : credential.key;
    return JSON.stringify([name, zone, method, proof !== null, requirement]);
  }

  #lookAt(groups: Iterable<Group>): void {
    this.#changes++;
    for (const group of groups) this.#due.add(group);
    inTurns(this.#due, (group) => {
      if (group.looking) group.lookAgain = true;
      else this.#look(group);
    });
  }

  #look(group: Group): void {
    group.looking = true;
    group.lookAgain = false;
    group.changesBefore = this.#changes;
    this.#lookAfter(this.#interval, group);
    this.#sources.authorizer.answer(group.attempt, 'recheck').then(
      (answer) => this.#judge(group, answer),
      (error) => this.#judge(group, { decision: this.#sources.authorizer.fault(error), call: null }),
    );
  }

  #lookAfter(milliseconds: number, group: Group): void {
    group.cancel?.();
    group.cancel = after(milliseconds, () => {
      group.cancel = null;
      if (!group.looking) this.#look(group);
      // No answer is an outage, too.
      else if (++group.outages <= TOLERATED_OUTAGES) this.#lookAfter(this.#interval, group);
      else this.#endGroup(group, unavailable('store', new Error('the store did not answer in time')));
    });
  }

  #judge(group: Group, { decision, call }: Answer): void {
    group.looking = false;
    if (this.#groups.get(group.key) !== group) return;
    if (decision.allowed) {
      group.outages = 0;
      if (call === null) return;
      // A change of a token that the group did not have before may have passed by.
      const missed = this.#index(group, call) && group.changesBefore !== this.#changes;
      if (group.lookAgain || missed) this.#look(group);
      else this.#lookAfter(this.#timeToNextLook(group, call), group);
    } else if (decision.reason === 'unavailable' && ++group.outages <= TOLERATED_OUTAGES) {
      this.#lookAfter(this.#interval, group);
    } else {
      const { events, time } = this.#sources.ground;
      events.decision(decision, call, time.latest);
      this.#endGroup(group, decision);
    }
  }

  /** Notes which changes concern the group, and tells whether they are others than before. */
  #index(group: Group, { knownHolder: holder, organization }: Call): boolean {
    // A signed token ends with the API token behind it.
    const tokenId = (holder?.account ?? holder)?.principal.tokenId ?? null;
    if (organization === group.organization && tokenId === group.tokenId) return false;
    this.#unindex(group);
    group.organization = organization;
    group.tokenId = tokenId;
    if (tokenId !== null) this.#byToken.set(tokenId, (this.#byToken.get(tokenId) ?? new Set()).add(group));
    return true;
  }

  #unindex(group: Group): void {
    if (group.tokenId === null) return;
    const groups = this.#byToken.get(group.tokenId);
    groups?.delete(group);
    if (groups?.size === 0) this.#byToken.delete(group.tokenId);
  }

  /** Milliseconds until one of the facts behind a decision is too old, or its token ends; the interval at most. */
  #timeToNextLook({ organization }: Group, { knownHolder: holder }: Call): number {
    const { ground, cache, directory } = this.#sources;
    const { last, latest } = ground.time;
    const times = [this.#interval];
    if (holder !== null) {
      for (const end of [holder.secretEndsAt, holder.expiresAt, holder.trustedUntil]) times.push(end - latest);
    }
    for (const loadedAt of [
      holder?.account?.loadedAt,
      organization === null ? undefined : directory.loadedAt(organization),
    ]) {
      const left = (loadedAt ?? 0) + cache.ttl - last;
      // What is too old already is served because the store is down.
      if (left > 0) times.push(left);
    }
    return Math.max(1, Math.min(...times));
  }

  get #interval(): number {
    const { ttl } = this.#sources.cache;
    return ttl === 0 ? UNCACHED : Math.min(ttl, LONGEST);
  }

  #endGroup(group: Group, denial: Denied): void {
    this.#drop(group);
    inTurns(group.members, (lease) => this.#end(lease, denial));
  }

  #end(lease: HeldLease, denial: Denied): void {
    lease.close();
    try {
      lease.ended(denial);
    } catch (error) {
      this.#sources.authorizer.fault(error);
    }
  }

  #drop(group: Group): void {
    group.cancel?.();
    group.cancel = null;
    this.#due.delete(group);
    this.#unindex(group);
    if (this.#groups.get(group.key) === group) this.#groups.delete(group.key);
  }
}

/** Takes each item out of a set and handles it, so many in one turn of the event loop. */
function inTurns<Item>(items: Set<Item>, handle: (item: Item) => void): void {
  let handled = 0;
  for (const item of items) {
    if (handled++ === PER_TURN) {
      onNextTurn(() => inTurns(items, handle));
      return;
    }
    items.delete(item);
    handle(item);
  }
}
