/** What a window has left after one point was asked of it. */
export interface Consumed {
  /** `false`: there was none left, and none was taken. */
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

/**
 * Counts calls in windows. One call of `consume` is one atomic step, however many processes share the limiter: of a window
 * never more than `points` are given out. A window begins with the first call after the last one ended, and ends `duration`
 * later whatever is called meanwhile. A limiter that can't answer rejects; the caller decides what that means.
 */
export interface RateLimiter {
  consume(key: string, window: { readonly points: number; readonly duration: number }): Promise<Consumed>;
  close?(): Promise<void>;
}
