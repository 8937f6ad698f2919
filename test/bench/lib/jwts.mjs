import { generateKeyPairSync } from 'node:crypto';
import { createSigner } from 'fast-jwt';

export const ISSUER = 'https://auth.bench.test/';
export const AUDIENCE = 'https://api.bench.test';

const KEYS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};

/** Signed tokens that say as much as ours: who, whose, what. @param {'RS256' | 'ES256'} algorithm */
export function makeJwts(algorithm, count) {
  const { privateKey, publicKey } = KEYS[algorithm]();
  const sign = createSigner({
    algorithm,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    kid: 'bench',
    iss: ISSUER,
    aud: AUDIENCE,
    expiresIn: 86_400_000,
  });
  const tokens = Array.from({ length: count }, (_, i) =>
    sign({ sub: `owner-${i}`, jti: `token-${i}`, scope: 'models:read', org: 'default' }),
  );
  return {
    tokens,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }),
    jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: algorithm, use: 'sig' },
  };
}
