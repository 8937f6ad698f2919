import { ALGORITHMS, type SignatureAlgorithm } from '../../../src/jwt/algorithms.js';
import { type CompactJws, readCompact } from '../../../src/jwt/compact.js';
import { localKeys } from '../../../src/jwt/local-keys.js';
import { type IssuerKey, issuerKey } from './tokens.js';

/** A key for each algorithm. */
export const keys = new Map<string, IssuerKey>();
export const keyOf = (alg: SignatureAlgorithm) => keys.get(alg) as IssuerKey;

for (const alg of ALGORITHMS) keys.set(alg, await issuerKey(alg));

export const read = (token: string) => readCompact(token) as CompactJws;

export async function imported(jwk: object, alg: SignatureAlgorithm): Promise<CryptoKey> {
  return (await localKeys({ keys: [jwk] }, ALGORITHMS).find({ alg, kid: null })) as CryptoKey;
}
