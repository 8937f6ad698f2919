import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';

const KIND = 'owner_ended';
/** How long it is remembered that an owner's tokens were ended. Whatever began before, a request or a login, is over by then. */
const REMEMBERED = 86_400_000;
/** A run that broke off is over after this, and no longer keeps the owner from making tokens. */
const LONGEST_RUN = 300_000;
const ATTEMPTS = 20;
const ENDING = 'ending';

/** Where the ending of an owner's tokens stands. */
export interface Standing {
  /** Names the last time that they were ended; `null`: none within a day. */
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
