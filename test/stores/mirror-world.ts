import type { Duration } from 'postern';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { verdict } from '../support/outcomes.js';
import { primaryWithReplicas } from './lagging-replica.js';
import { listen } from './listening.js';

export const types = { developer: { scopes: ['models:read', 'models:write'] }, user: { endpoints: '*' } } as const;
export const write = { scope: 'models:write' } as const;
export const use = { endpoint: 'a' } as const;
export const TTL = '30s';

/** Marks, looks for them and looks for changes come with the timers of the test alone. */
export function useTestTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

export const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
/** After this time the replica has a new mark, and changes of others have been heard of. */
export const SETTLED = 2_000;

/** A process at the primary, and one that reads from a replica. */
export async function world({
  pollInterval = '50ms',
  maxLag = '1m',
}: {
  pollInterval?: Duration;
  maxLag?: Duration;
} = {}) {
  const made = primaryWithReplicas();
  const far = made.aProcess(null);
  await far.postern.endpoints.create({ id: 'a', access: 'protected' });
  const replica = made.aReplica();
  const near = made.aProcess(replica, { cache: { ttl: TTL } }, { pollInterval, maxLag });
  const feed = listen(near.store);
  const create = () => far.postern.tokens.create({ name: 'x', types });
  const ask = async (token: string, requirement: typeof write | typeof use = write, postern = near.postern) =>
    verdict(await postern.authorize({ token, requirement }));
  /** Empties the caches of the process by the clock. */
  const forget = () => made.clock.advance(TTL);
  /** The answer after the caches are empty, and where it came from. */
  const askAnew = async (token: string, requirement: typeof write | typeof use = write) => {
    forget();
    near.answers.length = 0;
    return [await ask(token, requirement), ...new Set(near.answers)];
  };
  /** A token that the replica has, too. */
  const known = async () => {
    const { token, record } = await create();
    await ask(token, use);
    await pass(SETTLED);
    expect(await askAnew(token, use)).toEqual(['allowed', 'replica']);
    return { token, id: record.id };
  };
  return { ...made, far, near, replica, feed, create, ask, forget, askAnew, known };
}
