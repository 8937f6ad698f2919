export type {
  ChangeEvent,
  DecisionEvent,
  EventListener,
  FaultEvent,
  FeedEvent,
  PosternEvent,
} from '../base/events.js';
export type { CacheOptions, ImportedTokenForm, Pepper, PosternOptions } from '../base/options.js';
export type { Attempt, AttemptNeeding } from '../deciding/attempt.js';
export type { Allowed, Authentication, Decision, DenialReason, Denied, FaultCause } from '../domain/decision.js';
export type { Duration } from '../domain/duration.js';
export type { Access, Endpoint, Zone } from '../domain/endpoint.js';
export { isPosternError, PosternError, type PosternErrorCode } from '../domain/errors.js';
export type { Explanation, Remedy } from '../domain/explain.js';
export type { EffectiveGrants } from '../domain/grants.js';
export type { LimitPolicy, LimitStanding, LimitState, Limits } from '../domain/limits.js';
export type { Ownership, Principal } from '../domain/principal.js';
export {
  type AuthenticatedRequirement,
  type EndpointRequirement,
  own,
  type PublicRequirement,
  type RequiredOrganization,
  type Requirement,
  type ScopeRequirement,
} from '../domain/requirement.js';
export { type ParsedToken, parseToken, tokenPattern } from '../domain/token-format.js';
export type { DeadGrant, JsonValue, Metadata, TokenRecord } from '../domain/token-record.js';
export type { EndpointWords, ScopeWords, Words } from '../domain/token-type-words.js';
export {
  type AnyTokenTypes,
  bentocloudTokenTypes,
  type EndpointAccess,
  endpointAccess,
  type GrantsOf,
  type Resources,
  type ScopeAccess,
  type ScopeOf,
  scopeAccess,
  type TokenTypes,
} from '../domain/token-types.js';
export type { Check, Step } from '../domain/trace.js';
export { createPostern, type Postern } from '../instance/create-postern.js';
export type {
  PrincipalOf,
  Register,
  RegisteredPrincipal,
  RegisteredRequirement,
  ScopesOf,
} from '../instance/register.js';
export { memoryRateLimiter } from '../limits/memory.js';
export type { Audit, AuditEntry, ListChanges } from '../managing/audit.js';
export type { Management } from '../managing/create-managing.js';
export type { CreateEndpoint, Endpoints, InOrganization, ListEndpoints } from '../managing/endpoints.js';
export type { AccessPreview, AffectedToken } from '../managing/preview.js';
export type {
  CountTokens,
  CreateToken,
  ImportToken,
  IssuedToken,
  ListTokens,
  Page,
  TokenPage,
  Tokens,
  TokenUsage,
  UpdateToken,
} from '../managing/tokens-api.js';
export type { DailyUsage, UsageDays, UsageQuery } from '../managing/usage.js';
export type { Committed, InTransaction } from '../managing/within.js';
export type {
  AttachableAuthenticator,
  Authenticator,
  AuthenticatorHost,
  Presentation,
  Proof,
  ProofUse,
  Prove,
  Refusal,
  Vouched,
  VouchedTypes,
} from '../ports/authenticator.js';
export type { Actor, ChangeType } from '../ports/changes.js';
export type { Clock, Random } from '../ports/environment.js';
export type { Consumed, RateLimiter, RateWindow, WindowState } from '../ports/rate-limiter.js';
export type { Confirmation } from '../ports/store.js';
export { memoryStore } from '../stores/memory.js';
