import { CompactSign } from 'jose';
import * as z from 'zod';
import { check } from '../base/check.js';
import { derivedKeyOf, keyIdOf } from '../base/derived-key.js';
import { duration } from '../base/duration-input.js';
import { gathered } from '../base/gathered.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import type { Identified, Reissuable } from '../deciding/identified.js';
import { type Denied, isDenied } from '../domain/decision.js';
import { readDerivedToken } from '../domain/derived-token.js';
import type { Duration } from '../domain/duration.js';
import { isEndpointId } from '../domain/endpoint.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import { type EndpointGrant, type Grants, isEndpointGrant, type StoredGrants } from '../domain/grants.js';
import { narrowGrants } from '../domain/narrow.js';
import { VerifiedPrincipal } from '../domain/principal.js';
import { unknownScope } from '../domain/requirement.js';
import { quote } from '../domain/text.js';
import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import type { Catalog, ScopeAccess, ScopeGrantIn, TokenTypes } from '../domain/token-types.js';
import type { Internals } from '../instance/internals.js';
import { ACCESS_TOKEN_TYP } from './access-authenticator.js';
import { claimsOf } from './access-claims.js';
import { ALGORITHMS, fits, type PublicJwk } from './algorithms.js';
import { thumbprintOf } from './dpop.js';
import type { Signer } from './keys.js';
import { utf8 } from './utf8.js';

/** Single scopes, `resource:*` and `*` of some token types. */
export type ExchangeableScope<T extends TokenTypes> = {
  [K in keyof T]: T[K] extends ScopeAccess<infer R> ? ScopeGrantIn<R> : never;
}[keyof T];

/**
 * The part of the subject's rights that the access token gets. With scopes alone it gets no endpoint, with endpoints alone no
 * scope, with neither it gets everything.
 */
export interface ExchangeOptions<T extends TokenTypes = TokenTypes> {
  readonly scopes?: readonly ExchangeableScope<T>[] | undefined;
  /** Ids of endpoints; `'*'`: all of the organization. */
  readonly endpoints?: '*' | readonly string[] | undefined;
  /** Its life. The options of `accessTokens` give the default and the upper bound. It never outlives the subject. */
  readonly expiresIn?: Duration | undefined;
  /** A public JWK. The token is bound to it: each call needs a proof by its private half (RFC 9449). */
  readonly dpopKey?: object | undefined;
}

/** An access token, with the facts for an answer of RFC 6749 section 5.1. */
export interface ExchangedToken {
  /** A secret. Send it as `Authorization: Bearer …`, or as `DPoP …` if it is bound to a key. */
  readonly accessToken: string;
  /** Its end, to the second. */
  readonly expiresAt: Date;
  readonly tokenType: 'Bearer' | 'DPoP';
  /** All its scopes, separated by spaces. Empty if it has none. */
  readonly scope: string;
}

/** The issuer's part in an exchange. */
export interface Issuing {
  readonly issuer: string;
  readonly audience: string;
  /** Milliseconds. */
  readonly life: number;
  readonly maxLife: number;
  signer(): Promise<Signer>;
}

const MAX_NAMES = 200;
const EXPIRED = 'this token is about to expire, or has expired: get a new one';

const schema = z.strictObject({
  scopes: z
    .array(z.string('give scopes, such as models:read'))
    .min(1, 'name at least one, or leave it out')
    .max(MAX_NAMES)
    .optional(),
  endpoints: z
    .union(
      [
        z.literal('*'),
        z.array(z.string('give ids of endpoints')).min(1, 'name at least one, or leave it out').max(MAX_NAMES),
      ],
      "give a list of endpoint ids, or '*'",
    )
    .optional(),
  expiresIn: duration('10m').optional(),
  dpopKey: z.custom<PublicJwk>(isPublicKey, 'give a public JWK (RFC 7517), without its private part').optional(),
});

type Asked = z.output<typeof schema>;

/**
 * Issues an access token in exchange for an API token or a derived one, with at most its rights and at most its life.
 *
 * @throws PosternError `input_invalid`, `option_unknown`, `scope_unknown`, `scope_missing`, `endpoint_unknown`,
 *   `endpoint_not_granted`, `token_unknown`, `token_expired`, `token_revoked`, `unavailable`, `record_unreadable`
 */
