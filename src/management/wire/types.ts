import type * as z from 'zod';
import type * as limits from './limits.js';
import type * as schemas from './schemas.js';
import type * as session from './session-schemas.js';

/* The types of the wire, inferred from the schemas. */

/** Makes an answer deeply read-only. */
type Answer<T> = T extends readonly (infer Item)[]
  ? readonly Answer<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Answer<T[Key]> }
    : T;

type Of<Schema extends z.ZodType> = Answer<z.output<Schema>>;

export type User = Of<typeof schemas.userAnswer>;
export type Organization = Of<typeof schemas.organizationAnswer>;
export type Label = Of<typeof schemas.label>;
/** Token type → its grant. */
export type Grants = Of<typeof schemas.types>;
export type Token = Of<typeof schemas.tokenAnswer>;
export type TokenDetail = Of<typeof schemas.tokenDetailAnswer>;
export type LimitStanding = Of<typeof limits.limitStanding>;
export type DeadGrants = Token['dead_grants'];
export type IssuedToken = Of<typeof schemas.issuedTokenAnswer>;
export type TokenPage = Of<typeof schemas.tokenPageAnswer>;
export type Use = Of<typeof schemas.usageAnswer>['items'][number];
export type DailyUse = Of<typeof schemas.dailyUsageAnswer>['items'][number];
export type Endpoint = Of<typeof schemas.endpointAnswer>;
export type EndpointPage = Of<typeof schemas.endpointPageAnswer>;
export type Access = Endpoint['access'];
export type Preview = Of<typeof schemas.previewAnswer>;
export type AffectedToken = Preview['gain'][number];
export type AuditPage = Of<typeof schemas.auditAnswer>;
export type AuditEntry = AuditPage['items'][number];
export type Session = Of<typeof session.sessionAnswer>;
/** A token type of the application. */
export type TokenType = Session['types'][number];
/** A login that waits for someone to approve it. */
export type LoginRequest = Of<typeof session.loginRequestAnswer>;
export type Explanation = Of<typeof session.explanationAnswer>;
