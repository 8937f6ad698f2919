/** So many calls in a window of so many milliseconds. A window has its own start: the first call after the last one ended. */
export interface Window {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** What a token may use up, as its record shows it. */
export interface Limits {
  /** How fast it may call. */
  readonly rateLimit: Window | null;
  /** How much it may call in all, until the refill. */
  readonly quota: { readonly points: number; readonly refill: number } | null;
}

/** What is left of a window after a call was counted, or refused. */
export interface LimitState {
  /** Which one: `rate` or `quota`. */
  readonly policy: 'rate' | 'quota';
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Points left; 0 where the call was refused. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

export const NO_LIMITS: Limits = Object.freeze({ rateLimit: null, quota: null });

/**
 * Reads limits as a store keeps them.
 *
 * @throws TypeError where the structure can't be read: a limit that is lost must not become none
 */
export function parseLimits(json: string | null): Limits {
  if (json === null) return NO_LIMITS;
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw unreadable();
  const { rateLimit, quota } = value as { rateLimit?: unknown; quota?: unknown };
  return Object.freeze({
    rateLimit: rateLimit === null ? null : fields(rateLimit, 'duration'),
    quota: quota === null ? null : fields(quota, 'refill'),
  }) as Limits;
}

/** @returns `null` for no limits */
export function stringifyLimits({ rateLimit, quota }: Limits): string | null {
  return rateLimit === null && quota === null ? null : JSON.stringify({ rateLimit, quota });
}

function fields(value: unknown, length: 'duration' | 'refill'): unknown {
  const { points, [length]: milliseconds } = (value ?? {}) as Record<string, unknown>;
  for (const each of [points, milliseconds]) {
    if (typeof each !== 'number' || !Number.isFinite(each) || each < 0) throw unreadable();
  }
  return Object.freeze({ points, [length]: milliseconds });
}

function unreadable(): TypeError {
  return new TypeError('the limits of this record can not be read');
}
