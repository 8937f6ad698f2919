import { CompactSign } from 'jose';
import * as z from 'zod';
import { BoundedMap } from '../../base/bounded-map.js';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import type { Principal } from '../../domain/principal.js';
import type { TokenTypes } from '../../domain/token-types.js';
import type { Postern } from '../../instance/create-postern.js';
import { internalsOf } from '../../instance/internals.js';
import { type AccessTokens, keysOfAccessTokens } from '../../jwt/access-tokens.js';
import { jwksHandler } from '../../jwt/jwks-handler.js';
import { type PrivateJwk, type PublishedKeySet, readKeys } from '../../jwt/keys.js';
import { nonEmpty } from '../../jwt/options.js';
import { givenKeys, type SigningKeys } from '../../jwt/signing-keys.js';
import { utf8 } from '../../jwt/utf8.js';
import { passagesOf } from '../../transports/once.js';
import { HOP_ALGORITHM, HOP_LIFE, HOP_TYPE, type HopClaims, pathIn } from './hop-claims.js';
import { type HopRequest, readHopRequest } from './hop-request.js';

/** Options of `hops`, and of a gateway's `hop`. */
export interface HopsOptions {
  /** The `iss` of the hops: an address that is yours. */
  readonly issuer: string;
  /** Private Ed25519 keys (`await generateKeys()`), the first of which signs; or `accessTokens(…)`, whose keys then sign hops too. */
  readonly keys: AccessTokens | readonly (PrivateJwk | object)[] | { readonly keys: readonly (PrivateJwk | object)[] };
  /** The life of a hop. Default and most `'30s'`. A hop is used for equal calls until half of its life is over. */
  readonly expiresIn?: Duration | undefined;
}

/** The call that a hop is for. */
export interface HopForOptions {
  /** The service behind: `organization/endpoint`. */
  readonly audience: string;
  /** The method of the call to that service. Default: the request's own. */
  readonly method?: string | undefined;
  /** The address of the call to that service; its query is left out. Default: the request's own. */
  readonly url?: string | URL | undefined;
}

/** Signs the identity of callers for the services behind. */
export interface Hops {
  /**
   * The signed identity of a guarded request's caller: the value of the header `Postern-Identity` for a call to the service behind.
   * `''` for nobody (no credential was needed): send it all the same, so that no other value gets through.
   *
   * @param request the request that a guard let through: the framework's own object
   * @throws PosternError `guard_missing` if no guard let it through; `input_invalid`; `option_invalid` (the key is not Ed25519);
   *   `unavailable` (keys in the store)
   */
  hopFor(request: HopRequest, options: HopForOptions): Promise<string>;
  /** The public keys, for the services behind. @throws PosternError `unavailable` */
  jwks(): Promise<PublishedKeySet>;
  /** Serves them at `/.well-known/jwks.json`, with `Cache-Control` and `ETag`. */
  readonly jwksHandler: (request: Request) => Promise<Response>;
}

/** A call that a hop is bound to. */
export interface BoundCall {
  readonly audience: string;
  readonly htm: string;
  readonly htu: string;
}

/** The hops of a gateway: it knows the caller itself. */
export interface SigningHops extends Hops {
  sign(principal: Principal, call: BoundCall): Promise<string>;
}

const schema = z.strictObject({
  issuer: nonEmpty('the issuer: an address that is yours'),
  keys: z.custom<HopsOptions['keys']>(
    (value) => typeof value === 'object' && value !== null,
    'give private keys, such as generateKeys() makes, or accessTokens(…)',
  ),
  expiresIn: duration('30s', { least: '1s', most: '30s' }).default(HOP_LIFE),
});

const address = z.custom<string | URL>((value) => URL.canParse(String(value)), 'give an absolute address');
const forOptions = z.strictObject({
  audience: nonEmpty('the service behind: organization/endpoint'),
  method: nonEmpty('a method').optional(),
  url: address.optional(),
});

/** Names of endpoints beyond this number, and their length: a header must hold them all. */
const MOST_NAMED = 50;
/** Calls of one caller whose hops are kept. */
const MOST_KEPT = 64;

/**
 * Signs hops: the identity of a caller for the service behind, bound to one method and address for at most 30 seconds. Hand it the
 * instance whose guards let the requests through.
 *
 * @example
 * const { hopFor } = hops(postern, { issuer: 'https://auth.acme.dev', keys: signed });
 * app.post('/summarize', guard(postern, { endpoint: 'summarizer' }), async (request, response) => {
 *   const url = 'http://10.0.0.9:3000/summarize';
 *   const hop = await hopFor(request, { audience: 'mybentocloud/summarizer', method: 'POST', url });
 *   const answer = await fetch(url, { method: 'POST', headers: { 'Postern-Identity': hop }, body: request.body });
 * });
 * @throws PosternError `option_invalid`, `option_unknown`, `input_invalid`
 */
