/** The size of a window. */
export interface RateWindow {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The state of a window after one point was requested. */
export interface Consumed {
  /** `false`: no point was left, so none was taken. */
  readonly allowed: boolean;
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

/**
 * Counts calls in fixed windows that start with the first call. Each `consume` is atomic, also across processes: a window never
 * gives out more than `points`. A limiter that can't answer rejects; the caller then decides.
 */
export interface RateLimiter {
  /** @param now the instance's time, in epoch milliseconds. A limiter that processes share uses its database's clock instead. */
  consume(key: string, window: RateWindow, now: number): Promise<Consumed>;
  close?(): Promise<void>;
}
