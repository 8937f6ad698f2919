import type { OpaqueCredential } from '../base/credential.js';
import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked, secretEndOf } from '../base/token-reader.js';
import { isUnavailable } from '../domain/errors.js';
import type { SecretFacts, TokenFacts } from '../ports/records.js';
import { KnownToken } from './known-token.js';
import type { TokenCache } from './token-cache.js';

export interface Lookup {
  /** The key in the cache. Look-ups that may find different tokens never share one. */
  readonly key: string;
  readonly by: 'secret' | 'digest' | 'keyId' | 'id';
  /** The secret's hash, its digest in the store, the key's thumbprint (32 bytes as text), or the token's id. */
  readonly value: string;
}

interface Found {
  readonly token: TokenFacts;
  /** `null`: looked up by the token's id. */
  readonly secret: SecretFacts | null;
  readonly publicKey?: string;
}

/** A read that several calls may wait for. */
interface Load {
  readonly sequence: number;
  token?: Promise<KnownToken | null>;
}

/** Finds tokens with as few reads of the store as possible. */
export class TokenFinder {
  readonly #ground: Ground;
  readonly #cache: TokenCache;
  readonly #loading = new Map<string, Load>();

  constructor(ground: Ground, cache: TokenCache) {
    this.#ground = ground;
    this.#cache = cache;
  }

  bySecret({ key, secret, by }: OpaqueCredential): Lookup {
    return { key, by, value: secret };
  }

  /** The token, from memory or from the store. Concurrent calls for the same token share one read. */
  find(lookup: Lookup, now: number): Promise<KnownToken | null> {
    const { key } = lookup;
    const known = this.#cache.peek(key, now);
    if (known !== undefined) return Promise.resolve(known);
    const { sequence } = this.#cache;
    const loading = this.#loading.get(key);
    // A read that began before the last invalidation may return the old state. Only its own caller gets it.
    if (loading?.token && loading.sequence === sequence && this.#ground.settings.cache.ttl > 0) return loading.token;
    const load: Load = { sequence };
    this.#loading.set(key, load);
    load.token = this.#load(lookup, now, load);
    return load.token;
  }

  /** While the store is down, serves the token from the cache for `staleIfUnavailable`. */
  async #load(lookup: Lookup, now: number, load: Load): Promise<KnownToken | null> {
    try {
      return this.#keep(await this.#read(lookup), lookup.key, now, load.sequence);
    } catch (error) {
      const stale = isUnavailable(error) ? this.#cache.peekStale(lookup.key, now) : undefined;
      if (stale === undefined) throw error;
      return stale;
    } finally {
      if (this.#loading.get(lookup.key) === load) this.#loading.delete(lookup.key);
    }
  }

  #keep(found: Found | null, key: string, now: number, sequence: number): KnownToken | null {
    const { reader } = this.#ground;
    if (found === null) {
      this.#cache.setAbsent(key, now, sequence);
      return null;
    }
    const { token, secret, publicKey = null } = found;
    const known = new KnownToken(
      reader.principal(token, secret),
      isRevoked(token),
      secret === null ? Number.POSITIVE_INFINITY : secretEndOf(token, secret),
      expiryOf(token),
      reader.rules(token),
      now,
      sequence,
      publicKey,
    );
    this.#cache.set(key, known);
    return known;
  }

  #read({ by, value }: Lookup): Promise<Found | null> {
    const { digester, reads } = this.#ground;
    switch (by) {
      case 'secret':
        return reads.findTokenByDigest(digester.candidates(value));
      case 'digest':
        return reads.findTokenByDigest([value]);
      case 'keyId':
        return reads.findTokenByKeyId(digester.candidates(value));
      case 'id':
        return reads.findToken(value).then((token) => token && { token, secret: null });
    }
  }
}
