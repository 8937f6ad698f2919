import type { Change } from '../../ports/changes.js';
import type { NewToken, StoredEntry } from '../../ports/records.js';
import type { Stale, Store } from '../../ports/store.js';
import { encodeChange, ofEndpoints, ofToken, type Told } from '../shared/feed/message.js';
import { firstsOf } from '../shared/firsts.js';
import { TokenBatches } from './batches.js';
import type { Dialect } from './dialect.js';
import type { SqlDriver, SqlRow, SqlStatement } from './driver.js';
import { EndpointStatements } from './endpoints.js';
import { EntryStatements } from './entries.js';
import { countTokens, listChanges, listExpiredTokens, listSecrets, listTokens } from './lists.js';
import {
  changeValues,
  firstFound,
  firstFoundByKey,
  toChange,
  toDailyCount,
  toEndpoint,
  toEntry,
  toSecret,
  toToken,
  toUsageCount,
} from './rows.js';
import { type Prepared, TokenStatements } from './tokens.js';
import { UsageStatements } from './usage.js';
import { statementsOf } from './write.js';

/** In SQLite, where all is one transaction anyway, a new entry removes up to this many ended ones: more than it adds. */
const PURGED_BY_WRITE = 8;
/** Elsewhere every 32nd new entry of this process removes ended entries, at most 256. */
const NEW_ENTRIES_PER_PURGE = 32;
const PURGED_AT_ONCE = 256;

/** Tells the listeners of changes. */
export interface ChangeTeller {
  change(told: readonly Told[], make: () => Promise<readonly boolean[]>): Promise<readonly boolean[]>;
}

/** The tables of a store, and the way to them. */
export interface Tables {
  readonly dialect: Dialect;
  readonly driver: Pick<SqlDriver, 'query' | 'batch'>;
  /** Resolves when the tables are there, and changes are noticed. `undefined`: they are. */
  readonly enter: () => Promise<void> | undefined;
  /** `null`: nobody is told before the commit. */
  readonly feed: ChangeTeller | null;
  /** It is a guest in someone else's transaction, and doesn't tidy up there. */
  readonly isGuest?: boolean;
}

