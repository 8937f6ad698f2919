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

/** Finds tokens with as few reads of the store as possible. */
export class TokenFinder {
  readonly #ground: Ground;
  readonly #cache: TokenCache;
  readonly #loading = new Map<string, { readonly sequence: number; readonly token: Promise<KnownToken | null> }>();

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
    if (loading?.sequence === sequence && this.#ground.settings.cache.ttl > 0) return loading.token;
    const token = this.#loadOrStale(lookup, now, sequence).finally(() => {
      if (this.#loading.get(key)?.token === token) this.#loading.delete(key);
    });
    this.#loading.set(key, { sequence, token });
    return token;
  }

  /** While the store is down, serves the token from the cache for `staleIfUnavailable`. */
  async #loadOrStale(lookup: Lookup, now: number, sequence: number): Promise<KnownToken | null> {
    try {
      return await this.#load(lookup, now, sequence);
    } catch (error) {
      const stale = isUnavailable(error) ? this.#cache.peekStale(lookup.key, now) : undefined;
      if (stale === undefined) throw error;
      return stale;
    }
  }

  async #load(lookup: Lookup, now: number, sequence: number): Promise<KnownToken | null> {
    const { reader } = this.#ground;
    const found = await this.#read(lookup);
    if (found === null) {
      this.#cache.setAbsent(lookup.key, now, sequence);
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
    this.#cache.set(lookup.key, known);
    return known;
  }

  async #read({ by, value }: Lookup): Promise<Found | null> {
    const { digester, reads } = this.#ground;
    switch (by) {
      case 'secret':
        return reads.findTokenByDigest(digester.candidates(value));
      case 'digest':
        return reads.findTokenByDigest([value]);
      case 'keyId':
        return reads.findTokenByKeyId(digester.candidates(value));
      case 'id': {
        const token = await reads.findToken(value);
        return token === null ? null : { token, secret: null };
      }
    }
  }
}
