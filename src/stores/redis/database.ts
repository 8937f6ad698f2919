import { PosternError } from '../../domain/errors.js';
import type { Change } from '../../ports/changes.js';
import type { Store } from '../../ports/store.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { listChanges, type PreparedChange, prepareChange } from './changes.js';
import type { ClientPort } from './client.js';
import { Connection } from './connection.js';
import { clientFor, portOf } from './driver.js';
import * as endpoints from './endpoints.js';
import * as entries from './entries.js';
import { ChangeFeed } from './feed.js';
import { keysUnder } from './keys.js';
import type { RedisSettings } from './options.js';
import { prepare } from './schema.js';
import * as lists from './token-lists.js';
import * as tokens from './tokens.js';
import { Upgrade } from './upgrade.js';
import { listUsage, UsageWriter } from './usage.js';

/** A {@link Store} that makes and upgrades its own layout. */
export interface RedisStore extends Store {
  /**
   * Looks at the server and makes or upgrades the layout now, instead of with the first call, and says what it did. Idempotent.
   * It resolves once an upgrade is whole, whoever began it; opening the store only begins one, and everything works
   * meanwhile, though processes of the version before do not any more. Where the data was lost while this store was open, it
   * begins anew. With `dryRun` it changes nothing, and says what it would do.
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
  readonly #feed: ChangeFeed;
  readonly #usage: UsageWriter;
  readonly #upgrade: Upgrade;
  #opening: Promise<Migration> | null = null;
  #closing: Promise<void> | null = null;

  constructor({ source, prefix, timeout, heartbeat }: RedisSettings) {
    this.#isOurs = 'url' in source;
    this.#client = 'url' in source ? clientFor(source.url, timeout) : portOf(source.client);
    this.#connection = new Connection(this.#client, keysUnder(prefix), timeout);
    this.#feed = new ChangeFeed(this.#client, this.#connection, { heartbeat, timeout, open: () => this.#open() });
    this.#usage = new UsageWriter(this.#connection);
    this.#upgrade = new Upgrade(this.#connection);
  }

  store(): RedisStore {
    const connection = this.#connection;
    const feed = this.#feed;
    const upgrade = this.#upgrade;
    const read = async <T>(work: () => Promise<T>): Promise<T> => {
      await this.#ready();
      return work();
    };
    return {
      findTokenByDigest: (digests) => read(() => tokens.findTokenByDigest(connection, digests)),
      findTokenByKeyId: (keyIds) => read(() => tokens.findTokenByKeyId(connection, keyIds)),
      findToken: (id) => read(() => tokens.findToken(connection, id)),
      listTokens: (query) => read(() => lists.listTokens(connection, upgrade, query)),
      countTokens: (filter, atMost) => read(() => lists.countTokens(connection, upgrade, filter, atMost)),
      insertToken: (token, secret, made) =>
        this.#change(made, (change) => tokens.insertToken(connection, token, secret, change)),
      replaceToken: (token, expectedVersion, rotation, made) =>
        this.#change(made, (change) => tokens.replaceToken(connection, token, expectedVersion, rotation, change)),
      deleteToken: (id, made) => this.#change(made, (change) => tokens.deleteToken(connection, id, change)),
      listExpiredTokens: (organization, before, limit) =>
        read(() => lists.listExpiredTokens(connection, organization, before, limit)),
      recordUsage: (usages) => this.#usage.record(usages, () => this.#ready()),
      listUsage: (id) => read(() => listUsage(connection, id)),
      listChanges: (query) => read(() => listChanges(connection, query)),
      findEndpoint: (organization, id) => read(() => endpoints.findEndpoint(connection, organization, id)),
      listEndpoints: (query) => read(() => endpoints.listEndpoints(connection, query)),
      insertEndpoint: (endpoint, made) =>
        this.#change(made, (change) => endpoints.insertEndpoint(connection, endpoint, change)),
      replaceEndpoint: (endpoint, expectedVersion, made) =>
        this.#change(made, (change) => endpoints.replaceEndpoint(connection, endpoint, expectedVersion, change)),
      deleteEndpoint: (organization, id, made) =>
        this.#change(made, (change) => endpoints.deleteEndpoint(connection, organization, id, change)),
      findEntry: (kind, id, now) => read(() => entries.findEntry(connection, kind, id, now)),
      putEntry: (entry, expectedVersion, now) => read(() => entries.putEntry(connection, entry, expectedVersion, now)),
      deleteEntry: (kind, id, expectedVersion, now) =>
        read(() => entries.deleteEntry(connection, kind, id, expectedVersion, now)),
      subscribe: (listener) => feed.subscribe(listener),
      confirm: (timeout) => read(() => feed.confirm(timeout)),
      migrate: (options) => this.#migrate(options),
      close: () => {
        this.#closing ??= this.#close();
        return this.#closing;
      },
    };
  }

  /** A change, and its telling, before the caller goes on. */
  async #change(made: Change, write: (change: PreparedChange) => Promise<string>): Promise<boolean> {
    const change = prepareChange(made, this.#connection.keys.feed, this.#feed.instance);
    await this.#ready();
    const { id, invalidation } = change;
    this.#feed.expect(id);
    let word: string;
    try {
      word = await write(change);
    } catch (error) {
      // Redis may have done it, and only its answer is missing.
      this.#feed.own(id, invalidation, false);
      throw error;
    }
    this.#feed.own(id, word === 'done' ? invalidation : null, word === 'done');
    if (word === 'taken') throw new Error('there is another change of this id: is the random option random?');
    return word === 'done';
  }

  async #ready(): Promise<void> {
    await this.#open();
    await this.#feed.started;
    if (this.#closing !== null) throw closed();
  }

  /** Once; where it failed, the next call tries again. */
  async #open(): Promise<Migration> {
    if (this.#closing !== null) throw closed();
    this.#opening ??= this.#prepare().catch((error) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** An upgrade goes on by itself: everything works meanwhile. */
  async #prepare(): Promise<Migration> {
    const done = await prepare(this.#connection);
    if (isUpgrade(done)) this.#upgrade.resume();
    return done;
  }

  async #migrate(options: MigrateOptions = {}): Promise<Migration> {
    if (this.#closing !== null) throw closed();
    if (options.dryRun) return prepare(this.#connection, options);
    const isOpen = this.#opening !== null;
    const opened = await this.#open();
    const done = isOpen ? await this.#prepare() : opened;
    if (isUpgrade(done)) await this.#upgrade.run();
    if (this.#closing !== null) throw closed();
    return done;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#feed.close(), this.#upgrade.stop()]);
    if (this.#isOurs) this.#client.disconnect();
    else this.#client.release();
  }
}

function closed(): PosternError {
  return new PosternError('closed', 'this store is closed: make another one');
}

function isUpgrade({ from, to }: Migration): boolean {
  return from > 0 && from < to;
}
