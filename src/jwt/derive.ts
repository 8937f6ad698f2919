import { CompactSign, importJWK } from 'jose';
import * as z from 'zod';
import { check } from '../base/check.js';
import { derivedKeyOf } from '../base/derived-key.js';
import { duration } from '../base/duration-input.js';
import { webRandom } from '../base/runtime.js';
import { encodeBase64url } from '../domain/base64url.js';
import { derivedHeader } from '../domain/derived-token.js';
import type { Duration } from '../domain/duration.js';
import { isEndpointId } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { MAX_TOKEN_LENGTH, parseToken } from '../domain/token-format.js';
import { utf8 } from './utf8.js';

/** The limits of a derived token, within its parent's rights. */
export interface DeriveOptions {
  /** The only scopes that it may use. Left out: all of the parent's, or none if `endpoints` are given. */
  readonly scopes?: readonly string[] | undefined;
  /** The ids of the only endpoints that it may reach; `'*'`: all of the parent's. Left out: all, or none if `scopes` are given. */
  readonly endpoints?: readonly string[] | '*' | undefined;
  /** The only HTTP methods (`'GET'`), or gRPC methods by their full names (`'/bento.Summarizer/Summarize'`). Left out: any. */
  readonly methods?: readonly string[] | undefined;
  /** Its life, from now. Default `'5m'`. It also ends with its parent. */
  readonly expiresIn?: Duration | undefined;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

const DEFAULT_LIFE = '5m';
const MOST = 1_000;
const HTTP_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const options = z.strictObject({
  scopes: z
    .array(
      z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,120}$/, 'give scopes, such as models:read'),
      'give a list of scopes',
    )
    .max(MOST)
    .optional(),
  endpoints: z
    .union(
      [z.literal('*'), z.array(z.custom<string>(isEndpointId, 'give ids of endpoints')).max(MOST)],
      "give a list of endpoint ids, or '*'",
    )
    .optional(),
  methods: z
    .array(
      z
        .string()
        .regex(/^[\x21-\x7e]{1,200}$/, 'give methods, such as GET')
        // Methods are case-sensitive (RFC 9110 section 9.1), and nobody sends `get`.
        .refine(
          (method) =>
            method.includes('/') || !HTTP_METHODS.includes(method.toUpperCase()) || method === method.toUpperCase(),
          'write HTTP methods in capitals, such as GET',
        ),
      'give a list of methods',
    )
    .min(1, 'give at least one method, or leave it out')
    .max(MOST)
    .optional(),
  expiresIn: duration('5m').prefault(DEFAULT_LIFE),
  clock: z.custom<() => number>((value) => typeof value === 'function', 'give a function').optional(),
});

/**
 * Makes a narrower, short-lived token from an API token, offline. It is a JWT, signed with an Ed25519 key that is derived from the
 * API token (HKDF). The store keeps only the public half. It needs a Web Crypto API with Ed25519: Node, browsers, the edge.
 * When it is used, it has its parent's rights of that moment, narrowed by these options. Options beyond the parent's rights
 * grant nothing. It ends with its parent, and nothing can be derived from it.
 *
 * @param apiToken the whole API token. An imported one must be rotated first
 * @returns a JWT; send it like any token: `Authorization: Bearer …`
 * @example
 * const narrow = await derive(apiToken, { scopes: ['models:read'], endpoints: ['summarizer'], expiresIn: '5m' });
 * @throws PosternError `input_invalid` if `apiToken` is no API token; `option_invalid`, `option_unknown`
 */
export async function derive(apiToken: string, deriveOptions: DeriveOptions = {}): Promise<string> {
  const { scopes, endpoints, methods, expiresIn, clock } = check(options, deriveOptions, 'derive', 'option_invalid');
  if (parseToken(apiToken) === null) {
    throw new PosternError('input_invalid', 'give a whole API token: other kinds of token can not be derived from', {
      path: 'apiToken',
      input: 'derive',
    });
  }
  const life = Math.floor(expiresIn / 1000);
  if (life < 1)
    throw new PosternError('option_invalid', 'is less than a second', { path: 'expiresIn', input: 'derive' });
  const key = await derivedKeyOf(apiToken);
  const random = webRandom();
  if (key === null || random === null) {
    throw new PosternError('option_invalid', 'the Web Crypto API of this runtime has no Ed25519: derive elsewhere');
  }
  const iat = Math.floor((clock ?? Date.now)() / 1000);
  if (!Number.isInteger(iat))
    throw new PosternError('option_invalid', 'returned no time: give epoch milliseconds', {
      path: 'clock',
      input: 'derive',
    });
  const claims = {
    jti: encodeBase64url(random(16)),
    iat,
    exp: iat + life,
    ...(scopes && { scope: [...new Set(scopes)].join(' ') }),
    ...(endpoints && { endpoints: endpoints === '*' ? endpoints : [...new Set(endpoints)] }),
    ...(methods && { methods: [...new Set(methods)] }),
  };
  const privateKey = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.x, d: key.d }, 'EdDSA');
  const token = await new CompactSign(utf8(JSON.stringify(claims)))
    .setProtectedHeader(derivedHeader(key.kid))
    .sign(privateKey);
  if (token.length > MAX_TOKEN_LENGTH) {
    throw new PosternError(
      'option_invalid',
      `the derived token would have ${token.length} bytes, but guards take at most ${MAX_TOKEN_LENGTH}: name fewer scopes, endpoints or methods`,
    );
  }
  return token;
}
