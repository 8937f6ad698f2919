import * as z from 'zod';
import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { encodeBase64url } from '../domain/base64url.js';
import { PosternError } from '../domain/errors.js';
import type { SecretReference, Secrets } from '../instance/internals.js';
import type { StoredEntry } from '../ports/records.js';

const KIND = 'session';
const LIFE = 8 * 3_600_000;
/** 256 random bits. No token has this form. */
const ID = /^[A-Za-z0-9_-]{43}$/;

const state = z.strictObject({ tokenId: z.string(), digest: z.string().regex(/^[0-9a-f]{64}$/) });

/** A session of the console. It names its token, and does not say whether that token is still valid. */
export interface Session {
  readonly tokenId: string;
  readonly secret: SecretReference;
}

/**
 * Sessions of the console's own sign-in. The browser keeps a random id. The store keeps the id's digest (under the pepper, if there is
 * one) and the digest of the token's secret. The token can't be found from either. A session has no rights of its own: each
 * request is decided as if the token had been sent, so the session ends with the token, and with the secret that opened it.
 */
export class Sessions {
  readonly #ground: Ground;
  readonly #secrets: Secrets;

  constructor(ground: Ground, secrets: Secrets) {
    this.#ground = ground;
    this.#secrets = secrets;
  }

  /** Returns the id. It is always new, so nobody can choose another person's session. */
  async begin({ tokenId, secret }: Session): Promise<string> {
    const { store, time, settings, digester } = this.#ground;
    const id = encodeBase64url(settings.random(32));
    const now = time.read();
    const entry = {
      kind: KIND,
      id: digester.write(hash(id)).digest,
      value: JSON.stringify({ tokenId, digest: secret.digest }),
      expiresAt: now + LIFE,
      version: 1,
    };
    if (await store.putEntry(entry, 0, now)) return id;
    throw new PosternError('conflict', 'the new session exists already: is the random option random?');
  }

  /** `null` for a session that is over, or was never begun. */
  async find(id: string): Promise<Session | null> {
    const entry = await this.#read(id);
    const { data } = state.safeParse(entry && parsed(entry.value));
    return data === undefined ? null : { tokenId: data.tokenId, secret: this.#secrets.at(data.digest) };
  }

  async end(id: string): Promise<void> {
    const entry = await this.#read(id);
    if (entry) await this.#ground.store.deleteEntry(KIND, entry.id, entry.version, this.#ground.time.read());
  }

  async #read(id: string): Promise<StoredEntry | null> {
    if (!ID.test(id)) return null;
    const { store, time, digester } = this.#ground;
    for (const digest of digester.candidates(hash(id))) {
      const entry = await store.findEntry(KIND, digest, time.read());
      // The clock is read again, because the store may have taken long. A clock that was set back revives nothing.
      time.read();
      if (entry !== null && entry.expiresAt !== null && entry.expiresAt > time.latest) return entry;
    }
    return null;
  }
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return null;
  }
}
