import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { PosternError } from '../domain/errors.js';

const KIND = 'owner_ended';
/** How long it is remembered that an owner's tokens were ended: longer than whatever began before can take. */
const REMEMBERED = 86_400_000;
/** A run that broke off is over after this, and no longer keeps the owner from making tokens. */
const LONGEST_RUN = 300_000;
const ATTEMPTS = 20;

/** Where the ending of an owner's tokens stands. */
export interface Standing {
  /** Another number: they were ended once more. */
  readonly times: number;
  /** They are being ended now. */
  readonly ending: boolean;
}

/**
 * Tells whoever makes something in an owner's name whether that owner's tokens are being ended, or were ended meanwhile. Kept in
 * the store, so that all processes hear of it: the barrier of `tokens.revokeOwned`.
 */
export class Leavers {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  async standing(organization: string, owner: string): Promise<Standing> {
    const entry = await this.#find(organization, owner);
    return entry === null ? { times: 0, ending: false } : { times: entry.version, ending: entry.value === 'ending' };
  }

  begin(organization: string, owner: string): Promise<void> {
    return this.#write(organization, owner, 'ending', LONGEST_RUN);
  }

  end(organization: string, owner: string): Promise<void> {
    return this.#write(organization, owner, 'ended', REMEMBERED);
  }

  async #write(organization: string, owner: string, value: 'ending' | 'ended', life: number): Promise<void> {
    const { store, time } = this.#ground;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const version = (await this.#find(organization, owner))?.version ?? 0;
      const now = time.read();
      const entry = { kind: KIND, id: idOf(organization, owner), value, expiresAt: now + life, version: version + 1 };
      if (await store.putEntry(entry, version, now)) return;
    }
    throw new PosternError('conflict', "this owner's tokens are being ended by several calls at once: repeat it");
  }

  #find(organization: string, owner: string) {
    const { store, time } = this.#ground;
    return store.findEntry(KIND, idOf(organization, owner), time.read());
  }
}

/** One owner of one organization, as 64 hexadecimal digits. The hash takes ASCII. */
function idOf(organization: string, owner: string): string {
  const names = JSON.stringify([organization, owner]).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Array.from(hash(names), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
