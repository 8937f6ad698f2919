import { hash } from '../base/digest.js';
import type { Ground } from '../base/ground.js';
import { newId } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';
import type { StoredEntry } from '../ports/records.js';

const KIND = 'owner_ended';
/** How long the ending of an owner's tokens is remembered: longer than any request or login that began before it. Milliseconds. */
const REMEMBERED = 86_400_000;
/** An interrupted run ends after this, and no longer stops the owner from making tokens. Milliseconds. */
const LONGEST_RUN = 300_000;
const ATTEMPTS = 20;
/** Starts the value of an entry during a run. */
const ENDING = 'ending ';

/** The state of the ending of an owner's tokens. */
export interface Standing {
  /** Identifies the last time that they were ended. `null`: not within a day. */
  readonly last: string | null;
  /** They are being ended now. */
  readonly ending: boolean;
}

interface Owner {
  readonly organization: string;
  readonly owner: string;
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
    const [standing] = await this.watching([{ organization, owner }])();
    return standing as Standing;
  }

  /** Looks at the states of these owners, each time that it is called. `null`: nobody, whose state is {@link NEVER}. */
  watching(owners: readonly (Owner | null)[]): () => Promise<readonly Standing[]> {
    const ids = owners.map((each) => each && idOf(each.organization, each.owner));
    const unique = [...new Set(ids)].filter((id) => id !== null);
    return async () => {
      const found = unique.length === 0 ? [] : await this.#findAll(unique);
      const standings = new Map(found.map(({ id, value }) => [id, { last: value, ending: value.startsWith(ENDING) }]));
      return ids.map((id) => standings.get(id ?? '') ?? NEVER);
    };
  }

  /**
   * In a transaction of the application, the barrier can't be raised until the transaction ends: the run that waits for it then
   * finds what was made in it.
   */
  async #findAll(ids: readonly string[]): Promise<readonly StoredEntry[]> {
    const { store, time, lockEntry } = this.#ground;
    if (!lockEntry) return store.findEntries(KIND, ids, time.read());
    const found: StoredEntry[] = [];
    for (const id of ids) {
      const entry = await lockEntry(KIND, id, time.read());
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  /**
   * Raises the barrier, or joins a run that has raised it: while it stands, nothing is made in this owner's name.
   *
   * @returns its name, for {@link end}
   */
  async begin(organization: string, owner: string): Promise<string> {
    // A version begins again once the entry is over; this name never comes again.
    const name = `${ENDING}${newId(this.#ground.settings.random)}`;
    const stands = (value: string | null) => (value?.startsWith(ENDING) ? value : name);
    return (await this.#write(organization, owner, LONGEST_RUN, stands)) as string;
  }

  /** Lowers the barrier. `false`: it did not stand all the while, so something may have been made behind the run. */
  async end(organization: string, owner: string, barrier: string): Promise<boolean> {
    const ended = `ended ${newId(this.#ground.settings.random)}`;
    const lowered = (value: string | null) => (value === barrier ? ended : null);
    return (await this.#write(organization, owner, REMEMBERED, lowered)) !== null;
  }

  /** @param make the new value from the one that is there; `null`: nothing is written */
  async #write(
    organization: string,
    owner: string,
    life: number,
    make: (value: string | null) => string | null,
  ): Promise<string | null> {
    const { store, time } = this.#ground;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await this.#find(organization, owner);
      const value = make(before?.value ?? null);
      if (value === null) return null;
      const now = time.read();
      const version = before?.version ?? 0;
      const entry = { kind: KIND, id: idOf(organization, owner), value, expiresAt: now + life, version: version + 1 };
      if (await store.putEntry(entry, version, now)) return value;
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
