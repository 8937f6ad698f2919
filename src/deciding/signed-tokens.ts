import { BoundedMap } from '../base/bounded-map.js';
import type { SignedCredential } from '../base/credential.js';
import { isSignedWith, keyIdOf, thumbprintOf } from '../base/derived-key.js';
import type { Ground } from '../base/ground.js';
import { type VouchedFacts, VouchedReader } from '../base/vouched.js';
import { DERIVED_HEAD } from '../domain/derived-head.js';
import { readDerivedToken } from '../domain/derived-token.js';
import { isUnavailable } from '../domain/errors.js';
import type { Authenticator, Refusal, VouchedParent } from '../ports/authenticator.js';
import type { Holder } from './holder.js';
import { IssuerFault } from './issuer-fault.js';
import { SignedToken, signedTokenOf } from './signed-token.js';
import type { TokenCache } from './token-cache.js';
import type { Lookup, TokenFinder } from './token-finder.js';

/** The most signed tokens in the cache. The most recently used half is always kept. */
const MAX_KNOWN = 50_000;
/** JWS compact serialization (RFC 7515 section 3.1): exactly three parts, tested before the text is split. */
const JWS_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
/** How far the maker's clock may be ahead of this one, in milliseconds. */
const CLOCK_TOLERANCE = 5_000;

/**
 * Verifies signed tokens: those that authenticators vouch for, and derived ones. A signature is verified once. The result is
 * cached by the SHA-256 of the whole token, and judged at each call.
 */
export class SignedTokens {
  readonly #ground: Ground;
  readonly #cache: TokenCache;
  readonly #finder: TokenFinder;
  readonly #authenticators: readonly Authenticator[];
  readonly #reader: VouchedReader;
  readonly #known = new BoundedMap<string, SignedToken>(MAX_KNOWN);
  readonly #verifying = new Map<string, Promise<SignedToken | Refusal>>();

  constructor(ground: Ground, cache: TokenCache, finder: TokenFinder, authenticators: readonly Authenticator[]) {
    this.#ground = ground;
    this.#cache = cache;
    this.#finder = finder;
    this.#authenticators = authenticators;
    this.#reader = new VouchedReader(ground.settings);
  }

  /** The holder, if it is in memory; else `undefined`. */
  peek({ key }: SignedCredential, now: number): Holder | undefined {
    const token = this.#known.get(key);
    if (token === undefined || this.#isOld(token)) return undefined;
    const { parent } = token;
    const { catalog } = this.#ground.settings;
    if (parent === null) return token.holderUnder(null, catalog);
    const known = this.#cache.peek(parent.key, now);
    if (known) return token.holderUnder(known, catalog);
    const isNobodys = known === null && !token.parentRequired && !token.hadParent;
    return isNobodys ? token.holderUnder(null, catalog) : undefined;
  }

  /**
   * The holder.
   *
   * @throws IssuerFault if an authenticator can't tell, PosternError `unavailable` if the store can't
   */
  async find(credential: SignedCredential, now: number): Promise<Holder | Refusal> {
    const known = this.#known.get(credential.key);
    const token = known === undefined || this.#isOld(known) ? await this.#verifyOnce(credential, now) : known;
    if (typeof token === 'string') return token;
    const parent = token.parent === null ? null : await this.#finder.find(token.parent, now);
    if (parent === null && (token.parentRequired || token.hadParent)) {
      return token.identity === null ? 'token_unknown' : 'token_revoked';
    }
    return token.holderUnder(parent, this.#ground.settings.catalog);
  }

  get size(): number {
    return this.#known.size;
  }

  /** An expired token stays expired, so it need not be verified again. */
  #isOld(token: SignedToken): boolean {
    const { latest } = this.#ground.time;
    return token.trustedUntil <= latest && token.expiresAt > latest;
  }

  /** Concurrent calls with the same token share one verification. */
  #verifyOnce(credential: SignedCredential, now: number): Promise<SignedToken | Refusal> {
    const { key } = credential;
    let verifying = this.#verifying.get(key);
    if (verifying === undefined) {
      verifying = this.#verify(credential, now);
      this.#verifying.set(key, verifying);
    }
    return verifying;
  }

  async #verify({ key, signed }: SignedCredential, now: number): Promise<SignedToken | Refusal> {
    try {
      const token = await (signed.startsWith(DERIVED_HEAD)
        ? this.#derived(signed, now)
        : this.#vouched(signed, key, now));
      if (typeof token !== 'string') this.#known.set(key, token.succeeds(this.#known.get(key)));
      return token;
    } finally {
      // Never before the `set` in `#verifyOnce`: there was a wait.
      this.#verifying.delete(key);
    }
  }

  async #derived(token: string, now: number): Promise<SignedToken | Refusal> {
    const derived = readDerivedToken(token);
    if (derived === null || derived.issuedAt > now + CLOCK_TOLERANCE) return 'token_unknown';
    const lookup = byKeyId(derived.kid);
    const parent = await this.#finder.find(lookup, now);
    if (parent === null || parent.publicKey === null) return 'token_unknown';
    // Someone who can write to the store could exchange the key of a row. This check finds that.
    if (thumbprintOf(parent.publicKey) !== derived.kid)
      throw new Error('the public key of a secret was changed in the store');
    if (!(await isSignedWith(parent.publicKey, derived))) return 'token_unknown';
    const { narrowing, methods, expiresAt } = derived;
    return new SignedToken(null, narrowing, lookup, true, expiresAt, expiresAt, {
      derived: true,
      methods,
      prove: null,
      confirmation: null,
    });
  }

  async #vouched(token: string, key: string, now: number): Promise<SignedToken | Refusal> {
    if (!JWS_FORM.test(token)) return 'token_unknown';
    const authenticator = this.#authenticators.find((each) => accepts(each, token));
    if (authenticator === undefined) return 'token_unknown';
    let vouched: VouchedFacts | Refusal;
    try {
      const read = this.#reader.read(await authenticator.authenticate(token, now), key, now);
      vouched = read instanceof Promise ? await read : read;
    } catch (error) {
      // An answer that can't be read is the authenticator's fault, like an error that it throws.
      throw isUnavailable(error) ? error : new IssuerFault(error);
    }
    return typeof vouched === 'string' ? vouched : signedTokenOf(vouched, vouched.parent && lookupOf(vouched.parent));
  }
}

function byKeyId(kid: string): Lookup {
  return { key: `kid:${kid}`, by: 'keyId', value: keyIdOf(kid) };
}

function lookupOf({ tokenId, kid }: VouchedParent): Lookup {
  return kid === undefined ? { key: `id:${tokenId}`, by: 'id', value: tokenId } : byKeyId(kid);
}

/** An authenticator that throws does not accept the credential. */
function accepts(authenticator: Authenticator, token: string): boolean {
  try {
    return authenticator.accepts(token);
  } catch {
    return false;
  }
}
