import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { TOKEN_ID } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';
import type { ChangeType } from '../ports/changes.js';
import type { StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import type { ChangeLog } from './changes.js';

/** How often a change is tried again when another process was faster. */
const ATTEMPTS = 5;

/** Tokens as the store has them, in someone's hands: found if they may be seen, changed with their entry in the audit log. */
export function createTokenRows(ground: Ground, forgetting: Forgetting, authority: Authority, changes: ChangeLog) {
  const { store } = ground;

  /** The token, if this authority sees it. */
  async function find(id: unknown): Promise<StoredToken | null> {
    // Charset first: a store has no such id, and not every store can be asked about every text.
    if (!isTokenId(id)) return null;
    const token = await store.findToken(id);
    return token !== null && authority.sees(token.organization) ? token : null;
  }

  async function findToChange(id: unknown): Promise<StoredToken> {
    const token = await find(id);
    if (token !== null) return token;
    throw new PosternError('token_unknown', 'no token has it: it may have been deleted. List the tokens', {
      path: 'id',
    });
  }

  function forget(id: unknown): void {
    if (isTokenId(id)) forgetting.token(id);
  }

  /** What was read of the token is forgotten whatever the store answers: a failed answer may hide a change that was made. */
  function replace(...write: Parameters<typeof store.replaceToken>): Promise<boolean> {
    return store.replaceToken(...write).finally(() => forgetting.token(write[0].id));
  }

  /** Replaces a token by what `edit` makes of it, or leaves it where that is `null`. Tries again when someone was faster. */
  async function edit(
    id: unknown,
    type: ChangeType,
    make: (token: StoredToken, now: number) => Promise<StoredToken | null> | StoredToken | null,
  ): Promise<StoredToken> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const token = await findToChange(id);
      const now = ground.time.read();
      const next = await make(token, now);
      if (next === null) return token;
      const written = { ...next, updatedAt: now, version: token.version + 1 };
      const { change, announce } = changes.token(type, token, written, now);
      if (await replace(written, token.version, null, change)) {
        announce();
        return written;
      }
    }
    throw conflict();
  }

  async function remove(token: StoredToken, type: ChangeType): Promise<boolean> {
    const { change, announce } = changes.token(type, token, null, ground.time.read());
    const removed = await store.deleteToken(token.id, change).finally(() => forgetting.token(token.id));
    if (removed) announce();
    return removed;
  }

  return { find, findToChange, edit, replace, remove, forget };
}

function isTokenId(id: unknown): id is string {
  return typeof id === 'string' && TOKEN_ID.test(id);
}

export function conflict(): PosternError {
  return new PosternError('conflict', 'the token was changed by someone else at the same time: read it, and try again');
}
