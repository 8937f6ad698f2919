import { sha256 } from '@noble/hashes/sha2.js';
import { importJWK } from 'jose';
import * as z from 'zod';
import { encodeBase64url } from '../domain/base64url.js';
import { isUnavailable, PosternError } from '../domain/errors.js';
import type { AuthenticatorHost } from '../ports/authenticator.js';
import { bareKey } from './algorithms.js';
import {
  isRotationDue,
  nextStart,
  pendingKey,
  publishedKeys,
  type Ring,
  type RingKey,
  signingKey,
  withKey,
} from './keyring.js';
import {
  generateKey,
  importSigner,
  type PublishedJwk,
  publishedOf,
  SIGNING_ALGORITHMS,
  type Signer,
  type SigningAlgorithm,
} from './keys.js';
import type { Seal } from './seal.js';
import type { RotatedKeys, RotateOptions, SigningKeys } from './signing-keys.js';
import { utf8 } from './utf8.js';
import type { KeyQuery } from './verify.js';

export interface StoredKeyOptions {
  readonly issuer: string;
  readonly algorithm: SigningAlgorithm;
  readonly seal: Seal;
  /** The longest life of a token, in milliseconds. */
  readonly maxLife: number;
  readonly rotateEvery: number;
  readonly overlap: number;
}

/** The cached entry. */
interface Known {
  readonly ring: Ring;
  readonly version: number;
  /** The time just before the read began. */
  readonly readAt: number;
  /** The number of the read, in the order in which reads began. */
  readonly read: number;
}

const KIND = 'signing_keys';
/**
 * The age at which the store is read again, and the time that a verified signature is trusted, in milliseconds. A withdrawn key is
 * believed for at most the sum of the two.
 */
const FRESH = 30_000;
/** The oldest usable age while the store can't be read, in milliseconds. */
const STALE = 3_600_000;
/** Least milliseconds between two reads because of an unknown `kid`. */
const MISS_COOLDOWN = 1_000;
/** Least milliseconds between two reads while the store is down. */
const RETRY_AFTER = 5_000;
const MAX_ATTEMPTS = 10;
const MAX_JWKS_AGE = 300;

const ringSchema = z.object({
  longestLife: z.int().positive(),
  keys: z
    .array(
      z.object({
        jwk: z.object({
          kty: z.string(),
          crv: z.string(),
          x: z.string(),
          y: z.string().optional(),
          d: z.string(),
          kid: z.string().min(1),
          alg: z.enum(SIGNING_ALGORITHMS),
          use: z.literal('sig'),
        }),
        createdAt: z.number(),
        signsFrom: z.number(),
      }),
    )
    .min(1),
});

/**
 * Signing keys in the store: one sealed entry that all processes share. Each change is a compare-and-swap: if many processes find
 * that a new key is due, exactly one makes it. There are no timers: rotation happens when keys are used.
 */
export class StoredKeys implements SigningKeys {
  readonly #host: AuthenticatorHost;
  readonly #options: StoredKeyOptions;
  readonly #id: string;
  readonly #fresh: number;
  readonly maxAge: number;
  readonly trustedFor = FRESH;
  #known: Known | null = null;
  #reading: Promise<Known> | null = null;
  #reads = 0;
  #missedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #signer: { readonly kid: string; readonly signer: Promise<Signer> } | null = null;
  readonly #imported = new Map<string, Promise<CryptoKey>>();

  constructor(host: AuthenticatorHost, options: StoredKeyOptions) {
    this.#host = host;
    this.#options = options;
    this.#id = encodeBase64url(sha256(utf8(options.issuer)));
    // This process must publish another process's new key long before it signs.
    this.#fresh = Math.min(FRESH, Math.floor(options.overlap / 4));
    this.maxAge = Math.min(MAX_JWKS_AGE, Math.floor(options.overlap / 4000));
  }