export function hops<T extends TokenTypes>(postern: Postern<T>, options: HopsOptions): Hops {
  const { hopFor, jwks, jwksHandler } = signingHops(postern, options);
  return { hopFor, jwks, jwksHandler };
}

export function signingHops<T extends TokenTypes>(postern: Postern<T>, options: HopsOptions): SigningHops {
  const { issuer, keys, expiresIn } = check(schema, options, 'hops', 'option_invalid');
  const { ground } = internalsOf(postern);
  const keysNow = signingKeysOf(postern, keys);
  const kept = new WeakMap<Principal, BoundedMap<string, KeptHop>>();

  async function sign(principal: Principal, call: BoundCall): Promise<string> {
    const now = Math.max(ground.time.read(), ground.time.latest);
    const signer = await keysNow().signer();
    if (signer.alg !== HOP_ALGORITHM) throw wrongKey();
    const hopsOfCaller = kept.get(principal) ?? new BoundedMap<string, KeptHop>(MOST_KEPT);
    kept.set(principal, hopsOfCaller);
    const name = JSON.stringify([signer.kid, call.audience, call.htm, call.htu]);
    const earlier = hopsOfCaller.get(name);
    const reused = earlier !== undefined && earlier.from <= now && now < earlier.until;
    ground.events.observer?.hop(reused);
    if (reused) return earlier.hop;
    const end = Math.min(now + expiresIn, principal.endsAt?.getTime() ?? Number.POSITIVE_INFINITY);
    const claims = claimsOf(principal, call, { iss: issuer, iat: seconds(now), exp: seconds(end) });
    const hop = new CompactSign(utf8(JSON.stringify(claims)))
      .setProtectedHeader({ alg: HOP_ALGORITHM, typ: HOP_TYPE, kid: signer.kid })
      .sign(signer.key);
    hopsOfCaller.set(name, { hop, from: now, until: Math.min(now + expiresIn / 2, end) });
    hop.catch(() => hopsOfCaller.delete(name));
    return hop;
  }

  async function hopFor(request: HopRequest, given: HopForOptions): Promise<string> {
    const { audience, ...other } = check(forOptions, given, 'hopFor', 'input_invalid');
    const passages = [request, request.raw].flatMap((each) => (isObject(each) ? passagesOf(each) : []));
    if (passages.length === 0) {
      throw new PosternError('guard_missing', 'no guard let this request through: put one in front of the handler');
    }
    // The last guard is the one nearest to the handler.
    const principal = passages.findLast((each) => each.principal !== null)?.principal ?? null;
    if (principal === null) return '';
    const own = readHopRequest(request);
    const htm = other.method ?? own.method;
    const htu = addressOf(other.url === undefined ? own.url : String(other.url));
    if (htm === null || htu === null) {
      throw new PosternError('input_invalid', 'the request has none: give that of the call to the service behind', {
        path: htm === null ? 'method' : 'url',
        input: 'hopFor',
      });
    }
    return sign(principal, { audience, htm, htu });
  }

  const jwks = async () => ({ keys: await keysNow().published() });
  return { sign, hopFor, jwks, jwksHandler: jwksHandler(jwks, () => keysNow().maxAge) };
}

interface KeptHop {
  readonly hop: Promise<string>;
  /** Epoch milliseconds: a clock that was set back makes a new hop. */
  readonly from: number;
  readonly until: number;
}

function claimsOf(
  { tokenId, owner, organization, types, grants }: Principal,
  { audience, htm, htu }: BoundCall,
  registered: Pick<HopClaims, 'iss' | 'iat' | 'exp'>,
): HopClaims {
  const called = audience.slice(audience.lastIndexOf('/') + 1);
  const { endpoints: all } = grants;
  const endpoints = all === '*' || all.length <= MOST_NAMED ? all : all.filter((each) => each === called);
  const scope = grants.scopes.join(' ');
  const names = Object.keys(types);
  return { ...registered, aud: audience, sub: tokenId, owner, organization, types: names, scope, endpoints, htm, htu };
}

function signingKeysOf(postern: unknown, given: HopsOptions['keys']): () => SigningKeys {
  const keysFor = keysOfAccessTokens(given);
  if (keysFor !== null) return () => keysFor(postern);
  const read = readKeys(given as Exclude<HopsOptions['keys'], AccessTokens>);
  if (read.signing.alg !== HOP_ALGORITHM) throw wrongKey();
  const keys = givenKeys(read);
  return () => keys;
}

function wrongKey(): PosternError {
  return new PosternError('option_invalid', 'hops are signed with Ed25519 (EdDSA): give such keys', {
    path: 'keys',
    input: 'hops',
  });
}

/** An address without its query and fragment; its path stays as it is. */
function addressOf(url: string | null): string | null {
  const path = url === null ? null : pathIn(url);
  return url === null || path === null || path === url ? null : url.slice(0, url.search(/[?#]|$/));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
