/** The types of a store, for one of your own. `testStore` of `postern/testing` checks it. */

export type { Access } from '../domain/endpoint.js';
export type { Ownership } from '../domain/principal.js';
export type { Actor, Change, ChangeQuery, ChangeType } from '../ports/changes.js';
export type {
  DailyCount,
  NewSecret,
  SecretKey,
  SecretRotation,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  Usage,
  UsageCount,
} from '../ports/records.js';
export type {
  Confirmation,
  DailyUsageQuery,
  EndpointQuery,
  Invalidation,
  Stale,
  Store,
  StoreWithin,
  TokenFilter,
  TokenPosition,
  TokenQuery,
} from '../ports/store.js';
