import type { Ground } from '../../base/ground.js';
import { isPosternError } from '../../domain/errors.js';
import { memoryWindows } from '../../limits/memory.js';
import type { RateLimiter, RateWindow } from '../../ports/rate-limiter.js';
import { Problem, unavailable } from '../http/problem.js';

const perMinute = (points: number): RateWindow => ({ points, duration: 60_000 });

/**
 * The limits of logins. Behind a proxy everyone shares one address, so an address gets enough for a company. Terminals and persons
 * have their own, lower limits.
 */
const BOUNDS = {
  /** Each begun login is a row in the store for five minutes. */
  begin: { address: perMinute(300), all: perMinute(6_000) },
  /** A client asks once a second, and never stops. */
  collect: { login: perMinute(120), address: perMinute(12_000), all: perMinute(60_000) },
  /** People look, mistype and answer. */
  answer: { person: perMinute(60), all: perMinute(6_000) },
} as const satisfies Record<string, Readonly<Record<string, RateWindow>>>;

type Bounds = typeof BOUNDS;
type Subject = 'login' | 'person' | 'address' | 'all';

/** The most windows of one kind that are counted at once. */
const MOST_WINDOWS = 10_000;

/** Counts in this process, unless the instance has a shared limiter. */
export class LoginLimits {
  /** One for each kind, so that many windows of one kind never push out those of another. */
  readonly #limiters: Readonly<Record<Subject, RateLimiter>>;
  readonly #now: () => number;

  constructor({ settings, time }: Ground) {
    const limiter = () => settings.rateLimiter ?? memoryWindows(MOST_WINDOWS);
    this.#limiters = { login: limiter(), person: limiter(), address: limiter(), all: limiter() };
    this.#now = () => time.read();
  }

  /**
   * @param whose `null` for an unknown address. Then only the other bounds apply, because one caller must not lock out the others
   * @throws Problem 429, 503
   */
  async take<What extends keyof Bounds>(
    what: What,
    whose: Readonly<Record<Exclude<keyof Bounds[What], 'all'>, string | null>>,
  ): Promise<void> {
    const names: Readonly<Record<string, string | null>> = whose;
    const now = this.#now();
    // The narrow bounds come first: a caller who is stopped by them uses up nothing of the shared ones.
    for (const [subject, window] of Object.entries(BOUNDS[what])) {
      const name = subject === 'all' ? '' : (names[subject] ?? null);
      if (name === null) continue;
      const key = `login:${what}:${subject}:${subject === 'address' ? networkOf(name) : name}`;
      await consume(this.#limiters[subject as Subject], key, window, now);
    }
  }
}

async function consume(limiter: RateLimiter, key: string, window: RateWindow, now: number): Promise<void> {
  const { allowed, resetIn } = await limiter.consume(key, window, now).catch((error: unknown) => {
    if (isPosternError(error)) throw error;
    throw unavailable('The number of your requests can not be read at the moment.');
  });
  if (allowed) return;
  throw new Problem(429, 'rate_limited', 'There were too many logins: wait a minute, then try again.', {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(resetIn / 1000))) },
  });
}

/** The 2^64 addresses of an IPv6 subnet (RFC 4291 section 2.5.4) count as one, because one caller can have them all. */
function networkOf(address: string): string {
  const url = address.includes(':') ? `http://[${address.split('%', 1)[0]}]` : '';
  if (!URL.canParse(url)) return address;
  const [before = '', after] = new URL(url).hostname.slice(1, -1).split('::');
  const groups = (text = '') => (text === '' ? [] : text.split(':'));
  const zeros = after === undefined ? 0 : 8 - groups(before).length - groups(after).length;
  const all = [...groups(before), ...Array<string>(zeros).fill('0'), ...groups(after)];
  return `${all.slice(0, 4).join(':')}::/64`;
}
