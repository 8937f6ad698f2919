/** How many points a window has, and how long it is. */
export interface RateWindow {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What a window has left after one point was asked of it. */
export interface Consumed {
  /** `false`: there was none left, and none was taken. */
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

/**
 * Counts calls in fixed windows that start with the first call. One `consume` is one atomic step, however many processes share
 * the limiter: a window never gives out more than `points`. A limiter that can't answer rejects; the caller decides what that
 * means.
 */
export interface RateLimiter {
  /** @param now the instance's time, in epoch milliseconds. A limiter that many processes share goes by its database's. */
  consume(key: string, window: RateWindow, now: number): Promise<Consumed>;
  close?(): Promise<void>;
}
