/** The size of a window. */
export interface RateWindow {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The state of a window. */
export interface WindowState {
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

/** The state of a window after one point was requested. */
export interface Consumed extends WindowState {
  /** `false`: no point was left, so none was taken. */
  readonly allowed: boolean;
}

/**
 * Counts calls in fixed windows that start with the first call. Each `consume` is atomic, also across processes: a window never
 * gives out more than `points`. A limiter that can't answer rejects; the caller then decides.
 */
export interface RateLimiter {
  /** @param now the instance's time, in epoch milliseconds. A limiter that processes share uses its database's clock instead. */
  consume(key: string, window: RateWindow, now: number): Promise<Consumed>;
  /** Looks at a window and takes nothing. `null`: no window has begun, so all points are left. */
  peek(key: string, window: RateWindow, now: number): Promise<WindowState | null>;
  close?(): Promise<void>;
}