  async signer(): Promise<Signer> {
    const { ring } = await this.#current();
    const { jwk } = signingKey(ring, this.#host.now());
    if (this.#signer?.kid !== jwk.kid) this.#signer = { kid: jwk.kid, signer: importSigner(jwk) };
    return this.#signer.signer;
  }

  async published(): Promise<readonly PublishedJwk[]> {
    const { ring } = await this.#current();
    return publishedKeys(ring, this.#host.now()).map(({ jwk }) => publishedOf(jwk));
  }

  async find({ alg, kid }: KeyQuery): Promise<CryptoKey | null> {
    if (kid === null) return null;
    const key = this.#named(await this.#current(), kid) ?? this.#named(await this.#missed(), kid);
    return key === null || key.jwk.alg !== alg ? null : this.#import(key);
  }

  async rotate({ withdraw = false }: RotateOptions): Promise<RotatedKeys> {
    const rotation = this.#rotation;
    const { ring, added } = await this.#change(async (ring, now) => {
      if (withdraw) return { ...ring, keys: [await this.#make(now, now)] };
      if (pendingKey(ring, now, rotation) !== null) return null;
      return withKey(ring, await this.#make(now, now + rotation.overlap), now);
    });
    const now = this.#host.now();
    const { jwk, signsFrom } = added ?? pendingKey(ring, now, rotation) ?? signingKey(ring, now);
    return { kid: jwk.kid, signsFrom: new Date(signsFrom) };
  }

  get #rotation() {
    return { every: this.#options.rotateEvery, overlap: this.#options.overlap };
  }

  #named({ ring }: Known, kid: string): RingKey | null {
    return publishedKeys(ring, this.#host.now()).find(({ jwk }) => jwk.kid === kid) ?? null;
  }

  #import({ jwk }: RingKey): Promise<CryptoKey> {
    let imported = this.#imported.get(jwk.kid);
    if (imported === undefined) {
      imported = importJWK(
        bareKey(publishedOf(jwk) as unknown as Record<string, unknown>),
        jwk.alg,
      ) as Promise<CryptoKey>;
      this.#imported.set(jwk.kid, imported);
    }
    return imported;
  }

  /** The cached entry if it is fresh, else the store's. */
  async #current(): Promise<Known> {
    const now = this.#host.now();
    const known = this.#known;
    if (known !== null) {
      const age = now - known.readAt;
      // Below 0 the clock was set back, and the age is unknown.
      if (age >= 0 && age < this.#fresh) return known;
      if (now >= this.#failedAt && now - this.#failedAt < RETRY_AFTER && age < STALE) return known;
    }
    try {
      return await this.#read();
    } catch (error) {
      // The cached keys serve on: an outage of the store must not end all tokens at once.
      if (known === null || !isUnavailable(error) || Math.abs(now - known.readAt) >= STALE) throw error;
      this.#failedAt = now;
      this.#host.fault(error);
      return known;
    }
  }

  /** An unknown `kid` may be another process's new key, so the store is read again, at most once a second. */
  async #missed(): Promise<Known> {
    const now = this.#host.now();
    if (this.#reading === null && Math.abs(now - this.#missedAt) < MISS_COOLDOWN) return this.#known as Known;
    this.#missedAt = now;
    return this.#read();
  }

  /** All callers share one read at a time. */
  #read(): Promise<Known> {
    this.#reading ??= this.#change(() => null)
      .then(() => this.#known as Known)
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  /**
   * Reads the entry, applies the rotation that is due and the requested change, and writes it. If another process wrote meanwhile,
   * it starts again.
   *
   * @param ask returns the changed ring, or `null` for no change
   * @throws PosternError `unavailable`, `option_invalid` (the encryption key), `record_unreadable`
   */
  async #change(
    ask: (ring: Ring, now: number) => Promise<Ring | null> | null,
  ): Promise<{ readonly ring: Ring; readonly added: RingKey | null }> {
    const { store } = this.#host;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const read = ++this.#reads;
      const now = this.#host.now();
      const entry = await store.findEntry(KIND, this.#id, now);
      const opened = entry === null ? null : await this.#options.seal.open(entry.value);
      const found = opened === null ? null : readRing(opened.text);
      const kept = await this.#lookAfter(found, now);
      const asked = (await ask(kept, now)) ?? kept;
      const version = entry?.version ?? 0;
      if (entry !== null && asked === found && opened?.current === true) {
        return this.#remember({ ring: asked, version, readAt: now, read }, null);
      }
      const value = await this.#options.seal.seal(JSON.stringify(asked));
      const next = { kind: KIND, id: this.#id, value, expiresAt: null, version: version + 1 };
      if (await store.putEntry(next, version, now)) {
        const added = asked === kept ? null : asked.keys.find((key) => !kept.keys.includes(key));
        return this.#remember({ ring: asked, version: version + 1, readAt: now, read }, added ?? null);
      }
    }
    throw new PosternError('unavailable', 'were changed by other processes at each attempt to write them: try again', {
      path: 'signing_keys',
    });
  }

  /** The ring with the rotation that is due. The same object if none is. */
  async #lookAfter(ring: Ring | null, now: number): Promise<Ring> {
    const { maxLife } = this.#options;
    if (ring === null) return { longestLife: maxLife, keys: [await this.#make(now, now)] };
    const lived = ring.longestLife < maxLife ? { ...ring, longestLife: maxLife } : ring;
    if (!isRotationDue(lived, now, this.#rotation)) return lived;
    return withKey(lived, await this.#make(now, nextStart(lived, now, this.#rotation)), now);
  }

  async #make(now: number, signsFrom: number): Promise<RingKey> {
    return { jwk: await generateKey(this.#options.algorithm), createdAt: now, signsFrom };
  }

  #remember(known: Known, added: RingKey | null) {
    const { ring } = known;
    // An earlier read may end later, with an older version. But a deleted entry starts again at version 1.
    const latest = this.#known;
    if (latest === null || known.version >= latest.version || known.read > latest.read) this.#known = known;
    const kids = new Set(ring.keys.map(({ jwk }) => jwk.kid));
    for (const kid of this.#imported.keys()) if (!kids.has(kid)) this.#imported.delete(kid);
    return { ring, added };
  }
}

function readRing(text: string): Ring {
  try {
    return ringSchema.parse(JSON.parse(text)) as Ring;
  } catch (cause) {
    throw new PosternError(
      'record_unreadable',
      'the entry of this issuer in the store can not be read: it is of another version of postern',
      { path: 'signing_keys', cause },
    );
  }
}
