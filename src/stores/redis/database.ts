import { randomUUID } from 'node:crypto';
import { PosternError } from '../../domain/errors.js';
import type { Change } from '../../ports/changes.js';
import type { Stale, Store } from '../../ports/store.js';
import { Feed } from '../shared/feed/feed.js';
import { NOBODY, ofEndpoints, ofToken } from '../shared/feed/message.js';
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
      insertToken: (token, secret, made) =>
        this.#change(made, NOBODY, (change) => tokens.insertToken(connection, token, secret, change)),
      replaceToken: (token, expectedVersion, rotation, made) =>
        this.#change(made, ofToken(token.id), (change) =>
          tokens.replaceToken(connection, token, expectedVersion, rotation, change),
        ),
      revokeToken: (id, at, made) =>
        this.#change(made, ofToken(id), (change) => tokens.revokeToken(connection, id, at, change)),
      deleteToken: (id, made) =>
        this.#change(made, ofToken(id), (change) => tokens.deleteToken(connection, id, change)),
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
      insertEndpoint: (endpoint, made) =>
        this.#change(made, ofEndpoints(endpoint.organization), (change) =>
          endpoints.insertEndpoint(connection, endpoint, change),
        ),
      replaceEndpoint: (endpoint, expectedVersion, made) =>
        this.#change(made, ofEndpoints(endpoint.organization), (change) =>
          endpoints.replaceEndpoint(connection, endpoint, expectedVersion, change),
        ),
      deleteEndpoint: (organization, id, made) =>
        this.#change(made, ofEndpoints(organization), (change) =>
          endpoints.deleteEndpoint(connection, organization, id, change),
        ),
      findEntry: (kind, id, now) => read(() => entries.findEntry(connection, kind, id, now)),
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

  async #change(
    change: Change,
    invalidation: Stale | null,
    write: (change: readonly string[]) => Promise<string>,
  ): Promise<boolean> {
    const args = changeArgs(change, this.#connection.keys.feed, invalidation);
    await this.#ready();
    return this.#feed.change(change.id, invalidation, async () => {
      const word = await write(args);
      if (word === 'taken') throw new Error('there is another change of this id: check the random option');
      return word === 'done';
    });
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
