import type { ClientPort, FeedEvents, IoredisClient } from './client.js';

/** A subscriber must be able to wait for its connection, whatever the client it was made from is set to. */
const PATIENT = { enableOfflineQueue: true, maxRetriesPerRequest: null, lazyConnect: false };

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
    // It subscribes again by itself.
    subscriber.on('ready', () => events.up());
    subscriber.on('message', (channel: string, text: string) => {
      if (!ended) events.message(channel, text);
    });
    subscriber.subscribe(...channels).then(
      () => events.up(),
      (failure) => {
        error = failure;
        down();
      },
    );
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
      : duplicate(PATIENT);
  }
}

/** What goes wrong is told by the command that was under way; without a listener ioredis prints it, node-redis throws it. */
export function ignore(): void {}
