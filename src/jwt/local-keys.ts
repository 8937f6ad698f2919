import { importJWK } from 'jose';
import { bareKey, fits, isAlgorithm, type PublicJwk, type SignatureAlgorithm } from './algorithms.js';
import { type FoundKeys, type KeyQuery, MAX_KEYS_TRIED, type VerificationKeys } from './verify.js';

/** How long a signature by keys that never change is trusted, in milliseconds: longer than any process runs. */
export const FOR_GOOD = 365 * 86_400_000;

/** A JSON Web Key Set (RFC 7517 section 5) of public keys. A key with a private part is skipped. */
export interface JsonWebKeySet {
  readonly keys: readonly object[];
}

/** Keys beyond this number are ignored: a real set has a few. */
const MAX_KEYS = 256;

/** The keys of a local set. */
export interface LocalKeys extends VerificationKeys {
  /** The number of keys that fit one of the algorithms. */
  readonly size: number;
}

export function isKeySet(value: unknown): value is JsonWebKeySet {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, 'keys') &&
    Array.isArray((value as JsonWebKeySet).keys)
  );
}

/**
 * Verifies with a copy of the given set. Keys that fit none of the algorithms, or can't be imported, are skipped (RFC 7517
 * section 5). Each key is imported once for each algorithm, on first use. A token that names no key is tried with the keys that
 * fit its algorithm, four at most.
 */
export function localKeys(jwks: JsonWebKeySet, algorithms: readonly SignatureAlgorithm[]): LocalKeys {
  const keys = jwks.keys.slice(0, MAX_KEYS);
  const fitting = new Map(
    algorithms.map((alg) => [alg, keys.filter((jwk): jwk is PublicJwk => fits(alg, jwk)).map((jwk) => ({ ...jwk }))]),
  );
  const imported = new Map<string, FoundKeys | Promise<FoundKeys>>();

  function importNamed(alg: SignatureAlgorithm, kid: string | null): Promise<FoundKeys> | null {
    const named = (fitting.get(alg) ?? []).filter((jwk) => kid === null || jwk.kid === kid);
    if (named.length === 0) return null;
    return Promise.all(named.slice(0, MAX_KEYS_TRIED).map((jwk) => importKey(jwk, alg))).then((each) => {
      const keys = each.filter((key) => key !== null);
      return keys.length > 1 ? keys : (keys[0] ?? null);
    });
  }

  return {
    size: keys.filter((jwk) => algorithms.some((alg) => fits(alg, jwk))).length,
    find({ alg, kid }: KeyQuery) {
      if (!isAlgorithm(alg)) return null;
      const name = kid === null ? alg : `${alg} ${kid}`;
      const known = imported.get(name);
      if (known !== undefined) return known;
      const started = importNamed(alg, kid);
      // Unknown names are not remembered: strangers could fill the memory with them.
      if (started === null) return null;
      const named = started.then((found) => {
        imported.set(name, found);
        return found;
      });
      imported.set(name, named);
      return named;
    },
  };
}

async function importKey(jwk: PublicJwk, alg: SignatureAlgorithm): Promise<CryptoKey | null> {
  try {
    return (await importJWK(bareKey(jwk), alg)) as CryptoKey;
  } catch {
    return null;
  }
}
