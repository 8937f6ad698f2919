import { MOST_SECRETS, type NewSecret, type SecretRotation, type StoredSecret } from '../../ports/records.js';

interface Kept {
  readonly tokenId: string;
  readonly secret: NewSecret;
}

export interface FoundSecret {
  readonly tokenId: string;
  readonly secret: StoredSecret;
}

/** The secrets of a memory store's tokens, with their keys. */
export class MemorySecrets {
  readonly #secrets = new Map<string, Kept>();
  /** Key id → digest. */
  readonly #keys = new Map<string, string>();
  readonly #digests = new Map<string, Set<string>>();

  find(digest: string): FoundSecret | null {
    const kept = this.#secrets.get(digest);
    return kept === undefined ? null : foundOf(kept);
  }

  findByKeyId(keyId: string): (FoundSecret & { readonly publicKey: string }) | null {
    const kept = this.#secrets.get(this.#keys.get(keyId) ?? '');
    return kept?.secret.key ? { ...foundOf(kept), publicKey: kept.secret.key.publicKey } : null;
  }

  listOf(tokenId: string): readonly StoredSecret[] {
    return [...(this.#digests.get(tokenId) ?? [])].flatMap((digest) => this.find(digest)?.secret ?? []);
  }

  isTaken({ digest, key }: NewSecret): boolean {
    return this.#secrets.has(digest) || (key !== null && this.#keys.has(key.id));
  }

  add(tokenId: string, secret: NewSecret): void {
    this.#secrets.set(secret.digest, { tokenId, secret });
    if (secret.key !== null) this.#keys.set(secret.key.id, secret.digest);
    const digests = this.#digests.get(tokenId) ?? new Set();
    this.#digests.set(tokenId, digests.add(secret.digest));
  }

  rotate(tokenId: string, { secret: fresh, othersEndAt, at }: SecretRotation): void {
    const others = [...(this.#digests.get(tokenId) ?? [])].flatMap((digest) => this.#secrets.get(digest)?.secret ?? []);
    const living = others.filter(({ endsAt }) => endsAt === null || endsAt > at).sort(lastToGo);
    this.deleteOf(tokenId);
    for (const secret of living.slice(0, MOST_SECRETS - 1)) {
      this.add(tokenId, { ...secret, endsAt: Math.min(secret.endsAt ?? othersEndAt, othersEndAt) });
    }
    this.add(tokenId, fresh);
  }

  deleteOf(tokenId: string): void {
    for (const digest of this.#digests.get(tokenId) ?? []) {
      const key = this.#secrets.get(digest)?.secret.key;
      if (key) this.#keys.delete(key.id);
      this.#secrets.delete(digest);
    }
    this.#digests.delete(tokenId);
  }
}

/** The order for keeping secrets: the one without an end first, then the latest created. */
function lastToGo(a: StoredSecret, b: StoredSecret): number {
  if ((a.endsAt === null) !== (b.endsAt === null)) return a.endsAt === null ? -1 : 1;
  return b.createdAt - a.createdAt || (a.digest < b.digest ? 1 : -1);
}

function foundOf({ tokenId, secret: { key: _, ...secret } }: Kept): FoundSecret {
  return { tokenId, secret };
}
