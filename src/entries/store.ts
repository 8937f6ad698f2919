/** The types of a store, and two rules, for one of your own. `testStore` of `postern/testing` checks it. */

export type { Access } from '../domain/endpoint.js';
export type { Ownership } from '../domain/principal.js';
export { type Ending, endsIn, stateAt, type TokenState, type TokenTimes } from '../domain/token-state.js';
export type { Actor, Change, ChangeQuery, ChangeType } from '../ports/changes.js';
export type {
  DailyCount,
  FoundToken,
  NewSecret,
  NewToken,
  SecretFacts,
  SecretKey,
  SecretRotation,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  TokenFacts,
  TokenRemoval,
  Usage,
  UsageCount,
} from '../ports/records.js';
export type {
  Confirmation,
  DailyUsageQuery,
  EndpointQuery,
  Invalidation,
  Mirror,
  MirrorAnswer,
  MirrorWatcher,
  Stale,
  Store,
  StoreWithin,
  TokenFilter,
  TokenPosition,
  TokenQuery,
  VerificationReads,
} from '../ports/store.js';
