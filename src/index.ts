export type { Check, Step } from './domain/decide.js';
export type { Allowed, Authentication, Decision, DenialReason, Denied, FaultCause } from './domain/decision.js';
export type { Duration } from './domain/duration.js';
export type { Access, Endpoint, Zone } from './domain/endpoint.js';
export { isPosternError, PosternError, type PosternErrorCode } from './domain/errors.js';
export type { Explanation, Remedy } from './domain/explain.js';
export type { EffectiveGrants } from './domain/grants.js';
export type { LimitState, Limits } from './domain/limits.js';
export type { Ownership, Principal } from './domain/principal.js';
export type {
  AuthenticatedRequirement,
  EndpointRequirement,
  PublicRequirement,
  Requirement,
  ScopeRequirement,
} from './domain/requirement.js';
export { type ParsedToken, parseToken, tokenPattern } from './domain/token-format.js';
export type { JsonValue, Metadata, TokenRecord } from './domain/token-record.js';
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
} from './domain/token-types.js';
export type { Attempt, AttemptNeeding } from './services/attempt.js';
export type { Audit, AuditEntry, ListChanges } from './services/audit.js';
export type {
  AttachedAuthenticator,
  Authenticator,
  AuthenticatorHost,
  Presentation,
  Proof,
  Refusal,
  Vouched,
} from './services/authenticator.js';
export { createPostern, type Management, type Postern } from './services/create-postern.js';
export type { CreateEndpoint, Endpoints, InOrganization, ListEndpoints } from './services/endpoints.js';
export type {
  ChangeEvent,
  DecisionEvent,
  EventListener,
  FaultEvent,
  FeedEvent,
  PosternEvent,
} from './services/events.js';
export type { CacheOptions, ImportedTokenForm, Pepper, PosternOptions } from './services/options.js';
export type {
  Actor,
  Change,
  ChangeQuery,
  ChangeType,
  Clock,
  Confirmation,
  EndpointQuery,
  Invalidation,
  NewSecret,
  Random,
  SecretKey,
  SecretRotation,
  Store,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  TokenFilter,
  TokenPosition,
  TokenQuery,
  Usage,
  UsageCount,
} from './services/ports.js';
export type { AccessPreview, AffectedToken } from './services/preview.js';
export type { Consumed, RateLimiter } from './services/rate-limiter.js';
export type { Register, RegisteredPrincipal, RegisteredRequirement } from './services/register.js';
export type {
  CountTokens,
  CreateToken,
  ImportToken,
  IssuedToken,
  ListTokens,
  Page,
  Tokens,
  TokenUsage,
  UpdateToken,
} from './services/tokens-api.js';
export { memoryStore } from './stores/memory.js';
