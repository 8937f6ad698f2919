import { quote } from './text.js';

/**
 * The stable codes of all errors. Match on `code`, not on `instanceof`: two copies of this package in one process have two
 * classes. docs/troubleshooting.md gives the remedy for each code.
 */
export type PosternErrorCode =
  | 'closed'
  | 'conflict'
  | 'driver_missing'
  | 'endpoint_exists'
  | 'endpoint_not_granted'
  | 'endpoint_unknown'
  | 'expiry_beyond'
  | 'expiry_past'
  | 'guard_missing'
  | 'input_invalid'
  | 'issuance_forbidden'
  | 'limits_forbidden'
  | 'option_invalid'
  | 'option_unknown'
  | 'organization_forbidden'
  | 'owner_forbidden'
  | 'record_unreadable'
  | 'requirement_invalid'
  | 'scope_missing'
  | 'scope_unknown'
  | 'store_invalid'
  | 'store_newer'
  | 'token_exists'
  | 'token_expired'
  | 'token_revoked'
  | 'token_unknown'
  | 'type_unknown'
  | 'types_missing'
  | 'unavailable';

export interface PosternErrorOptions {
  /** The faulty field of the input, e.g. `types.developer.scopes.0`. */
  readonly path?: string | undefined;
  /** The function that took the input, e.g. `tokens.create`. */
  readonly input?: string | undefined;
  readonly cause?: unknown;
}

const IS_ERROR = Symbol.for('postern/error');

/**
 * The only error class of this package. Its message names the field and the problem: `path of input: problem`. It never holds a
 * secret.
 */
export class PosternError extends Error {
  /** What {@link isPosternError} goes by, in every copy of this package. */
  get [IS_ERROR](): true {
    return true;
  }
  override readonly name = 'PosternError';
  readonly code: PosternErrorCode;
  /** The problem and its remedy, without the field: for callers that name the field in their own words. */
  readonly problem: string;
  readonly path: string | undefined;

  constructor(code: PosternErrorCode, problem: string, { path, input, cause }: PosternErrorOptions = {}) {
    const place = [path === undefined ? [] : shownPath(path), input ?? []].flat().join(' of ');
    super(place === '' ? problem : `${place}: ${problem}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.problem = problem;
    this.path = path;
  }
}

/** A path, made safe for a message: its last part may be someone else's text. */
export function shownPath(path: string): string {
  return quote(path, 200).slice(1, -1);
}

/** True for a `PosternError` of any copy of this package, and of no object that was read from somewhere. */
export function isPosternError(error: unknown): error is PosternError {
  return typeof error === 'object' && error !== null && IS_ERROR in error;
}

/** True if the store did not answer, could not be opened, or is closed: nothing is known then. */
export function isUnavailable(error: unknown): boolean {
  return isPosternError(error) && OUTAGES.includes(error.code);
}

const OUTAGES: readonly PosternErrorCode[] = [
  'unavailable',
  'closed',
  'store_invalid',
  'store_newer',
  'driver_missing',
];
