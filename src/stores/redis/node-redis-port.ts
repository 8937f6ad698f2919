import { unpolluted } from '../../base/check.js';
import type { ClientPort, NodeRedisClient, NodeRedisCluster, SubscriptionEvents } from './client.js';
import { ignore } from './ioredis-port.js';

type Subscriber = (NodeRedisClient | NodeRedisCluster) & {
  subscribe(channels: string[], listener: (text: string, channel: string) => void): Promise<unknown>;
  destroy?(): unknown;
  close?(): Promise<unknown>;
  /** In version 4 only, like `quit`. */
  disconnect(): Promise<unknown>;
  quit(): Promise<unknown>;
};

export class NodeRedisPort implements ClientPort {
  readonly #client: NodeRedisClient | NodeRedisCluster;
  readonly #cluster: boolean;
  #connecting: Promise<unknown> | null = null;

  constructor(client: NodeRedisClient | NodeRedisCluster) {
    this.#client = client;
    this.#cluster = unpolluted(client as NodeRedisCluster, 'masters') !== undefined;
    client.on('error', ignore);
  }

  state(): 'ready' | 'idle' | 'down' {
    if (!this.#client.isOpen) return 'idle';
    return this.#cluster || (this.#client as NodeRedisClient).isReady ? 'ready' : 'down';
  }

  async send(key: string, args: string[]): Promise<unknown> {
    if (!this.#client.isOpen || this.#connecting !== null) await this.#connect();
    // Never as a read: a replica may not have the latest revocation yet.
    return this.#cluster
      ? (this.#client as NodeRedisCluster).sendCommand(key, false, args)
      : (this.#client as NodeRedisClient).sendCommand(args);
  }

  subscribe(channels: readonly string[], events: SubscriptionEvents): () => void {
    const subscriber = this.#client.duplicate() as Subscriber;
    let isOver = false;
    const ended = (error: unknown) => events.ended(error ?? new Error('the connection of the feed was closed'));
    subscriber.on('error', ended);
    subscriber.on('end', ended);
    const subscribe = async () => {
      await subscriber.connect();
      if (isOver) return end(subscriber);
      await subscriber.subscribe([...channels], (text, channel) => events.message(channel, text));
      events.opened();
    };
    subscribe().catch(ended);
    return () => {
      isOver = true;
      end(subscriber);
    };
  }

  async reconnect(): Promise<void> {
    this.#connecting ??= this.#reopen().finally(() => {
      this.#connecting = null;
    });
    await this.#connecting;
  }

  release(): void {
    this.#client.off('error', ignore);
  }

  disconnect(): void {
    end(this.#client as Subscriber);
  }

  async #reopen(): Promise<void> {
    const client = this.#client as Subscriber;
    if (client.isOpen) await (client.close ? client.close() : client.quit());
    await client.connect();
  }

  #connect(): Promise<unknown> {
    this.#connecting ??= this.#client.connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }
}

function end(client: Subscriber): void {
  if (!client.isOpen) return;
  try {
    if (client.destroy) client.destroy();
    else client.disconnect().catch(ignore);
  } catch {
    // It was closed meanwhile.
  }
}
