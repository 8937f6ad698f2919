import { randomUUID } from 'node:crypto';
import { PosternError } from '../../domain/errors.js';
import type { Change } from '../../ports/changes.js';
import type { Stale, Store } from '../../ports/store.js';
import { Feed } from '../shared/feed/feed.js';
import { ofEndpoints, ofToken } from '../shared/feed/message.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { changeArgs, listChanges, trimChanges } from './changes.js';
import { RedisChannel } from './channel.js';
import type { ClientPort } from './client.js';
import { Connection } from './connection.js';
import { clientFor, portOf } from './driver.js';
import * as endpoints from './endpoints.js';
import * as entries from './entries.js';
import { keysUnder } from './keys.js';
import type { RedisSettings } from './options.js';
import { prepare } from './schema.js';
import type { Script } from './script.js';
import * as lists from './token-lists.js';
import * as tokens from './tokens.js';
import { DailyTrimming, listDailyUsage, listUsage, prepareUsage, recordUsage } from './usage.js';

/** A {@link Store} that makes its own layout. */
export interface RedisStore extends Store {
  /**
   * Checks the server and makes the layout now instead of with the first call, and returns the work done. Idempotent. If the data
   * was lost while this store was open, it starts again with an empty layout. With `dryRun` it changes nothing, and returns the
   * work that it would do.
   *
   * @throws PosternError `store_invalid`: another application's keys, a server that drops keys when its memory is full, or one
   *   that forbids to publish; `store_newer`: written by a later version of this library; `closed`
   */
  migrate(options?: MigrateOptions): Promise<Migration>;
}

/** A change, with the part of the caches to forget and its script's own arguments. */
interface Write {
  readonly change: Change;
  /** `null` for a new token: nobody can have read it before, so nobody needs to be told. */
  readonly stale: Stale | null;
  readonly args: readonly string[];
}

/** Opens with the first call, and puts the store's methods together. */
export class RedisDatabase {
  readonly #client: ClientPort;
  readonly #isOurs: boolean;
  readonly #connection: Connection;
  readonly #feed: Feed;
  #opening: Promise<Migration> | null = null;
  #closing: Promise<void> | null = null;

  constructor({ source, prefix, timeout, heartbeat }: RedisSettings) {
    this.#isOurs = source.client === null;
    this.#client = source.client === null ? clientFor(source.url, timeout) : portOf(source.client);
    this.#connection = new Connection(this.#client, keysUnder(prefix), timeout);
    const instance = randomUUID();
    this.#feed = new Feed(new RedisChannel(this.#client, this.#connection, instance, timeout), instance, heartbeat);
  }

