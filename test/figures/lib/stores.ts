import { createPostern, type Postern, type PosternOptions } from 'postern';
import type { Store } from 'postern/store';
import { postgresStore } from 'postern/stores/postgres';
import { redisStore } from 'postern/stores/redis';
import { sqliteStore } from 'postern/stores/sqlite';

export type StoreName = 'sqlite' | 'postgres' | 'redis';

/** What the figures' tokens hold. */
export const TYPES = { developer: { scopes: ['models:read'] } } as const;

/** What their calls need. */
export const REQUIREMENT = { scope: 'models:read' } as const;

/** A store with its own defaults, as an application has it. `address` is the path of a file, or a URL. */
export function openStore(name: StoreName, address: string): Store {
  if (name === 'sqlite') return sqliteStore({ filename: address });
  return name === 'postgres' ? postgresStore({ connectionString: address }) : redisStore({ url: address });
}

/** An instance with the default token types on such a store. */
export function openPostern(
  name: StoreName,
  address: string,
  options: Omit<PosternOptions, 'store' | 'tokenTypes'> = {},
) {
  return createPostern({ ...options, store: openStore(name, address) });
}

export interface Created {
  readonly token: string;
  readonly id: string;
}

/** Makes so many tokens, 50 at a time. */
export async function createTokens(postern: Pick<Postern, 'tokens'>, count: number): Promise<Created[]> {
  const made: Created[] = [];
  while (made.length < count) {
    const batch = Array.from({ length: Math.min(50, count - made.length) }, async () => {
      const { token, record } = await postern.tokens.create({ name: 'figure', types: TYPES });
      return { token, id: record.id };
    });
    made.push(...(await Promise.all(batch)));
  }
  return made;
}
