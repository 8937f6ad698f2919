/** A number of calls in a window of time. A window starts with the first call after the last one ended. */
export interface Window {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** A token's limits, as its record shows them. */
export interface Limits {
  /** Calls in a window of time. */
  readonly rateLimit: Window | null;
  /** Calls in total. `refill` is the time in milliseconds after which all points come back. */
  readonly quota: { readonly points: number; readonly refill: number } | null;
}

/** A token's rules as a store keeps them. */
export interface TokenRules extends Limits {
  /** Number of the current windows. Adding 1 starts new ones. */
  readonly windows: number;
  /** Whether its holder may make and change tokens and endpoints. */
  readonly mayIssue: boolean;
}

/** The limit that a standing is about: the calls in a window of time (`rate`), or in total (`quota`). */
export type LimitPolicy = 'rate' | 'quota';

/** A limit of a token, and what is left of it. */
export interface LimitStanding {
  readonly policy: LimitPolicy;
  readonly points: number;
  /** The length of a window in milliseconds. */
  readonly duration: number;
  /** Points left; 0: calls are refused until `resetsAt`. */
  readonly remaining: number;
  /** The time at which all points come back. `null`: no window has begun, because nothing was used since the last one. */
  readonly resetsAt: Date | null;
}

/** A window's state after a call was counted or refused. */
export interface LimitState {
  /** The limit that the window belongs to. */
  readonly policy: LimitPolicy;
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Points left; 0 if the call was refused. */
  readonly remaining: number;
  /** Milliseconds until the window ends. */
  readonly resetIn: number;
}

export const NO_RULES: TokenRules = Object.freeze({ rateLimit: null, quota: null, windows: 0, mayIssue: true });

export function isLimited({ rateLimit, quota }: Limits): boolean {
  return rateLimit !== null || quota !== null;
}

/**
 * Reads rules as a store keeps them.
 *
 * @throws TypeError if the structure can't be read. An unreadable limit must not mean "no limit".
 */
export function parseRules(json: string | null): TokenRules {
  if (json === null) return NO_RULES;
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) throw unreadable();
  const { rateLimit, quota, windows, mayIssue } = value as Record<string, unknown>;
  if (!Number.isSafeInteger(windows) || typeof mayIssue !== 'boolean') throw unreadable();
  return Object.freeze({
    rateLimit: rateLimit === null ? null : fields(rateLimit, 'duration'),
    quota: quota === null ? null : fields(quota, 'refill'),
    windows,
    mayIssue,
  }) as TokenRules;
}

/** @returns `null` for no rules */
export function stringifyRules({ rateLimit, quota, windows, mayIssue }: TokenRules): string | null {
  const none = rateLimit === null && quota === null && windows === 0 && mayIssue;
  return none ? null : JSON.stringify({ rateLimit, quota, windows, mayIssue });
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