  store(): RedisStore {
    const connection = this.#connection;
    const feed = this.#feed;
    const trimming = new DailyTrimming();
    const read = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#ready();
      return work();
    };
    return {
      findTokenByDigest: (digests) => read(() => tokens.findTokenByDigest(connection, digests)),
      findTokenByKeyId: (keyIds) => read(() => tokens.findTokenByKeyId(connection, keyIds)),
      findToken: (id) => read(() => tokens.findToken(connection, id)),
      listSecrets: (tokenId) => read(() => tokens.listSecrets(connection, tokenId)),
      listTokens: (query) => read(() => lists.listTokens(connection, query)),
      countTokens: (filter, atMost) => read(() => lists.countTokens(connection, filter, atMost)),
      insertTokens: async (given) =>
        this.#changes(
          tokens.INSERT,
          given.map((each) => ({ change: each.change, stale: null, args: tokens.insertArgs(each) })),
        ),
      replaceToken: async (token, expectedVersion, rotation, change) => {
        const args = tokens.replaceArgs(token, expectedVersion, rotation);
        return this.#change(tokens.REPLACE, { change, stale: ofToken(token.id), args });
      },
      revokeToken: async (id, at, change) =>
        this.#change(tokens.REVOKE, { change, stale: ofToken(id), args: [id, String(at)] }),
      deleteTokens: async (removals) =>
        this.#changes(
          tokens.DELETE,
          removals.map(({ id, expectedVersion, change }) => {
            return { change, stale: ofToken(id), args: [id, expectedVersion === null ? '' : String(expectedVersion)] };
          }),
        ),
      listExpiredTokens: (organization, before, limit) =>
        read(() => lists.listExpiredTokens(connection, organization, before, limit)),
      recordUsage: async (usages) => {
        const chunks = prepareUsage(usages);
        await read(() => recordUsage(connection, chunks));
      },
      listUsage: (ids, endpoint) => read(() => listUsage(connection, ids, endpoint)),
      listDailyUsage: (query) => read(() => listDailyUsage(connection, query)),
      trimDailyUsage: (before, limit) => read(() => trimming.trim(connection, before, limit)),
      listChanges: (query) => read(() => listChanges(connection, query)),
      trimChanges: (before, limit) => read(() => trimChanges(connection, before, limit)),
      findEndpoint: (organization, id) => read(() => endpoints.findEndpoint(connection, organization, id)),
      findEndpoints: (organization, ids) => read(() => endpoints.findEndpoints(connection, organization, ids)),
      listEndpoints: (query) => read(() => endpoints.listEndpoints(connection, query)),
      insertEndpoint: async (endpoint, change) => {
        const args = endpoints.insertArgs(endpoint);
        return this.#change(endpoints.INSERT, { change, stale: ofEndpoints(endpoint.organization), args });
      },
      replaceEndpoint: async (endpoint, expectedVersion, change) => {
        const args = endpoints.replaceArgs(endpoint, expectedVersion);
        return this.#change(endpoints.REPLACE, { change, stale: ofEndpoints(endpoint.organization), args });
      },
      deleteEndpoint: async (organization, id, change) => {
        const args = [endpoints.fieldOf(organization, id)];
        return this.#change(endpoints.DELETE, { change, stale: ofEndpoints(organization), args });
      },
      findEntry: async (kind, id, now) =>
        (await read(() => entries.findEntries(connection, kind, [id], now)))[0] ?? null,
      findEntries: (kind, ids, now) => read(() => entries.findEntries(connection, kind, ids, now)),
      putEntry: (entry, expectedVersion, now) => read(() => entries.putEntry(connection, entry, expectedVersion, now)),
      deleteEntry: (kind, id, expectedVersion, now) =>
        read(() => entries.deleteEntry(connection, kind, id, expectedVersion, now)),
      trimEntries: (now, limit) => read(() => entries.trimEntries(connection, now, limit)),
      subscribe: (listener) => feed.subscribe(listener),
      confirm: (timeout) => read(() => feed.confirm(timeout)),
      migrate: (options) => this.#migrate(options),
      close: () => {
        this.#closing ??= this.#close();
        return this.#closing;
      },
    };
  }

  async #change(script: Script, write: Write): Promise<boolean> {
    return (await this.#changes(script, [write]))[0] === true;
  }

  /** Makes changes of one kind in one step. */
  async #changes(script: Script, writes: readonly Write[]): Promise<readonly boolean[]> {
    if (writes.length === 0) return [];
    const { feed } = this.#connection.keys;
    const args = writes.flatMap(({ change, stale, args: own }) => [...changeArgs(change, feed, stale), ...own]);
    await this.#ready();
    const told = writes.flatMap(({ change: { id }, stale }) => (stale === null ? [] : [{ id, invalidation: stale }]));
    const make = async () => {
      const [word, , answers] = await this.#connection.change(script, ...args);
      if (word === 'taken') throw new Error('there is another change of this id: check the random option');
      return (answers as readonly string[]).map((answer) => answer === '1');
    };
    return told.length === 0 ? make() : this.#feed.change(told, make);
  }

  async #ready(): Promise<void> {
    await this.#open();
    await this.#feed.enter();
    if (this.#closing !== null) throw closed();
  }

  /** Opens once. After a failure the next call tries again. */
  async #open(): Promise<Migration> {
    if (this.#closing !== null) throw closed();
    this.#opening ??= prepare(this.#connection).catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #migrate(options: MigrateOptions = {}): Promise<Migration> {
    if (this.#closing !== null) throw closed();
    if (options.dryRun) return prepare(this.#connection, options);
    const isOpen = this.#opening !== null;
    const opened = await this.#open();
    return isOpen ? prepare(this.#connection) : opened;
  }

  async #close(): Promise<void> {
    await this.#feed.close();
    if (this.#isOurs) this.#client.disconnect();
    else this.#client.release();
  }
}

function closed(): PosternError {
  return new PosternError('closed', 'this store is closed: make another one');
}
