import type { ClientPort, FeedEvents, IoredisClient } from './client.js';

/**
 * A subscriber must be able to wait for its connection, whatever the client it was made from is set to. It does not subscribe
 * again by itself: ioredis leaves the promise of that alone, and where the connection breaks at that moment too, its
 * rejection ends the process.
 */
const SUBSCRIBER = {
  autoResubscribe: false,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  lazyConnect: false,
};

interface Subscriber extends IoredisClient {
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

  send(_key: string | null, [command, ...args]: string[]): Promise<unknown> {
    return this.#client.call(command as string, args);
  }

  listen(channels: readonly string[], events: FeedEvents): () => void {
    const subscriber = this.#duplicate();
    let ended = false;
    let error: unknown = new Error('the connection of the feed was closed');
    const down = () => {
      if (!ended) events.down(error);
    };
    subscriber.on('error', (failure) => {
      error = failure;
    });
    subscriber.on('close', down);
    subscriber.on('end', down);
    subscriber.on('message', (channel: string, text: string) => {
      if (!ended) events.message(channel, text);
    });
    const subscribe = () => {
      subscriber.subscribe(...channels).then(
        () => events.up(),
        (failure) => {
          error = failure;
          down();
        },
      );
    };
    // A cluster looks for another node to subscribe to by itself, and says nothing of it.
    if (this.#client.isCluster) subscribe();
    else subscriber.on('ready', subscribe);
    return () => {
      ended = true;
      subscriber.disconnect();
    };
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

/** What goes wrong is told by the command that was under way; without a listener ioredis prints it, node-redis throws it. */
export function ignore(): void {}
