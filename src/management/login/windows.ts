import type { Ground } from '../../base/ground.js';
import { isPosternError } from '../../domain/errors.js';
import { memoryWindows } from '../../limits/memory.js';
import type { RateLimiter, RateWindow } from '../../ports/rate-limiter.js';
import { Problem, unavailable } from '../http/problem.js';

const MINUTE = 60_000;

/** What nobody needs a credential for is bounded: by the address that asks, and in all. */
const BOUNDS = {
  /** Each login that begins is a row in the store. */
  begin: { each: { points: 20, duration: MINUTE }, all: { points: 600, duration: MINUTE } },
  /** A client asks once a second, and never stops; several may share an address. */
  collect: { each: { points: 1_200, duration: MINUTE }, all: { points: 60_000, duration: MINUTE } },
} as const satisfies Record<string, { readonly each: RateWindow; readonly all: RateWindow }>;

/** How many addresses are counted at once, at most. */
const MOST_WINDOWS = 10_000;

/** Counts in this process, unless the instance has a limiter that all of them share. */
export class LoginLimits {
  readonly #byAddress: RateLimiter;
  /** Kept apart: however many addresses there are, none of them pushes out what bounds them all. */
  readonly #inAll: RateLimiter;

  readonly #now: () => number;

  constructor({ settings, time }: Ground) {
    this.#byAddress = settings.rateLimiter ?? memoryWindows(MOST_WINDOWS);
    this.#inAll = settings.rateLimiter ?? memoryWindows(MOST_WINDOWS);
    this.#now = () => time.read();
  }

  /**
   * @param address `null` where it is not known: then only the bound of all holds, or one caller would lock out the others
   * @throws Problem 429, 503
   */
  async take(what: keyof typeof BOUNDS, address: string | null): Promise<void> {
    const { each, all } = BOUNDS[what];
    const now = this.#now();
    // First by address: who is stopped there uses up nothing of what is everybody's.
    if (address !== null) await consume(this.#byAddress, `login:${what}:${networkOf(address)}`, each, now);
    await consume(this.#inAll, `login:${what}`, all, now);
  }
}

async function consume(limiter: RateLimiter, key: string, window: RateWindow, now: number): Promise<void> {
  const { allowed, resetIn } = await limiter.consume(key, window, now).catch((error: unknown) => {
    if (isPosternError(error)) throw error;
    throw unavailable('How often you asked can not be told at the moment.');
  });
  if (allowed) return;
  throw new Problem(429, 'rate_limited', 'Too many logins were asked for: wait a minute, then try again.', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(resetIn / 1000))) },
  });
}

/** Whoever has an IPv6 address has the 2^64 of its subnet (RFC 4291 section 2.5.4): they count as one. */
function networkOf(address: string): string {
  const url = address.includes(':') ? `http://[${address.replace(/%.*$/, '')}]` : '';
  if (!URL.canParse(url)) return address;
  const [before = '', after] = new URL(url).hostname.slice(1, -1).split('::');
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const zeros = after === undefined ? 0 : 8 - groups(before).length - groups(after).length;
  const all = [...groups(before), ...Array<string>(zeros).fill('0'), ...groups(after)];
  return `${all.slice(0, 4).join(':')}::/64`;
}
