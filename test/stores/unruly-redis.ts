import { Redis } from 'ioredis';
import type { IoredisClient } from 'postern/stores/redis';

type Call = (command: string, args: string[]) => Promise<unknown>;

/** A client that treats commands as clients do when connections break. */
export interface UnrulyClient extends IoredisClient {
  status: string;
  /** How many commands were sent. */
  readonly calls: number;
  /** What the next commands meet, one after the other; then all is well again. */
  meet(...fates: ((send: () => Promise<unknown>) => Promise<unknown>)[]): void;
  /** The same for every command, until `meet` says otherwise. */
  always(fate: (send: () => Promise<unknown>) => Promise<unknown>): void;
}

export function unrulyClient(port: number): UnrulyClient {
  const real = new Redis(port, { lazyConnect: true });
  const fates: ((send: () => Promise<unknown>) => Promise<unknown>)[] = [];
  let each: ((send: () => Promise<unknown>) => Promise<unknown>) | null = null;
  const call: Call = (command, args) => {
    client.calls++;
    const send = () => real.call(command, args);
    return (fates.shift() ?? each ?? ((go) => go()))(send);
  };
  const client = {
    status: 'ready',
    isCluster: false,
    options: {},
    calls: 0,
    call,
    on: () => {},
    off: () => {},
    duplicate: (override: object) => real.duplicate(override),
    disconnect: () => real.disconnect(),
    meet(...next: typeof fates) {
      each = null;
      fates.push(...next);
    },
    always(fate: typeof each) {
      each = fate;
    },
  };
  return client;
}

export const well = (send: () => Promise<unknown>) => send();

/** It is done twice, and the second answer comes back: a client that sends again what was under way. */
export const twice = (send: () => Promise<unknown>) => send().then(send);

/** It is done, and the answer is lost. */
export const answerLost = async (send: () => Promise<unknown>): Promise<never> => {
  await send();
  throw new Error('the connection was lost');
};

/** It is not done. */
export const refused = async (): Promise<never> => {
  throw new Error('the connection was lost');
};

/** It waits in the client's queue. `release` sends it, and resolves with what then came of it. */
export function queued() {
  let go: (() => Promise<unknown>) | null = null;
  return {
    fate: (send: () => Promise<unknown>) =>
      new Promise<unknown>((resolve) => {
        go = () => {
          const answer = send();
          resolve(answer);
          return answer;
        };
      }),
    release: () => (go as unknown as () => Promise<unknown>)(),
  };
}
