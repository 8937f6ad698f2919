import { PosternError } from '../domain/errors.js';
import type {
  Change,
  ChangeQuery,
  Invalidation,
  Store,
  StoredEndpoint,
  StoredSecret,
  StoredToken,
  TokenQuery,
  UsageCount,
} from '../services/ports.js';

/**
 * A store in this process's memory: for tests, and for trying things out. Instances that share one see each other's
 * changes at once. What it holds is gone with the process. Closing an instance closes its store for all that share it.
 */
export function memoryStore(): Store {
  const tokens = new Map<string, StoredToken>();
  const secrets = new Map<string, { readonly tokenId: string; readonly secret: StoredSecret }>();
  const endpoints = new Map<string, StoredEndpoint>();
  /** By token, then by endpoint. */
  const counts = new Map<string, Map<string, UsageCount>>();
  const changes: Change[] = [];
  const listeners = new Set<(invalidation: Invalidation) => void>();
  let closed = false;
  const tell = (invalidation: Invalidation) => {
    for (const listener of listeners) {
      try {
        listener(invalidation);
      } catch {
        // What a listener throws must not make a change that was made look as if it had failed.
      }
    }
  };
  const assertOpen = () => {
    if (closed) throw new PosternError('closed', 'this store is closed: make another one');
  };
  /** JSON, because no character can then be taken for a separator. */
  const keyOf = (organization: string, id: string) => JSON.stringify([organization, id]);

  return {
    async findTokenByDigest(digests) {
      assertOpen();
      for (const digest of digests) {
        const found = secrets.get(digest);
        const token = found && tokens.get(found.tokenId);
        if (token) return { token, secret: found.secret };
      }
      return null;
    },

    async findToken(id) {
      assertOpen();
      return tokens.get(id) ?? null;
    },

    async listTokens(query) {
      assertOpen();
      return [...tokens.values()]
        .filter((token) => matches(token, query))
        .sort(newestFirst)
        .slice(0, query.limit);
    },

    async insertToken(token, secret, change) {
      assertOpen();
      const made = recorded(change);
      if (tokens.has(token.id) || secrets.has(secret.digest)) return false;
      tokens.set(token.id, kept(token));
      secrets.set(secret.digest, { tokenId: token.id, secret: { ...secret } });
      changes.push(made);
      return true;
    },

    async replaceToken(token, expectedVersion, rotation, change) {
      assertOpen();
      const made = recorded(change);
      const current = tokens.get(token.id);
      if (current?.version !== expectedVersion) return false;
      if (rotation !== null) {
        if (secrets.has(rotation.secret.digest)) return false;
        for (const [digest, { tokenId, secret }] of secrets) {
          if (tokenId !== token.id) continue;
          const endsAt = Math.min(secret.endsAt ?? Number.POSITIVE_INFINITY, rotation.othersEndAt);
          secrets.set(digest, { tokenId, secret: { ...secret, endsAt } });
        }
        secrets.set(rotation.secret.digest, { tokenId: token.id, secret: { ...rotation.secret } });
      }
      tokens.set(token.id, kept({ ...token, lastUsedAt: current.lastUsedAt }));
      changes.push(made);
      tell({ kind: 'token', id: token.id });
      return true;
    },

    async deleteToken(id, change) {
      assertOpen();
      const made = recorded(change);
      if (!tokens.delete(id)) return false;
      counts.delete(id);
      changes.push(made);
      for (const [digest, { tokenId }] of secrets) if (tokenId === id) secrets.delete(digest);
      tell({ kind: 'token', id });
      return true;
    },

    async listExpiredTokens(organization, before, limit) {
      assertOpen();
      return [...tokens.values()]
        .filter((token) => token.expiresAt !== null && token.expiresAt <= before)
        .filter((token) => organization === null || token.organization === organization)
        .slice(0, limit)
        .map(({ id }) => id);
    },

    async recordUsage(usages) {
      assertOpen();
      // Read whole before anything is written: a batch that can't be read counts nothing.
      const batch = usages.map((usage) => ({ ...usage, counts: usage.counts.map((each) => ({ ...each })) }));
      for (const { tokenId, lastUsedAt, counts: added } of batch) {
        const token = tokens.get(tokenId);
        if (token === undefined) continue;
        tokens.set(tokenId, { ...token, lastUsedAt: Math.max(token.lastUsedAt ?? lastUsedAt, lastUsedAt) });
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

    async listUsage(tokenId) {
      assertOpen();
      return [...(counts.get(tokenId)?.values() ?? [])].sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
    },

    async listChanges(query) {
      assertOpen();
      return changes
        .filter((change) => isAsked(change, query))
        .sort((a, b) => newestFirst(positionOf(a), positionOf(b)))
        .slice(0, query.limit);
    },

    async findEndpoint(organization, id) {
      assertOpen();
      return endpoints.get(keyOf(organization, id)) ?? null;
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
      tell({ kind: 'endpoints', organization: endpoint.organization });
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
      tell({ kind: 'endpoints', organization: endpoint.organization });
      return true;
    },

    async deleteEndpoint(organization, id, change) {
      assertOpen();
      const made = recorded(change);
      if (!endpoints.delete(keyOf(organization, id))) return false;
      changes.push(made);
      tell({ kind: 'endpoints', organization });
      return true;
    },

    subscribe(listener) {
      // An entry of its own for each call: the same function may listen twice, and stop once.
      const entry = (invalidation: Invalidation) => listener(invalidation);
      listeners.add(entry);
      return () => listeners.delete(entry);
    },

    async confirm() {
      assertOpen();
      // Each was told before the change's own call went on.
      return { acknowledged: listeners.size, missing: 0 };
    },

    async close() {
      closed = true;
      listeners.clear();
    },
  };
}

/** A copy: what the caller does later to what was handed in is nothing to the store. */
function kept(token: StoredToken): StoredToken {
  return { ...token, typeNames: [...token.typeNames] };
}

/** A copy, made before anything is written: a change that can't be read then changes nothing. */
function recorded(change: Change): Change {
  return { ...change, actor: { ...change.actor } };
}

function matches(token: StoredToken, query: TokenQuery): boolean {
  const { after } = query;
  return (
    (query.organization === null || token.organization === query.organization) &&
    (query.owner === undefined || token.owner === query.owner) &&
    (query.type === undefined || token.typeNames.includes(query.type)) &&
    (query.search === undefined || holds(token.name, query.search) || holds(token.description, query.search)) &&
    (after === undefined || newestFirst(token, after) > 0)
  );
}

function isAsked(change: Change, query: ChangeQuery): boolean {
  const { after } = query;
  return (
    (query.organization === null || change.organization === query.organization) &&
    (query.subject === undefined || change.subject === query.subject) &&
    (query.type === undefined || change.type === query.type) &&
    (after === undefined || newestFirst(positionOf(change), positionOf(after)) > 0)
  );
}

function positionOf({ at, id }: { readonly at: number; readonly id: string }): Position {
  return { createdAt: at, id };
}

/** ASCII letters without case, everything else as it is: what every database can do the same way. */
function holds(text: string, search: string): boolean {
  return lower(text).includes(lower(search));
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

interface Position {
  readonly createdAt: number;
  readonly id: string;
}

function newestFirst(a: Position, b: Position): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
