import * as z from 'zod';
import { BoundedMap } from '../../base/bounded-map.js';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { readCompact } from '../../jwt/compact.js';
import { trustedUrl } from '../../jwt/fetch-json.js';
import { isKeySet, type JsonWebKeySet, localKeys } from '../../jwt/local-keys.js';
import { nonEmpty } from '../../jwt/options.js';
import { type KeyServerOptions, keyServerFields, keyServerSettings, remoteKeys } from '../../jwt/remote-keys.js';
import { type VerificationKeys, verifySignature } from '../../jwt/verify.js';
import { HOP_ALGORITHM, HOP_LIFE, HOP_TYPE, type HopClaims, pathIn } from './hop-claims.js';
import { type HopRequest, readHopRequest } from './hop-request.js';

/** Options of `verifyHop`. Use one object for all requests: it is read once. */
export interface VerifyHopOptions extends KeyServerOptions {
  /** The `issuer` of the gateway or guard. */
  readonly issuer: string;
  /** This service, `organization/endpoint`; several if it serves several. */
  readonly audience: string | readonly string[];
  /** The public keys: the address of their JWKS, or a JSON Web Key Set that never changes. */
  readonly jwks: URL | string | JsonWebKeySet;
  /** How far the issuer's clock may differ from this one. Default `'5s'`. */
  readonly clockTolerance?: Duration | undefined;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

/** The verified caller of a request: the claims of its hop. */
export type HopIdentity = HopClaims;

const audience = nonEmpty('this service: organization/endpoint');
const schema = z.strictObject({
  ...keyServerFields,
  issuer: nonEmpty('the issuer of the hops'),
  audience: z.union([audience.transform((each) => [each]), z.array(audience).min(1)], 'name this service'),
  jwks: z.custom<VerifyHopOptions['jwks']>(
    (value) => typeof value === 'string' || value instanceof URL || isKeySet(value),
    'give the address of the keys, or { keys: […] }',
  ),
  clockTolerance: duration('5s', { most: '1m' }).default(5_000),
  clock: z.custom<() => number>((value) => typeof value === 'function', 'give a function').optional(),
});

interface Verifier {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly keys: VerificationKeys;
  readonly tolerance: number;
  readonly clock: () => number;
}

const claims = z.object({
  sub: z.string().min(1),
  owner: z.string().nullable(),
  organization: z.string().min(1),
  types: z.array(z.string()),
  scope: z.string(),
  endpoints: z.union([z.literal('*'), z.array(z.string())]),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  exp: z.number(),
});

/**
 * Who called, by the request's `Postern-Identity`: for a service behind a gateway or a guard, in any runtime. `null` for a request
 * without a valid one, or with one for another issuer, service, method or path: refuse it. Callers of public endpoints have
 * none.
 *
 * The path is compared as it was sent. If a proxy on the way changes it, give an object with the method, the original address and
 * the headers.
 *
 * @example
 * const options = { issuer: 'https://auth.acme.dev', audience: 'mybentocloud/summarizer', jwks: 'https://auth.acme.dev/.well-known/jwks.json' };
 * const caller = await verifyHop(request, options);
 * if (caller === null) return new Response(null, { status: 401 });
 * @throws PosternError `unavailable` if the keys can't be read; `option_invalid`, `option_unknown`
 */
export async function verifyHop(request: HopRequest, options: VerifyHopOptions): Promise<HopIdentity | null> {
  const { issuer, audience, keys, tolerance, clock } = verifierOf(options);
  const { method, target, header } = readHopRequest(request);
  const hop = header('postern-identity');
  const jws = hop === undefined ? null : readCompact(hop);
  if (hop === undefined || jws === null || !isHopHeader(jws.header)) return null;
  const { iss, aud } = jws.payload;
  if (iss !== issuer || typeof aud !== 'string' || !audience.includes(aud)) return null;
  const read = claims.safeParse(jws.payload);
  if (!read.success) return null;
  const { htm, htu, iat, exp } = read.data;
  const path = pathIn(htu);
  if (htm !== method || path === null || path === htu || path !== pathIn(target ?? '')) return null;
  const now = clock();
  if (iat * 1000 > now + tolerance || exp * 1000 <= now - tolerance || (exp - iat) * 1000 > HOP_LIFE) return null;
  let isSigned: boolean;
  try {
    isSigned = await verifySignature(jws, keys);
  } catch (cause) {
    throw new PosternError('unavailable', 'the keys of the hops can not be read', { input: 'verifyHop', cause });
  }
  return isSigned ? { ...read.data, iss: issuer, aud } : null;
}

/** Exactly these members: nothing else in a header is for this verifier to follow. */
function isHopHeader({ alg, typ, kid, ...others }: Readonly<Record<string, unknown>>): boolean {
  return alg === HOP_ALGORITHM && typ === HOP_TYPE && typeof kid === 'string' && Object.keys(others).length === 0;
}

const VERIFIERS = new WeakMap<object, Verifier>();
/** By address and settings, so that options made for each request share the keys. */
const SERVERS = new BoundedMap<string, VerificationKeys>(100);

function verifierOf(options: VerifyHopOptions): Verifier {
  let verifier = VERIFIERS.get(options);
  if (verifier === undefined) {
    const given = check(schema, options, 'verifyHop', 'option_invalid');
    const { issuer, audience, jwks, clockTolerance, clock = Date.now, ...rest } = given;
    verifier = { issuer, audience, keys: keysOf(jwks, rest, clock), tolerance: clockTolerance, clock };
    VERIFIERS.set(options, verifier);
  }
  return verifier;
}

function keysOf(
  jwks: VerifyHopOptions['jwks'],
  fields: Parameters<typeof keyServerSettings>[0],
  clock: () => number,
): VerificationKeys {
  const algorithms = [HOP_ALGORITHM] as const;
  if (isKeySet(jwks)) return localKeys(jwks, algorithms);
  const settings = keyServerSettings(fields, 'verifyHop');
  const server = trustedUrl(jwks, 'jwks', settings.allowInsecureKeys);
  const make = () => remoteKeys({ server, settings, algorithms, clock });
  if (fields.fetch !== undefined || clock !== Date.now) return make();
  const name = JSON.stringify([server, settings]);
  const known = SERVERS.get(name) ?? make();
  SERVERS.set(name, known);
  return known;
}
