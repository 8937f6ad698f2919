import { CompactSign } from 'jose';
import { z } from 'zod';
import { check } from '../base/check.js';
import { derivedKeyOf, keyIdOf } from '../base/derived-key.js';
import { duration } from '../base/duration-input.js';
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

/** Single scopes, `resource:*` and `*` of some token types. */
export type ExchangeableScope<T extends TokenTypes> = {
  [K in keyof T]: T[K] extends ScopeAccess<infer R> ? ScopeGrantIn<R> : never;
}[keyof T];

/**
 * What is asked for of what the subject holds. Scopes alone: these and no endpoint; endpoints alone: these and no scope;
 * neither: everything.
 */
export interface ExchangeOptions<T extends TokenTypes = TokenTypes> {
  readonly scopes?: readonly ExchangeableScope<T>[] | undefined;
  /** Ids of endpoints; `'*'`: all of the organization. */
  readonly endpoints?: '*' | readonly string[] | undefined;
  /** Default and upper bound are the options of `accessTokens`. The subject's own end comes first where it is earlier. */
  readonly expiresIn?: Duration | undefined;
  /** A public JWK: the token is bound to it, and useless without proofs by its private half (RFC 9449). */
  readonly dpopKey?: object | undefined;
}

/** An access token, and what an answer of RFC 6749 section 5.1 says of it. */
export interface ExchangedToken {
  /** A secret. Send it as `Authorization: Bearer …`, or `DPoP …` where it is bound to a key. */
  readonly accessToken: string;
  /** When it ends, to the second. */
  readonly expiresAt: Date;
  readonly tokenType: 'Bearer' | 'DPoP';
  /** Every scope that it holds, a space between them; empty where it holds none. */
  readonly scope: string;
}

/** What an exchange needs of the issuer. */
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
 * Issues an access token for who holds an API token, or a derived one, with at most its rights and at most its life.
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
    throw new PosternError('scope_missing', 'this token grants nothing that could be exchanged: derive one that does');
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
  const accessToken = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg, typ: ACCESS_TOKEN_TYP, kid })
    .sign(key);
  if (accessToken.length > MAX_TOKEN_LENGTH) {
    throw invalid(
      'endpoints',
      `with the scopes would make an access token of ${accessToken.length} bytes, and guards take ${MAX_TOKEN_LENGTH}: ask for fewer`,
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
      // Who was given an access token could else go on for ever, one after the other.
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
  'this token is good for some methods only, which others would never hear of: exchange one without methods';
const LIMITS = 'this token has limits, and its calls elsewhere would not count: exchange one without limits';

/**
 * The `kid` of the secret that an access token ends with.
 *
 * @throws PosternError `input_invalid` for a token whose secret has no key
 */
async function secretOf(subjectToken: string, { store, digester }: Ground): Promise<string> {
  const derived = readDerivedToken(subjectToken);
  if (derived !== null) return derived.kid;
  const key = await derivedKeyOf(subjectToken);
  const found = key && (await store.findTokenByKeyId(digester.candidates(keyIdOf(key.kid))));
  if (key && found) return key.kid;
  throw invalid('subjectToken', 'was imported, and has no key of its own yet: rotate it first');
}

/** The shortest of all lives that there are: its own, its subject's, the secret's. Whole seconds, rounded down. */
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

/** Of a wildcard that is held in part, the part is there and the wildcard is not. */
function assertScopeHeld(scope: string, granted: StoredGrants, catalog: Catalog, path: string): void {
  const types = [...catalog.types.values()];
  if (!types.some((type) => type.form === 'scope_access' && type.expansions.has(scope))) {
    throw unknownScope(scope, catalog, path);
  }
  if (Object.values(granted).some((grant) => !isEndpointGrant(grant) && grant.scopes.includes(scope))) return;
  throw new PosternError(
    'scope_missing',
    `${quote(scope)} is asked for, and this token does not hold it: ask for less`,
    {
      path,
    },
  );
}

function assertEndpointHeld(id: string, held: Grants, path: string): void {
  if (!isEndpointId(id)) throw invalid(path, `is ${quote(id)}, which is no id of an endpoint`);
  if (held.effective.endpoints !== '*' && !held.effective.endpoints.includes(id)) throw endpointNotGranted(id, path);
}

/**
 * Endpoints that were held by a rule or by name, bound to those that have the names now. Whoever holds all by a rule is told
 * nothing of one that is absent, or private: the two are the same to it.
 */
async function boundGrants(stored: StoredGrants, organization: string, { store }: Ground): Promise<StoredGrants> {
  const bind = async (grant: EndpointGrant): Promise<EndpointGrant> => {
    if (grant.uid !== null) return grant;
    const endpoint = await store.findEndpoint(organization, grant.id);
    if (endpoint === null || endpoint.access === 'private') throw endpointNotGranted(grant.id, 'endpoints');
    return { id: grant.id, uid: endpoint.uid };
  };
  const bound = Object.entries(stored).map(async ([type, grant]) => {
    if (!isEndpointGrant(grant) || grant.endpoints === '*') return [type, grant] as const;
    return [type, { endpoints: await Promise.all(grant.endpoints.map(bind)) }] as const;
  });
  return Object.fromEntries(await Promise.all(bound));
}

/** Why nobody gets a token for what was given. */
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
      return new PosternError('unavailable', 'whether this token is good can not be told now: try again', {
        cause: error,
      });
    case 'internal_error':
      if (isPosternError(error)) return error;
      return new PosternError('record_unreadable', 'the record of this token can not be read', { cause: error });
    default:
      return new PosternError('token_unknown', 'this is no token that is known here: check that it is whole');
  }
}

function endpointNotGranted(id: string, path: string): PosternError {
  return new PosternError(
    'endpoint_not_granted',
    `${id === '*' ? 'every endpoint' : quote(id)} is asked for, and this token does not reach it: ask for less`,
    { path },
  );
}

function isPublicKey(value: unknown): boolean {
  return ALGORITHMS.some((alg) => fits(alg, value));
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('input_invalid', problem, { path });
}
