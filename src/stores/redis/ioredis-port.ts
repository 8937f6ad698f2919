import type { ClientPort, IoredisClient, SubscriptionEvents } from './client.js';

/**
 * A subscriber must be able to wait for its connection, whatever the options of its original client are. It doesn't reconnect or
 * resubscribe: the feed makes another one.
 */
const SUBSCRIBER = {
  autoResubscribe: false,
  retryStrategy: null,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  lazyConnect: false,
};

interface Subscriber extends IoredisClient {
  once(event: string, listener: () => void): unknown;
  subscribe(...channels: string[]): Promise<unknown>;
}

export class IoredisPort implements ClientPort {
  readonly #client: IoredisClient;

  constructor(client: IoredisClient) {
    this.#client = client;
    client.on('error', ignore);
  }

  state(): 'ready' | 'idle' | 'down' {
    const { status } = this.#client;
    return status === 'ready' ? 'ready' : status === 'wait' ? 'idle' : 'down';
  }

  send(_key: string, [command, ...args]: string[]): Promise<unknown> {
    return this.#client.call(command as string, args);
  }

  subscribe(channels: readonly string[], events: SubscriptionEvents): () => void {
    const subscriber = this.#duplicate();
    let error: unknown = new Error('the connection of the feed was closed');
    const ended = () => events.ended(error);
    subscriber.on('error', (failure) => {
      error = failure;
    });
    subscriber.on('close', ended);
    subscriber.on('end', ended);
    subscriber.on('message', (channel: string, text: string) => events.message(channel, text));
    const subscribe = () => {
      subscriber.subscribe(...channels).then(
        () => events.opened(),
        (failure) => events.ended(failure),
      );
    };
    // A cluster changes its subscribed node by itself, without an event.
    if (this.#client.isCluster) subscribe();
    else subscriber.once('ready', subscribe);
    return () => subscriber.disconnect();
  }

  reconnect(): Promise<void> {
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => () => {
        client.off('ready', ready);
        client.off('end', ended);
        done();
      };
      const ready = settle(resolve);
      const ended = settle(() => reject(new Error('the connection to Redis was closed')));
      client.on('ready', ready);
      client.on('end', ended);
      client.disconnect(true);
    });
  }

  release(): void {
    this.#client.off('error', ignore);
  }

  disconnect(): void {
    this.#client.disconnect();
  }

  #duplicate(): Subscriber {
    const duplicate = this.#client.duplicate.bind(this.#client) as (...overrides: unknown[]) => Subscriber;
    return this.#client.isCluster
      ? duplicate([], { enableOfflineQueue: true, lazyConnect: false })
      : duplicate(SUBSCRIBER);
  }
}

/** The running command reports the error itself. Without a listener, ioredis would print it, and node-redis throw it. */
export function ignore(): void {}