/** The methods of a store over SQL. */
export function storeOver({
  dialect,
  driver,
  enter,
  feed,
  isGuest = false,
}: Tables): Omit<Store, 'subscribe' | 'confirm' | 'within' | 'close'> {
  const tokens = new TokenStatements(dialect);
  const batches = new TokenBatches(dialect);
  const endpoints = new EndpointStatements(dialect);
  const entries = new EntryStatements(dialect);
  const usage = new UsageStatements(dialect);
  let newEntries = 0;

  const query = (statement: SqlStatement): Promise<readonly SqlRow[]> => {
    const entering = enter();
    return entering === undefined ? driver.query(statement) : entering.then(() => driver.query(statement));
  };
  const first = async (statement: SqlStatement): Promise<SqlRow | undefined> => (await query(statement))[0];
  const batch = async (statements: readonly SqlStatement[]): Promise<readonly number[]> => {
    const entering = enter();
    if (entering !== undefined) await entering;
    return driver.batch(statements);
  };
  /** `false` if the statement at `deciding` changed nothing, or a key is taken. */
  const write = async (statements: readonly SqlStatement[], deciding = 0): Promise<boolean> => {
    try {
      return ((await driver.batch(statements))[deciding] ?? 0) > 0;
    } catch (error) {
      if (dialect.isTaken(error)) return false;
      throw error;
    }
  };
  const count = async (statement: SqlStatement): Promise<number> => (await batch([statement]))[0] ?? 0;
  const change = async (made: Change, invalidation: Stale, [of, values]: Prepared): Promise<boolean> => {
    const told = encodeChange(made, invalidation);
    const statements = statementsOf(dialect, of, { ...values, ...changeValues(made), told });
    const entering = enter();
    if (entering !== undefined) await entering;
    if (feed === null) return write(statements);
    const [isMade] = await feed.change([{ id: made.id, invalidation }], async () => [await write(statements)]);
    return isMade === true;
  };
  /** Whether each of the changes was made by this batch. */
  const writeMany = async (statements: readonly SqlStatement[], changes: readonly Change[]) => {
    for (let attempt = 1; ; attempt++) {
      try {
        const [count = 0] = await driver.batch(statements);
        if (count === changes.length || count === 0) return changes.map(() => count > 0);
        const made = new Set((await driver.query(batches.made(changes))).map(({ id }) => id));
        return changes.map(({ id }) => made.has(id));
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        // Another one has taken a name meanwhile, and all of the batch was undone. The next attempt leaves out that token.
        if (changes.length === 1) return [false];
        if (attempt > changes.length) throw error;
      }
    }
  };
  /** Changes tokens at once; of items that share a name only the first. `told`: the part of the caches to forget with each. */
  const changeMany = async <Item extends { readonly change: Change }>(
    items: readonly Item[],
    namesOf: (item: Item) => readonly string[],
    statementsOf: (items: readonly Item[]) => readonly SqlStatement[],
    told: ((item: Item) => Told) | null,
  ): Promise<readonly boolean[]> => {
    const isFirst = firstsOf(items, namesOf);
    const firsts = items.filter((_, index) => isFirst[index]);
    if (firsts.length === 0) return [];
    const statements = statementsOf(firsts);
    const changes = firsts.map((item) => item.change);
    const entering = enter();
    if (entering !== undefined) await entering;
    const make = () => writeMany(statements, changes);
    const made = feed === null || told === null ? await make() : await feed.change(firsts.map(told), make);
    const answers = made.values();
    return isFirst.map((first) => first && answers.next().value === true);
  };
  const putEntry = async (entry: StoredEntry, expectedVersion: number, now: number): Promise<boolean> => {
    const put = entries.put(entry, expectedVersion, now);
    const isPurgedHere = dialect.name === 'sqlite' && !isGuest;
    const purge = isPurgedHere ? [entries.trim(now, PURGED_BY_WRITE)] : [];
    const entering = enter();
    if (entering !== undefined) await entering;
    const isWritten = await write([...put, ...purge], put.length - 1);
    const isNew = isWritten && expectedVersion === 0;
    if (!isPurgedHere && !isGuest && isNew && newEntries++ % NEW_ENTRIES_PER_PURGE === 0) {
      // A failure here doesn't undo the write. A later write removes them.
      await count(entries.trim(now, PURGED_AT_ONCE)).catch(() => {});
    }
    return isWritten;
  };

  return {
    findTokenByDigest: async (digests) =>
      digests.length === 0 ? null : firstFound(await query(tokens.byDigest(digests)), digests),
    findTokenByKeyId: async (keyIds) =>
      keyIds.length === 0 ? null : firstFoundByKey(await query(tokens.byKeyId(keyIds)), keyIds),
    findToken: async (id) => found(await first(tokens.byId(id)), toToken),
    listSecrets: async (tokenId) => (await query(listSecrets(dialect, tokenId))).map(toSecret),
    listTokens: async (filter) => (await query(listTokens(dialect, filter))).map(toToken),
    countTokens: async (filter, atMost) => Number((await first(countTokens(dialect, filter, atMost)))?.count),
    insertTokens: (given) => changeMany(given, namesOf, (tokens) => batches.insert(tokens), null),
    replaceToken: async (token, expectedVersion, rotation, made) =>
      change(made, ofToken(token.id), tokens.replace(token, expectedVersion, rotation)),
    revokeToken: async (id, at, made) => change(made, ofToken(id), tokens.revoke(id, at)),
    deleteTokens: (removals) =>
      changeMany(
        removals,
        ({ id }) => [id],
        (each) => batches.delete(each),
        ({ id, change: made }) => ({ id: made.id, invalidation: ofToken(id) }),
      ),
    listExpiredTokens: async (organization, before, limit) =>
      (await query(listExpiredTokens(dialect, organization, before, limit))).map(toToken),
    recordUsage: async (usages) => {
      if (usages.length > 0) await batch(usage.record(usages));
    },
    listUsage: async (ids, endpoint) => (await query(usage.list(ids, endpoint))).map(toUsageCount),
    listDailyUsage: async (of) => (await query(usage.listDaily(of))).map(toDailyCount),
    trimDailyUsage: async (before, limit) => {
      const ofTokens = await count(usage.trimDaily('token_days', before, limit));
      if (ofTokens === limit) return true;
      return (await count(usage.trimDaily('organization_days', before, limit - ofTokens))) === limit - ofTokens;
    },
    listChanges: async (of) => (await query(listChanges(dialect, of))).map(toChange),
    trimChanges: async (before, limit) => {
      const { statements, counts } = dialect.trimChanges();
      return (await batch(statements.map((sql) => dialect.statement(sql, { before, limit }))))[counts] ?? 0;
    },
    findEndpoint: async (organization, id) => found(await first(endpoints.byId(organization, id)), toEndpoint),
    findEndpoints: async (organization, ids) => (await query(endpoints.byIds(organization, ids))).map(toEndpoint),
    listEndpoints: async (of) => (await query(endpoints.list(of))).map(toEndpoint),
    insertEndpoint: async (endpoint, made) =>
      change(made, ofEndpoints(endpoint.organization), endpoints.insert(endpoint)),
    replaceEndpoint: async (endpoint, expectedVersion, made) =>
      change(made, ofEndpoints(endpoint.organization), endpoints.replace(endpoint, expectedVersion)),
    deleteEndpoint: async (organization, id, made) =>
      change(made, ofEndpoints(organization), endpoints.delete(organization, id)),
    findEntry: async (kind, id, now) => found(await first(entries.find(kind, id, now)), toEntry),
    findEntries: async (kind, ids, now) => (await query(entries.findSome(kind, ids, now))).map(toEntry),
    putEntry,
    deleteEntry: async (kind, id, expectedVersion, now) =>
      (await count(entries.delete(kind, id, expectedVersion, now))) > 0,
    trimEntries: async (now, limit) => count(entries.trim(now, limit)),
  };
}

/** The names of a new token that are unique in a store. */
function namesOf({ token, secret: { digest, key } }: NewToken): readonly string[] {
  return [`id ${token.id}`, `digest ${digest}`, ...(key === null ? [] : [`key ${key.id}`])];
}

function found<T>(row: SqlRow | undefined, read: (row: SqlRow) => T): T | null {
  return row === undefined ? null : read(row);
}