export async function exchangeToken(
  { ground, identify }: Pick<Internals, 'ground' | 'identify'>,
  issuing: Issuing,
  subjectToken: string,
  options: unknown,
): Promise<ExchangedToken> {
  const asked = check(schema, options, 'exchange', 'input_invalid');
  const identified = await identify(subjectToken);
  if (isDenied(identified)) throw refusalOf(identified);
  const subject = exchangeable(identified);
  const secretKid = await secretOf(subjectToken, ground);
  const grants = await grantsAskedFor(subject, asked, ground);
  const { alg, kid, key } = await issuing.signer();
  const jkt = asked.dpopKey === undefined ? null : await thumbprintOf(asked.dpopKey);
  const { issuer, audience } = issuing;
  const { iat, exp } = lifeOf(subject, asked, issuing, ground);
  const { sub, scope, ...rest } = claimsOf(subject.principal, grants, ground.settings.catalog);
  if (rest.authorization_details.length === 0) {
    throw new PosternError(
      'scope_missing',
      'this token has no rights to exchange: use one that has scopes or endpoints',
    );
  }
  const claims = {
    iss: issuer,
    sub,
    aud: audience,
    jti: newId(ground.settings.random),
    iat,
    exp,
    ...(scope !== undefined && { scope }),
    ...rest,
    secret_kid: secretKid,
    ...(jkt !== null && { cnf: { jkt } }),
  };
  const accessToken = await new CompactSign(utf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg, typ: ACCESS_TOKEN_TYP, kid })
    .sign(key);
  if (accessToken.length > MAX_TOKEN_LENGTH) {
    throw invalid(
      'endpoints',
      `and scopes make an access token of ${accessToken.length} bytes, but guards take at most ${MAX_TOKEN_LENGTH}: ask for fewer`,
    );
  }
  subject.use();
  return {
    accessToken,
    expiresAt: new Date(exp * 1000),
    tokenType: jkt === null ? 'Bearer' : 'DPoP',
    scope: scope ?? '',
  };
}

/** @throws PosternError `input_invalid`, `issuance_forbidden` */
function exchangeable(identified: Identified): Reissuable {
  const subject = identified.toReissue();
  switch (subject) {
    case 'bound':
    case 'vouched':
      // Otherwise the holder of an access token could renew it forever.
      throw invalid(
        'subjectToken',
        'is an access token already: exchange the API token, or one that was derived from it',
      );
    case 'methods':
      throw new PosternError('issuance_forbidden', METHODS);
    case 'limits':
      throw new PosternError('issuance_forbidden', LIMITS);
    default:
      return subject;
  }
}

const METHODS =
  'this token is good for some methods only, and other services would not know that: exchange one without methods';
const LIMITS = 'this token has limits, and calls to other services would not count: exchange one without limits';

/**
 * The `kid` of the secret that an access token ends with.
 *
 * @throws PosternError `input_invalid` if the secret has no key
 */
async function secretOf(subjectToken: string, { store, digester }: Ground): Promise<string> {
  const derived = readDerivedToken(subjectToken);
  if (derived !== null) return derived.kid;
  const key = await derivedKeyOf(subjectToken);
  const found = key && (await store.findTokenByKeyId(digester.candidates(keyIdOf(key.kid))));
  if (key && found) return key.kid;
  throw invalid('subjectToken', 'was imported and has no key of its own yet: rotate it first');
}

/** The shortest of the requested life, the longest allowed and the subject's rest. Epoch seconds, rounded down. */
function lifeOf(
  { endsAt }: Reissuable,
  asked: Asked,
  issuing: Issuing,
  { time }: Ground,
): { iat: number; exp: number } {
  const now = time.read();
  const life = asked.expiresIn ?? issuing.life;
  const end = Math.min(endsAt, now + Math.min(life, issuing.maxLife));
  const iat = Math.floor(now / 1000);
  const exp = Math.floor(end / 1000);
  if (life < 1000) throw invalid('expiresIn', 'is less than a second');
  if (exp <= iat) throw new PosternError('token_expired', EXPIRED);
  return { iat, exp };
}

