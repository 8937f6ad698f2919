import { PosternError } from '../domain/errors.js';
import type { Change } from '../ports/changes.js';
import type { NewSecret, StoredEndpoint, StoredSecret, UsageCount } from '../ports/records.js';
import type { Store } from '../ports/store.js';
import { kept, keptSecret, recorded } from './memory/copies.js';
import { MemoryEntries } from './memory/entries.js';
import { isAsked, newestFirst, positionOf } from './memory/query.js';
import { MemoryTokens } from './memory/tokens.js';
import { ofEndpoints, ofToken } from './shared/feed/message.js';
import { Listeners } from './shared/listeners.js';
import { inTurns } from './shared/turns.js';

/**
 * A store in this process's memory: for tests, and for trying things out. Instances that share one see each other's
 * changes at once. What it holds is gone with the process. Closing an instance closes its store for all that share it.
 */
export function memoryStore(): Store {
  const tokens = new MemoryTokens();
  const secrets = new Map<string, { readonly tokenId: string; readonly secret: StoredSecret }>();
  /** By the key's id. */
  const keys = new Map<string, { readonly digest: string; readonly publicKey: string }>();
  const endpoints = new Map<string, StoredEndpoint>();
  const entries = new MemoryEntries();
  /** By token, then by endpoint. */
  const counts = new Map<string, Map<string, UsageCount>>();
  const changes: Change[] = [];
  const listeners = new Listeners();
  let closed = false;
  const assertOpen = () => {
    if (closed) throw new PosternError('closed', 'this store is closed: make another one');
  };
  /** JSON, because no character can then be taken for a separator. */
  const keyOf = (organization: string, id: string) => JSON.stringify([organization, id]);
  const isTaken = ({ digest, key }: NewSecret) => secrets.has(digest) || (key !== null && keys.has(key.id));
  const addSecret = (tokenId: string, { key, ...secret }: NewSecret) => {
    secrets.set(secret.digest, { tokenId, secret });
    if (key !== null) keys.set(key.id, { digest: secret.digest, publicKey: key.publicKey });
  };

  return inTurns({
    async findTokenByDigest(digests) {
      assertOpen();
      for (const digest of digests) {
        const found = secrets.get(digest);
        const token = found && tokens.get(found.tokenId);
        if (token) return { token, secret: found.secret };
      }
      return null;
    },

    async findTokenByKeyId(keyIds) {
      assertOpen();
      for (const keyId of keyIds) {
        const key = keys.get(keyId);
        const found = key && secrets.get(key.digest);
        const token = found && tokens.get(found.tokenId);
        if (token) return { token, secret: found.secret, publicKey: key.publicKey };
      }
      return null;
    },

    async findToken(id) {
      assertOpen();
      return tokens.get(id) ?? null;
    },

    async listTokens(query) {
      assertOpen();
      return tokens.list(query);
    },

    async countTokens(filter, atMost) {
      assertOpen();
      return tokens.count(filter, atMost);
    },

    async insertToken(token, secret, change) {
      assertOpen();
      const made = recorded(change);
      const [copy, itsSecret] = [kept(token), keptSecret(secret)];
      if (tokens.get(copy.id) || isTaken(itsSecret)) return false;
      tokens.set(copy);
      addSecret(copy.id, itsSecret);
      changes.push(made);
      return true;
    },

    async replaceToken(token, expectedVersion, rotation, change) {
      assertOpen();
      const made = recorded(change);
      const fresh = rotation && { secret: keptSecret(rotation.secret), othersEndAt: rotation.othersEndAt };
      const current = tokens.get(token.id);
      if (current?.version !== expectedVersion) return false;
      const copy = kept({ ...token, lastUsedAt: current.lastUsedAt });
      if (fresh !== null) {
        if (isTaken(fresh.secret)) return false;
        for (const [digest, { tokenId, secret }] of secrets) {
          if (tokenId !== copy.id) continue;
          const endsAt = Math.min(secret.endsAt ?? Number.POSITIVE_INFINITY, fresh.othersEndAt);
          secrets.set(digest, { tokenId, secret: { ...secret, endsAt } });
        }
        addSecret(copy.id, fresh.secret);
      }
      tokens.set(copy);
      changes.push(made);
      listeners.tell(ofToken(copy.id));
      return true;
    },

    async deleteToken(id, change) {
      assertOpen();
      const made = recorded(change);
      const token = tokens.get(id);
      if (token === undefined) return false;
      tokens.delete(id);
      counts.delete(id);
      changes.push(made);
      for (const [digest, { tokenId }] of secrets) if (tokenId === id) secrets.delete(digest);
      for (const [keyId, { digest }] of keys) if (!secrets.has(digest)) keys.delete(keyId);
      listeners.tell(ofToken(id));
      return true;
    },

    async listExpiredTokens(organization, before, limit) {
      assertOpen();
      return tokens.expired(organization, before, limit);
    },

    async recordUsage(usages) {
      assertOpen();
      // Read whole before anything is written: a batch that can't be read counts nothing.
      const batch = usages.map((usage) => ({ ...usage, counts: usage.counts.map((each) => ({ ...each })) }));
      for (const { tokenId, lastUsedAt, counts: added } of batch) {
        const token = tokens.get(tokenId);
        if (token === undefined) continue;
        tokens.set({ ...token, lastUsedAt: Math.max(token.lastUsedAt ?? lastUsedAt, lastUsedAt) });
        const byEndpoint = counts.get(tokenId) ?? new Map<string, UsageCount>();
        counts.set(tokenId, byEndpoint);
        for (const { endpoint, count } of added) {
          const before = byEndpoint.get(endpoint);
          byEndpoint.set(endpoint, {
            tokenId,
            endpoint,
            count: count + (before?.count ?? 0),
            lastUsedAt: Math.max(lastUsedAt, before?.lastUsedAt ?? lastUsedAt),
          });
        }
      }
    },

    async listUsage(tokenIds, endpoint) {
      assertOpen();
      return tokenIds.flatMap((tokenId) =>
        [...(counts.get(tokenId)?.values() ?? [])]
          .filter((count) => endpoint === undefined || count.endpoint === endpoint)
          .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1)),
      );
    },

    async listChanges(query) {
      assertOpen();
      return changes
        .filter((change) => isAsked(change, query))
        .sort((a, b) => newestFirst(positionOf(a), positionOf(b)))
        .slice(query.offset ?? 0, (query.offset ?? 0) + query.limit);
    },

    async findEndpoint(organization, id) {
      assertOpen();
      return endpoints.get(keyOf(organization, id)) ?? null;
    },

    async findEndpoints(organization, ids) {
      assertOpen();
      return [...new Set(ids)].flatMap((id) => endpoints.get(keyOf(organization, id)) ?? []);
    },

    async listEndpoints({ organization, after, limit }) {
      assertOpen();
      return [...endpoints.values()]
        .filter((endpoint) => endpoint.organization === organization && (after === undefined || endpoint.id > after))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit);
    },

    async insertEndpoint(endpoint, change) {
      assertOpen();
      const made = recorded(change);
      const key = keyOf(endpoint.organization, endpoint.id);
      if (endpoints.has(key)) return false;
      endpoints.set(key, { ...endpoint });
      changes.push(made);
      listeners.tell(ofEndpoints(endpoint.organization));
      return true;
    },

    async replaceEndpoint(endpoint, expectedVersion, change) {
      assertOpen();
      const made = recorded(change);
      const key = keyOf(endpoint.organization, endpoint.id);
      const current = endpoints.get(key);
      // The same name may be another endpoint by now, at the same version.
      if (current?.version !== expectedVersion || current.uid !== endpoint.uid) return false;
      endpoints.set(key, { ...endpoint });
      changes.push(made);
      listeners.tell(ofEndpoints(endpoint.organization));
      return true;
    },

    async deleteEndpoint(organization, id, change) {
      assertOpen();
      const made = recorded(change);
      if (!endpoints.delete(keyOf(organization, id))) return false;
      changes.push(made);
      listeners.tell(ofEndpoints(organization));
      return true;
    },

    async findEntry(kind, id, now) {
      assertOpen();
      return entries.find(kind, id, now);
    },

    async putEntry(entry, expectedVersion, now) {
      assertOpen();
      return entries.put(entry, expectedVersion, now);
    },

    async deleteEntry(kind, id, expectedVersion, now) {
      assertOpen();
      return entries.delete(kind, id, expectedVersion, now);
    },

    subscribe: (listener) => listeners.add(listener),

    async confirm() {
      assertOpen();
      // Each was told before the change's own call went on.
      return { acknowledged: listeners.size, missing: 0 };
    },

    async close() {
      closed = true;
      listeners.clear();
    },
  });
}
