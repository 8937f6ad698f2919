import { inTurns } from '../../base/turns.js';
import { PosternError } from '../../domain/errors.js';
import type { StoredEndpoint } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { ofEndpoints, ofToken } from '../shared/feed/message.js';
import type { Listeners } from '../shared/listeners.js';
import { MemoryChanges } from './changes.js';
import { kept, keptSecret, recorded } from './copies.js';
import { MemoryEntries } from './entries.js';
import { type FoundSecret, MemorySecrets } from './secrets.js';
import { MemoryTokens } from './tokens.js';
import { MemoryUsage } from './usage.js';

/** The store behind `memoryStore()`. @param listeners told of every change */
export function openMemoryStore(listeners: Listeners): Store {
  const tokens = new MemoryTokens();
  const secrets = new MemorySecrets();
  const endpoints = new Map<string, StoredEndpoint>();
  const entries = new MemoryEntries();
  const usage = new MemoryUsage();
  const changes = new MemoryChanges();
  let closed = false;
  const assertOpen = () => {
    if (closed) throw new PosternError('closed', 'this store is closed: make another one');
  };
  /** JSON, so that no character can be mistaken for a separator. */
  const keyOf = (organization: string, id: string) => JSON.stringify([organization, id]);
  const withToken = <Found extends FoundSecret>(found: Found | null) => {
    const token = found && tokens.get(found.tokenId);
    if (!found || !token) return null;
    const { tokenId: _, ...rest } = found;
    return { token, ...rest };
  };

  return inTurns({
    async findTokenByDigest(digests) {
      assertOpen();
      for (const digest of digests) {
        const found = withToken(secrets.find(digest));
        if (found !== null) return found;
      }
      return null;
    },

    async findTokenByKeyId(keyIds) {
      assertOpen();
      for (const keyId of keyIds) {
        const found = withToken(secrets.findByKeyId(keyId));
        if (found !== null) return found;
      }
      return null;
    },

    async findToken(id) {
      assertOpen();
      return tokens.get(id) ?? null;
    },

    async listSecrets(tokenId) {
      assertOpen();
      return secrets.listOf(tokenId);
    },

    async listTokens(query) {
      assertOpen();
      return tokens.list(query);
    },

    async countTokens(filter, atMost) {
      assertOpen();
      return tokens.count(filter, atMost);
    },

    async insertTokens(given) {
      assertOpen();
      // Read completely before anything is written.
      const copies = given.map(({ token, secret, change }) => {
        return { token: kept(token), secret: keptSecret(secret), change: recorded(change) };
      });
      return copies.map(({ token, secret, change }) => {
        if (tokens.get(token.id) || secrets.isTaken(secret)) return false;
        tokens.set(token);
        secrets.add(token.id, secret);
        changes.add(change);
        return true;
      });
    },

    async replaceToken(token, expectedVersion, rotation, change) {
      assertOpen();
      const made = recorded(change);
      const itsRotation = rotation && { ...rotation, secret: keptSecret(rotation.secret) };
      const current = tokens.get(token.id);
      if (current?.version !== expectedVersion) return false;
      const copy = kept({ ...token, lastUsedAt: current.lastUsedAt });
      if (itsRotation !== null) {
        if (secrets.isTaken(itsRotation.secret)) return false;
        secrets.rotate(copy.id, itsRotation);
      }
      tokens.set(copy);
      changes.add(made);
      listeners.tell(ofToken(copy.id));
      return true;
    },

    async revokeToken(id, at, change) {
      assertOpen();
      const made = recorded(change);
      const token = tokens.get(id);
      if (token === undefined || token.revokedAt !== null) return false;
      tokens.set({ ...token, revokedAt: at, updatedAt: at, version: token.version + 1 });
      changes.add(made);
      listeners.tell(ofToken(id));
      return true;
    },

    async deleteTokens(removals) {
      assertOpen();
      const copies = removals.map((removal) => ({ ...removal, change: recorded(removal.change) }));
      return copies.map(({ id, expectedVersion, change }) => {
        if (expectedVersion !== null && tokens.get(id)?.version !== expectedVersion) return false;
        if (!tokens.delete(id)) return false;
        usage.delete(id);
        secrets.deleteOf(id);
        changes.add(change);
        listeners.tell(ofToken(id));
        return true;
      });
    },

    async listExpiredTokens(organization, before, limit) {
      assertOpen();
      return tokens.expired(organization, before, limit);
    },

    async recordUsage(usages) {
      assertOpen();
      // Read completely before anything is written: an unreadable batch counts nothing.
      const batch = usages.map((usage) => ({ ...usage, counts: usage.counts.map((each) => ({ ...each })) }));
      for (const { tokenId, lastUsedAt, counts } of batch) {
        const token = tokens.get(tokenId);
        if (token === undefined) continue;
        tokens.set({ ...token, lastUsedAt: Math.max(token.lastUsedAt ?? lastUsedAt, lastUsedAt) });
        usage.add({ tokenId, lastUsedAt, counts }, token.organization);
      }
    },

    async listUsage(tokenIds, endpoint) {
      assertOpen();
      return usage.list(tokenIds, endpoint);
    },

    async listDailyUsage(query) {
      assertOpen();
      return usage.listDaily(query);
    },

    async trimDailyUsage(before, limit) {
      assertOpen();
      return usage.trimDaily(before, limit);
    },

    async listChanges(query) {
      assertOpen();
      return changes.list(query);
    },

    async trimChanges(before, limit) {
      assertOpen();
      return changes.trim(before, limit);
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
      changes.add(made);
      listeners.tell(ofEndpoints(endpoint.organization));
      return true;
    },

    async replaceEndpoint(endpoint, expectedVersion, change) {
      assertOpen();
      const made = recorded(change);
      const key = keyOf(endpoint.organization, endpoint.id);
      const current = endpoints.get(key);
      // The name may belong to another endpoint by now, at the same version.
      if (current?.version !== expectedVersion || current.uid !== endpoint.uid) return false;
      endpoints.set(key, { ...endpoint });
      changes.add(made);
      listeners.tell(ofEndpoints(endpoint.organization));
      return true;
    },

    async deleteEndpoint(organization, id, change) {
      assertOpen();
      const made = recorded(change);
      if (!endpoints.delete(keyOf(organization, id))) return false;
      changes.add(made);
      listeners.tell(ofEndpoints(organization));
      return true;
    },

    async findEntry(kind, id, now) {
      assertOpen();
      return entries.find(kind, id, now);
    },

    async findEntries(kind, ids, now) {
      assertOpen();
      return [...new Set(ids)].flatMap((id) => entries.find(kind, id, now) ?? []);
    },

    async putEntry(entry, expectedVersion, now) {
      assertOpen();
      return entries.put(entry, expectedVersion, now);
    },

    async deleteEntry(kind, id, expectedVersion, now) {
      assertOpen();
      return entries.delete(kind, id, expectedVersion, now);
    },

    async trimEntries(now, limit) {
      assertOpen();
      return entries.trim(now, limit);
    },

    async confirm() {
      assertOpen();
      // Every listener was told before the change's own call returned.
      return { acknowledged: listeners.size, missing: 0 };
    },

    async close() {
      closed = true;
      listeners.clear();
    },
  });
}
