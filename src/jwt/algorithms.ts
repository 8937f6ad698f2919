/** All accepted signature algorithms. They are asymmetric: never `none`, never a shared secret. */
export const ALGORITHMS = [
  'EdDSA',
  'Ed25519',
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
] as const;

/** An algorithm for the tokens of trusted issuers and for DPoP proofs. */
export type SignatureAlgorithm = (typeof ALGORITHMS)[number];

/** The requirements of an algorithm on its key (RFC 7518 section 3, RFC 8037 section 3.1, RFC 9864 section 2.2). */
interface Family {
  readonly kty: 'OKP' | 'EC' | 'RSA';
  /** `null`: RSA has no curves. */
  readonly crv: string | null;
  /** Bytes of a signature; `null`: as long as the key's modulus. */
  readonly signature: number | null;
}

const ED25519: Family = { kty: 'OKP', crv: 'Ed25519', signature: 64 };
const RSA: Family = { kty: 'RSA', crv: null, signature: null };

const FAMILIES: ReadonlyMap<string, Family> = new Map<SignatureAlgorithm, Family>([
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
  ['ES256', { kty: 'EC', crv: 'P-256', signature: 64 }],
  ['ES384', { kty: 'EC', crv: 'P-384', signature: 96 }],
  ['ES512', { kty: 'EC', crv: 'P-521', signature: 132 }],
  ['RS256', RSA],
  ['RS384', RSA],
  ['RS512', RSA],
  ['PS256', RSA],
  ['PS384', RSA],
  ['PS512', RSA],
]);

/** RFC 7518 sections 3.3 and 3.5. */
const LEAST_MODULUS_BITS = 2048;
/** The limit of Web Crypto implementations. It also bounds the cost of a verification. */
const MOST_MODULUS_BITS = 16_384;

/** A public key as JSON (RFC 7517), from an untrusted source: check it with {@link fits} first. */
export type PublicJwk = Readonly<Record<string, unknown>>;

export function isAlgorithm(value: unknown): value is SignatureAlgorithm {
  return typeof value === 'string' && FAMILIES.has(value);
}

/** Bytes of a signature by this algorithm; `null` if it depends on the key (RSA: at least 256). */
export function signatureLength(alg: SignatureAlgorithm): number | null {
  return (FAMILIES.get(alg) as Family).signature;
}

/**
 * Whether a JWK is a public key that verifies signatures of this algorithm. It checks type and curve, `alg`, `use` and `key_ops` if
 * present (RFC 7517 sections 4.2 to 4.4), an RSA modulus of 2048 to 16384 bits, and that there is no private part. Only own
 * properties count. The import checks that the point is on the curve.
 */
export function fits(alg: SignatureAlgorithm, jwk: unknown): jwk is PublicJwk {
  const family = FAMILIES.get(alg);
  if (family === undefined || typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return false;
  const own: Record<string, unknown> = Object.assign(Object.create(null), jwk);
  if (own.kty !== family.kty || own.d !== undefined || own.k !== undefined) return false;
  if (own.alg !== undefined && own.alg !== alg) return false;
  if (own.use !== undefined && own.use !== 'sig') return false;
  if (own.key_ops !== undefined && !(Array.isArray(own.key_ops) && own.key_ops.includes('verify'))) return false;
  if (family.kty === 'RSA') return isModulus(own.n) && typeof own.e === 'string';
  if (own.crv !== family.crv || typeof own.x !== 'string') return false;
  return family.kty === 'OKP' || typeof own.y === 'string';
}

/** Only the members that make up the key. The others were checked by {@link fits}. */
export function bareKey(jwk: PublicJwk): { kty: string } & Record<string, string> {
  const names = jwk.kty === 'RSA' ? ['n', 'e'] : jwk.kty === 'EC' ? ['crv', 'x', 'y'] : ['crv', 'x'];
  return Object.assign(Object.fromEntries(names.map((name) => [name, jwk[name] as string])), {
    kty: jwk.kty as string,
  });
}

function isModulus(n: unknown): boolean {
  if (typeof n !== 'string' || !/^[A-Za-z0-9_-]+$/.test(n)) return false;
  // Leading zero bits don't count: a short key in a long text is still short.
  const digits = n.replace(/^A+/, '');
  const first = BASE64URL.indexOf(digits.charAt(0));
  const bytes = Math.floor((n.length * 6) / 8);
  const leading = (n.length - digits.length) * 6 + Math.clz32(first) - 26;
  const bits = bytes * 8 - leading;
  return bits >= LEAST_MODULUS_BITS && bits <= MOST_MODULUS_BITS;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
