import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';

const KIND = 'owner_ended';
/** How long the ending of an owner's tokens is remembered: longer than any request or login that began before it. Milliseconds. */
const REMEMBERED = 86_400_000;
/** An interrupted run ends after this, and no longer stops the owner from making tokens. Milliseconds. */
const LONGEST_RUN = 300_000;
const ATTEMPTS = 20;
const ENDING = 'ending';

/** The state of the ending of an owner's tokens. */
export interface Standing {
  /** Identifies the last time that they were ended. `null`: not within a day. */
  readonly last: string | null;
  /** They are being ended now. */
  readonly ending: boolean;
}

/** Nothing is remembered of this owner. */
export const NEVER: Standing = { last: null, ending: false };

/** Whether an owner's tokens were ended between two looks, less than a day apart. */
export function endedSince(before: string | null, now: string | null): boolean {
  return now !== null && now !== before;
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
    return entry === null ? NEVER : { last: entry.value, ending: entry.value.startsWith(ENDING) };
  }

  begin(organization: string, owner: string): Promise<void> {
    return this.#write(organization, owner, ENDING, LONGEST_RUN);
  }

  end(organization: string, owner: string): Promise<void> {
    return this.#write(organization, owner, 'ended', REMEMBERED);
  }

  async #write(organization: string, owner: string, state: 'ending' | 'ended', life: number): Promise<void> {
    const { store, time, settings } = this.#ground;
    // A version begins again once the entry is over; this name never comes again.
    const value = `${state} ${newId(settings.random)}`;
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
