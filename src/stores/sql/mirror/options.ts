import { duration } from '../../../base/duration-input.js';
import type { Duration } from '../../../domain/duration.js';

/** Options of a replica beside the way to it. */
export interface ReaderOptions {
  /**
   * The replica is not used while it is further behind than this. If the feed dies silently, changes of other processes are seen so
   * much later than without a replica. Default `'5s'`.
   */
  readonly maxLag?: Duration | undefined;
}

export const maxLag = duration('5s', { least: '500ms', most: '1m' }).default(5_000);

/** Said of a reader of a store that hears of no changes. */
export const NEEDS_FEED = 'needs the feed: without it, a replica that is behind could bring back what was revoked';
