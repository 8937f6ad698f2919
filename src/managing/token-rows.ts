import type { Credential } from '../base/credential.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { TOKEN_ID } from '../base/ids.js';
import { PosternError } from '../domain/errors.js';
import type { ChangeType } from '../ports/changes.js';
import type { StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import type { Announced, ChangeLog } from './changes.js';
import { readTokenId } from './identifiers.js';
import { Narrowing } from './narrowing.js';

/** How often a change is tried if other processes are faster. */
const ATTEMPTS = 20;
/** After this many, an edit that takes grants away makes the others wait. */
const PATIENCE = 2;

export type TokenRows = ReturnType<typeof createTokenRows>;

/** Stored tokens with the rights of one caller: it finds only tokens that it may see, and every change has its audit entry. */
export function createTokenRows(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  changes: ChangeLog,
  readCredential: (text: unknown) => Credential,
) {
  const { store } = ground;
  const narrowing = new Narrowing(ground);

  /**
   * The token, if the caller may see it.
   *
   * @param call the method that got the id, for the error
   * @throws PosternError `input_invalid` for the text of a secret
   */
  async function find(id: unknown, call: string): Promise<StoredToken | null> {
    const known = readTokenId(id, call, readCredential);
    const token = known === null ? null : await store.findToken(known);
    return token !== null && authority.sees(token.organization) ? token : null;
  }

  async function findToChange(id: unknown, call: string): Promise<StoredToken> {
    const token = await find(id, call);
    if (token !== null) return token;
    throw new PosternError('token_unknown', 'no token has this id: it may have been deleted. List the tokens', {
      path: 'id',
    });
  }

  /** Another process may have ended it, and this one may have missed that. After this it is refused here too. */
  function forget(id: unknown): void {
    if (typeof id === 'string' && TOKEN_ID.test(id)) forgetting.token(id);
  }

  /** Forgets the cached token also if the store fails: a failed call may still have made the change. */
  function replace(...write: Parameters<typeof store.replaceToken>): Promise<boolean> {
    return store.replaceToken(...write).finally(() => forgetting.token(write[0].id));
  }

  /** Refuses to write while another edit takes grants away from this token. @throws PosternError `conflict` */
  async function assertMayWrite(token: StoredToken): Promise<void> {
    if (await narrowing.isUnderWay(token.id)) throw conflict();
  }

  /**
   * Replaces a token by the result of `make`; `null` leaves it as it is. Tries again if another change was faster. An edit that
   * takes grants away wins in the end, however many others are made.
   */
  async function edit(
    id: unknown,
    call: string,
    make: (token: StoredToken, now: number) => Promise<StoredToken | null> | StoredToken | null,
  ): Promise<StoredToken> {
    let asked: string | null = null;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const token = await findToChange(id, call);
        const now = ground.time.read();
        const next = await make(token, now);
        if (next === null || isSame(token, next)) return token;
        if (!narrowing.takesAway(token, next)) await assertMayWrite(token);
        else if (attempt === PATIENCE) {
          asked = token.id;
          await narrowing.begin(asked);
        }
        const written = await write(token, next, now);
        if (written !== null) return written;
      }
    } finally {
      if (asked !== null) await narrowing.end(asked);
    }
    throw conflict();
  }

  /** `null`: another change was faster. */
  async function write(token: StoredToken, next: StoredToken, now: number): Promise<StoredToken | null> {
    const written = { ...next, updatedAt: now, version: token.version + 1 };
    const { change, announce } = changes.token('token.updated', token, written, now);
    if (await replace(written, token.version, null, change)) {
      announce();
      return written;
    }
    return null;
  }

  /** Returns `false` if the token was already revoked or is gone. */
  async function revoke(token: StoredToken): Promise<boolean> {
    const now = ground.time.read();
    const revokedAt = token.revokedAt ?? now;
    const { change, announce } = changes.token('token.revoked', token, { ...token, revokedAt, updatedAt: now }, now);
    const revoked = await store.revokeToken(token.id, now, change).finally(() => forgetting.token(token.id));
    if (revoked) announce();
    return revoked;
  }

  /** Returns the number of tokens removed: others may be gone. */
  async function remove(tokens: readonly StoredToken[], type: ChangeType, ifUnchanged = false): Promise<number> {
    const now = ground.time.read();
    const made = tokens.map((token) => changes.token(type, token, null, now));
    const removed = await store
      .deleteTokens(
        tokens.map(({ id, version }, index) => {
          return { id, expectedVersion: ifUnchanged ? version : null, change: (made[index] as Announced).change };
        }),
      )
      .finally(() => {
        for (const { id } of tokens) forgetting.token(id);
      });
    const done = made.filter((_, index) => removed[index]);
    for (const { announce } of done) announce();
    return done.length;
  }

  return { find, findToChange, assertMayWrite, forget, edit, replace, revoke, remove };
}

/** Whether an edit would change nothing: the token is already as it should be. */
function isSame(token: StoredToken, next: StoredToken): boolean {
  const fields = ['name', 'description', 'types', 'expiresAt', 'metadata', 'limits'] as const;
  return fields.every((field) => token[field] === next[field]);
}

export function conflict(): PosternError {
  return new PosternError('conflict', 'the token was changed by someone else at the same time: read it, and try again');
}
