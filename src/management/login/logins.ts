import { z } from 'zod';
import { hash } from '../../base/digest.js';
import type { Ground } from '../../base/ground.js';
import { newId } from '../../base/ids.js';
import { encodeBase64url } from '../../domain/base64url.js';
import { PosternError } from '../../domain/errors.js';
import type { StoredEntry } from '../../ports/records.js';
import { Problem, unauthorized } from '../http/problem.js';

const KIND = 'login';
/** RFC 8628 section 3.2 wants it short. */
const LIFE = 5 * 60_000;
/** 128 random bits in 22 characters. */
const CODE = /^[0-9A-Za-z]{22}$/;
/** RFC 7636 section 4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

const types = z.record(z.string(), z.unknown());

/**
 * What was approved: what the token shall be, and by whose right. The token itself is made when it is collected, and the
 * approver's rights are looked at again then: so a store, and who reads it, never holds a secret of a login, not even an
 * encrypted one, and no token is left behind that nobody came for.
 */
const approval = z.strictObject({
  organization: z.string(),
  approver: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('token'), tokenId: z.string() }),
    z.strictObject({ kind: z.literal('person'), owner: z.string(), types }),
  ]),
  types,
  name: z.string(),
  /** Milliseconds from when it is collected; `null`: never. */
  expiresIn: z.number().nullable(),
});

const state = z.strictObject({
  /** S256 of what only the asking client knows (RFC 7636); `null`: whoever has the code collects the token. */
  challenge: z.string().nullable(),
  from: z.string().nullable(),
  createdAt: z.number(),
  status: z.enum(['pending', 'approved', 'denied']),
  /** Whose answer it was; `null` while there is none. */
  organization: z.string().nullable(),
  approval: approval.nullable(),
});

export type Approval = z.output<typeof approval>;

export interface Login extends z.output<typeof state> {
  readonly expiresAt: number;
}

/** Logins that are under way: a terminal asks, a person approves in the browser, the terminal collects (RFC 8628). */
export class Logins {
  readonly #core: Ground;

  constructor(core: Ground) {
    this.#core = core;
  }

  /** Returns the code. The store keeps its hash. */
  async begin(challenge: string | null, from: string | null): Promise<string> {
    const { store, time, settings } = this.#core;
    const code = newId(settings.random);
    const now = time.read();
    const login = { challenge, from, createdAt: now, status: 'pending', organization: null, approval: null } as const;
    const entry = { kind: KIND, id: hashOf(code), value: JSON.stringify(login), expiresAt: now + LIFE, version: 1 };
    if (await store.putEntry(entry, 0, now)) return code;
    throw new PosternError('conflict', 'the new code exists already: is the random option random?');
  }

  /** The login, for a person of an organization to judge. @throws Problem 404: also what another organization answered */
  async find(code: string, organization: string): Promise<Login> {
    const found = await this.#read(code);
    if (found === null || !isFor(found.login, organization)) throw unknownLogin();
    return found.login;
  }

  /**
   * Answers a login that waits. Of two answers at once one holds.
   *
   * @throws Problem 404, 409
   */
  async answer(code: string, organization: string, decide: (login: Login) => Promise<Approval | null>): Promise<Login> {
    const found = await this.#read(code);
    if (found === null || !isFor(found.login, organization)) throw unknownLogin();
    const { login, entry } = found;
    if (login.status !== 'pending') throw answered();
    const approved = await decide(login);
    const { expiresAt, ...kept } = login;
    const next = { ...kept, status: approved ? 'approved' : 'denied', organization, approval: approved } as const;
    const written = { ...entry, value: JSON.stringify(next), version: entry.version + 1 };
    if (!(await this.#core.store.putEntry(written, entry.version, this.#core.time.read()))) throw answered();
    return { ...next, expiresAt };
  }

  /**
   * What was approved, handed out once, to who began it. Whether the code is unknown, over or used up is not told apart.
   *
   * @throws Problem 401: not yet (`authorization_pending`), refused (`access_denied`), no longer (`expired_token`)
   */
  async collect(code: string, verifier: string | null): Promise<Login & { readonly approval: Approval }> {
    const found = await this.#read(code);
    if (found === null) throw over();
    const { login, entry } = found;
    // A wrong verifier does not use up the code: whoever overheard it must not be able to spoil it.
    if (login.challenge !== null && !proves(verifier, login.challenge)) {
      throw unauthorized(
        'access_denied',
        'This login was begun elsewhere: X-Postern-Verifier is missing, or not its own.',
      );
    }
    if (login.status === 'pending') {
      throw unauthorized('authorization_pending', 'Nobody has approved this login yet: open its page in the browser.');
    }
    if (login.approval === null) throw unauthorized('access_denied', 'This login was refused in the browser.');
    if (!(await this.#core.store.deleteEntry(KIND, entry.id, entry.version, this.#core.time.read()))) throw over();
    return { ...login, approval: login.approval };
  }

  async #read(code: string): Promise<{ readonly login: Login; readonly entry: StoredEntry } | null> {
    if (!CODE.test(code)) return null;
    const { store, time } = this.#core;
    const entry = await store.findEntry(KIND, hashOf(code), time.read());
    // The store may have taken long, and a clock that was set back revives nothing.
    time.read();
    if (entry === null || entry.expiresAt === null || entry.expiresAt <= time.latest) return null;
    const login = parsed(entry.value);
    return login && { login: { ...login, expiresAt: entry.expiresAt }, entry };
  }
}

/** `null` for what was changed by hand: then there is no such login. */
function parsed(value: string): z.output<typeof state> | null {
  try {
    return state.parse(JSON.parse(value));
  } catch {
    return null;
  }
}

/** Before it is answered a code belongs to nobody; then to the organization that answered. */
function isFor(login: Login, organization: string): boolean {
  return login.organization === null || login.organization === organization;
}

/** RFC 7636 section 4.6. Both are digests of one length, of what nobody can choose bit by bit. */
function proves(verifier: string | null, challenge: string): boolean {
  return verifier !== null && VERIFIER.test(verifier) && hashOf(verifier) === challenge;
}

/** SHA-256 of an ASCII text, base64url. */
function hashOf(text: string): string {
  return encodeBase64url(Uint8Array.from(hash(text), (character) => character.charCodeAt(0)));
}

function unknownLogin(): Problem {
  return new Problem(404, 'not_found', 'There is no such login: it is over after five minutes. Begin it again.');
}

function answered(): Problem {
  return new Problem(409, 'conflict', 'This login was answered already, or is over. Begin it again.');
}

function over(): Problem {
  return unauthorized('expired_token', 'This login is over, or was never begun: begin it again.');
}
