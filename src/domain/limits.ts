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

/** What a store keeps of the rules of a token. */
export interface TokenRules extends Limits {
  /** Which windows count now: one more, and new ones begin. */
  readonly windows: number;
  /** Whether its holder may make and change tokens and endpoints. */
  readonly mayIssue: boolean;
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

export const NO_RULES: TokenRules = Object.freeze({ rateLimit: null, quota: null, windows: 0, mayIssue: true });

/** Whether calls are counted against anything. */
export function isLimited({ rateLimit, quota }: Limits): boolean {
  return rateLimit !== null || quota !== null;
}

/**
 * Reads rules as a store keeps them.
 *
 * @throws TypeError where the structure can't be read: a limit that is lost must not become none
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