async function grantsAskedFor({ principal }: Reissuable, asked: Asked, ground: Ground): Promise<StoredGrants> {
  const held = VerifiedPrincipal.grantsOf(principal);
  if (held === null) throw new Error('the holder of a token has no grants');
  const { catalog } = ground.settings;
  const scopes = asked.scopes ?? null;
  const endpoints = asked.endpoints ?? null;
  const { stored } = narrowGrants(held, { scopes, endpoints }, catalog);
  for (const [index, scope] of (scopes ?? []).entries()) assertScopeHeld(scope, stored, catalog, `scopes.${index}`);
  if (endpoints === '*' && !held.allEndpoints) throw endpointNotGranted('*', 'endpoints');
  if (endpoints === null || endpoints === '*') return stored;
  for (const [index, id] of endpoints.entries()) assertEndpointHeld(id, held, `endpoints.${index}`);
  return boundGrants(stored, principal.organization, ground);
}

/** A wildcard that is held only in part is not held. */
function assertScopeHeld(scope: string, granted: StoredGrants, catalog: Catalog, path: string): void {
  const types = [...catalog.types.values()];
  if (!types.some((type) => type.form === 'scope_access' && type.expansions.has(scope))) {
    throw unknownScope(scope, catalog, path);
  }
  if (Object.values(granted).some((grant) => !isEndpointGrant(grant) && grant.scopes.includes(scope))) return;
  throw new PosternError('scope_missing', `this token does not hold ${quote(scope)}: ask for less`, {
    path,
  });
}

function assertEndpointHeld(id: string, held: Grants, path: string): void {
  if (!isEndpointId(id)) throw invalid(path, `is ${quote(id)}, which is no id of an endpoint`);
  if (held.effective.endpoints !== '*' && !held.effective.endpoints.includes(id)) throw endpointNotGranted(id, path);
}

/**
 * Binds endpoints that are held by `*` or by name to the endpoints that have these names now. A private endpoint gives the same
 * error as an absent one.
 */
async function boundGrants(stored: StoredGrants, organization: string, { store }: Ground): Promise<StoredGrants> {
  const findEndpoint = gathered(store);
  const bind = async (grant: EndpointGrant): Promise<EndpointGrant> => {
    if (grant.uid !== null) return grant;
    const endpoint = await findEndpoint(organization, grant.id);
    if (endpoint === null || endpoint.access === 'private') throw endpointNotGranted(grant.id, 'endpoints');
    return { id: grant.id, uid: endpoint.uid };
  };
  const bound = Object.entries(stored).map(async ([type, grant]) => {
    if (!isEndpointGrant(grant) || grant.endpoints === '*') return [type, grant] as const;
    return [type, { endpoints: await Promise.all(grant.endpoints.map(bind)) }] as const;
  });
  return Object.fromEntries(await Promise.all(bound));
}

/** The error for a subject token that was denied. */
function refusalOf({ reason, error }: Denied): PosternError {
  switch (reason) {
    case 'token_missing':
    case 'token_malformed':
      return invalid('subjectToken', 'is no token: give an API token, or one that was derived from it');
    case 'token_expired':
      return new PosternError('token_expired', EXPIRED);
    case 'token_revoked':
      return new PosternError('token_revoked', 'this token was revoked: get a new one');
    case 'unavailable':
      return new PosternError('unavailable', 'this token can not be checked at the moment: try again', {
        cause: error,
      });
    case 'internal_error':
      if (isPosternError(error)) return error;
      return new PosternError('record_unreadable', 'the record of this token can not be read', { cause: error });
    default:
      return new PosternError('token_unknown', 'this token is not known here: check that it is whole');
  }
}

function endpointNotGranted(id: string, path: string): PosternError {
  return new PosternError(
    'endpoint_not_granted',
    `this token does not reach ${id === '*' ? 'every endpoint' : quote(id)}: ask for less`,
    { path },
  );
}

function isPublicKey(value: unknown): boolean {
  return ALGORITHMS.some((alg) => fits(alg, value));
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('input_invalid', problem, { path });
}
