import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { PosternError } from '../domain/errors.js';

const KIND = 'owner_ended';
/** How long the ending of an owner's tokens is remembered: longer than any call that began before it. Milliseconds. */
const REMEMBERED = 86_400_000;
/** An interrupted run ends after this, and no longer stops the owner from making tokens. Milliseconds. */
const LONGEST_RUN = 300_000;
const ATTEMPTS = 20;

/** The state of the ending of an owner's tokens. */
export interface Standing {
  /** How often they were ended. A changed number means: ended again. */
  readonly times: number;
  /** They are being ended now. */
  readonly ending: boolean;
}

/**
 * The barrier of `tokens.revokeOwned`. It tells the maker of a token whether its owner's tokens are being ended, or were ended
 * meanwhile. Its state is in the store, so that all processes see it.
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
    throw new PosternError('conflict', "several calls are ending this owner's tokens at once: try again");
  }

  #find(organization: string, owner: string) {
    const { store, time } = this.#ground;
    return store.findEntry(KIND, idOf(organization, owner), time.read());
  }
}

/** An owner of an organization, as 64 hexadecimal digits. Other characters are escaped, because the hash takes ASCII. */
function idOf(organization: string, owner: string): string {
  const names = JSON.stringify([organization, owner]).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Array.from(hash(names), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}
