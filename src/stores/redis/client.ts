/** The used part of `Redis` and `Cluster` of `ioredis`. */
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

/** The used part of a client that `createClient` of `redis` (node-redis) made. */
export interface NodeRedisClient extends NodeRedisBase {
  readonly isReady: boolean;
  sendCommand(args: string[]): Promise<unknown>;
}

/** The used part of a client that `createCluster` of `redis` (node-redis) made. */
export interface NodeRedisCluster extends NodeRedisBase {
  readonly masters: readonly unknown[];
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

/** A client of `ioredis` or of `redis` (node-redis), for one server or for a cluster. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster;

/** The events of a subscription. */
export interface SubscriptionEvents {
  opened(): void;
  message(channel: string, text: string): void;
  /** The subscription is lost, and must be replaced. */
  ended(error: unknown): void;
}

/** Any client, as the store sees it. */
export interface ClientPort {
  /** `idle`: it connects with the first command. `down`: a command would wait in the client's queue, or be refused. */
  state(): 'ready' | 'idle' | 'down';
  /** @param key one of the command's keys. It selects the server of a cluster */
  send(key: string, args: string[]): Promise<unknown>;
  /** Subscribes on a connection of its own. Returns a function that ends it. */
  subscribe(channels: readonly string[], events: SubscriptionEvents): () => void;
  /** Connects again, then resolves. Running commands are answered before, or sent again. */
  reconnect(): Promise<void>;
  /** Removes its own listeners from the client. */
  release(): void;
  /** Ends the connection. */
  disconnect(): void;
}

/** The kind of a client; `null` for an unknown one. */
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

/** Whether the client puts a prefix before keys. It would not put it before the channels of the feed. */
export function hasKeyPrefix(client: unknown): boolean {
  const { options, _keyPrefix } = client as { options?: { keyPrefix?: unknown }; _keyPrefix?: unknown };
  return Boolean(options?.keyPrefix ?? _keyPrefix);
}
