/** What is used of `Redis` and `Cluster` of `ioredis`. */
export interface IoredisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: object;
  call(command: string, args: string[]): Promise<unknown>;
  duplicate(...overrides: never[]): unknown;
  disconnect(reconnect?: boolean): void;
  // biome-ignore lint/suspicious/noExplicitAny: what an event hands over depends on its name
  on(event: string, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...values: any[]) => void): unknown;
}

interface NodeRedisBase {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  duplicate(): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: what an event hands over depends on its name
  on(event: string, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  off(event: string, listener: (...values: any[]) => void): unknown;
}

/** What is used of a client that `createClient` of `redis` (node-redis) made. */
export interface NodeRedisClient extends NodeRedisBase {
  readonly isReady: boolean;
  sendCommand(args: string[]): Promise<unknown>;
}

/** What is used of a client that `createCluster` of `redis` (node-redis) made. */
export interface NodeRedisCluster extends NodeRedisBase {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** A client of `ioredis` or of `redis` (node-redis), for one server or for a cluster. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster;

/** What a subscription tells. */
export interface SubscriptionEvents {
  opened(): void;
  message(channel: string, text: string): void;
  /** It is to be given up. */
  ended(error: unknown): void;
}

/** A client as the store sees it, whichever it is. */
export interface ClientPort {
  /** `idle`: it connects with the first command. `down`: what is sent now waits in the client's queue, or is refused. */
  state(): 'ready' | 'idle' | 'down';
  /** @param key one of the keys that the command is about: it says which server of a cluster */
  send(key: string, args: string[]): Promise<unknown>;
  /** Subscribes on a connection of its own. Returns what ends it. */
  subscribe(channels: readonly string[], events: SubscriptionEvents): () => void;
  /** Connects anew, and resolves then. What was under way is answered before, or sent again. */
  reconnect(): Promise<void>;
  /** Takes back what was added to the client. */
  release(): void;
  /** Ends the connection. */
  disconnect(): void;
}

/** Which kind of client this is, or `null` for none that is known. */
export function kindOf(client: unknown): 'ioredis' | 'redis' | 'redis cluster' | null {
  const has = (name: string) => typeof (client as Record<string, unknown> | null)?.[name] === 'function';
  if (!has('on') || !has('off') || !has('duplicate')) return null;
  const { status, isOpen, isReady, masters } = client as Record<string, unknown>;
  if (has('call') && typeof status === 'string') return 'ioredis';
  if (!has('sendCommand') || !has('connect') || typeof isOpen !== 'boolean') return null;
  if (Array.isArray(masters)) return 'redis cluster';
  // `createSentinel` has `acquire`, and another order of parameters.
  return typeof isReady === 'boolean' && !has('acquire') ? 'redis' : null;
}

/** Whether the client puts a prefix before keys: then it would not do so before the channels of the feed. */
export function hasKeyPrefix(client: unknown): boolean {
  const { options, _keyPrefix } = client as { options?: { keyPrefix?: unknown }; _keyPrefix?: unknown };
  return Boolean(options?.keyPrefix ?? _keyPrefix);
}
