import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { SignatureAlgorithm } from '../../../src/jwt/algorithms.js';
import { START } from '../../support/outcomes.js';

/** A key pair of an issuer, with its public half as in a JWKS. */
export interface IssuerKey {
  readonly alg: SignatureAlgorithm;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export async function issuerKey(alg: SignatureAlgorithm, kid = `${alg}-1`): Promise<IssuerKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export const ISSUER = 'https://login.example';
export const AUDIENCE = 'https://api.example';

/** Valid claims at {@link START}, for ten minutes. */
export const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'ci',
  iat: START / 1000,
  exp: START / 1000 + 600,
  scope: 'openid models:read',
};

/** A signed token. An `undefined` claim or header parameter is left out. */
export function signed(key: IssuerKey, claims: object = {}, header: object = {}): Promise<string> {
  const { alg, kid, privateKey } = key;
  return new SignJWT({ ...CLAIMS, ...claims } as never)
    .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header } as never)
    .sign(privateKey);
}

export const base64url = (value: string | Uint8Array | object): string =>
  Buffer.from(
    typeof value === 'string' || value instanceof Uint8Array ? (value as string) : JSON.stringify(value),
  ).toString('base64url');

/** A token from raw parts, by default with a made-up signature. */
export const crafted = (
  header: string | object,
  payload: string | object = CLAIMS,
  signature = 'A'.repeat(86),
): string => [base64url(header), base64url(payload), signature].join('.');

/** The header and payload of a token, which its signature is of. */
export const inputOf = (token: string): string => token.slice(0, token.lastIndexOf('.'));
