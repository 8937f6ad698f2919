import { z } from 'zod';
import { hash } from '../../base/digest.js';
import type { Ground } from '../../base/ground.js';
import { newId } from '../../base/ids.js';
import { encodeBase64url } from '../../domain/base64url.js';
import { PosternError } from '../../domain/errors.js';
import type { StoredEntry } from '../../ports/records.js';
import { Problem, unauthorized } from '../http/problem.js';
import { newUserCode, readUserCode } from './user-code.js';

const KIND = 'login';
/** RFC 8628 section 3.2 wants it short. */
const LIFE = 5 * 60_000;
/** 128 random bits in 22 characters. */
const CODE = /^[0-9A-Za-z]{22}$/;
/** RFC 7636 section 4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;
/** How often a user code may be wrong. One in 5,120,000,000 is found by guessing. */
const MOST_TRIES = 5;

const types = z.record(z.string(), z.unknown());

/**
 * What was approved: what the token shall be, and by whose right. The token itself is made when it is collected, and the
 * approver's rights are looked at again then: so a store, and who reads it, never holds a secret of a login, not even an
 * encrypted one, and no token is left behind that nobody came for.
 */
const approval = z.strictObject({
  organization: z.string(),
  approver: z.discriminatedUnion('kind', [
    /** `digest`: of the secret that approved. What was approved ends with it. */
    z.strictObject({
      kind: z.literal('token'),
      tokenId: z.string(),
      digest: z.string(),
      owner: z.string().nullable(),
    }),
    z.strictObject({ kind: z.literal('person'), owner: z.string(), types }),
  ]),
  /** How often the tokens of who approved had been ended. */
  lastEnded: z.string().nullable(),
  types,
  name: z.string(),
  /** Milliseconds from when it is collected. */
  expiresIn: z.number(),
});

/** What binds a login to the terminal that began it. */
const bond = z.strictObject({
  /** S256 of what only the terminal knows (RFC 7636): with that it collects. */
  challenge: z.string(),
  /** S256 of the code and the user code, which only the terminal shows: a person who has it looks at their own login. */
  userCode: z.string(),
});

const state = z.strictObject({
  /** `null`: whoever has the code collects the token, and it may have been sent by anyone (RFC 8628 section 5.4). */
  bond: bond.nullable(),
  /** What the terminal asks for; `null`: nothing in particular. */
  asked: types.nullable(),
  from: z.string().nullable(),
  createdAt: z.number(),
  /** Wrong user codes. */
  tries: z.number(),
  status: z.enum(['pending', 'approved', 'denied']),
  /** Whose answer it was; `null` while there is none. */
  organization: z.string().nullable(),
  approval: approval.nullable(),
});

type State = z.output<typeof state>;

export type Approval = z.output<typeof approval>;

export interface Login extends State {
  readonly expiresAt: number;
}

export interface ApprovedLogin extends Login {
  readonly approval: Approval;
}

/** What a terminal says when it begins. */
export interface NewLogin {
  readonly challenge: string | null;
  readonly asked: State['asked'];
  readonly from: string | null;
}

interface Found {
  readonly login: Login;
  readonly entry: StoredEntry;
}

/** Logins that are under way: a terminal asks, a person approves in the browser, the terminal collects (RFC 8628). */
export class Logins {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** A code as it may be counted and logged; `null` for what has the form of none. */
  idOf(code: string): string | null {
    return CODE.test(code) ? hashOf(code) : null;
  }

  /** Returns the code, of which the store keeps the hash, and the user code of a login with a challenge. */
  async begin({ challenge, ...asked }: NewLogin): Promise<{ readonly code: string; readonly userCode: string | null }> {
    const { store, time, settings } = this.#ground;
    const code = newId(settings.random);
    const userCode = challenge === null ? null : newUserCode(settings.random);
    const now = time.read();
    const login: State = {
      bond: challenge === null || userCode === null ? null : { challenge, userCode: userHash(code, userCode) },
      ...asked,
      createdAt: now,
      tries: 0,
      status: 'pending',
      organization: null,
      approval: null,
    };
    const entry = { kind: KIND, id: hashOf(code), value: JSON.stringify(login), expiresAt: now + LIFE, version: 1 };
    if (await store.putEntry(entry, 0, now)) return { code, userCode };
    throw new PosternError('conflict', 'the new code exists already: is the random option random?');
  }

  /**
   * A login that waits, for a person of an organization to judge.
   *
   * @throws Problem 403 (`user_code_missing`, `user_code_wrong`), 404, 409
   */
  async open(code: string, organization: string, userCode: string | null): Promise<Login> {
    return (await this.#open(code, organization, userCode)).login;
  }

  /**
   * Answers a login that waits. Of two answers at once one holds.
   *
   * @throws Problem as `open`
   */
  async answer(
    code: string,
    organization: string,
    userCode: string | null,
    decide: (login: Login) => Promise<Approval | null>,
  ): Promise<Login> {
    const found = await this.#open(code, organization, userCode);
    const approved = await decide(found.login);
    const status = approved ? 'approved' : 'denied';
    return (await this.#write(found, { status, organization, approval: approved })).login;
  }

  async #open(code: string, organization: string, userCode: string | null): Promise<Found> {
    const found = await this.#read(code);
    // Before it is answered a code belongs to nobody; then to the organization that answered.
    if (found === null || (found.login.organization ?? organization) !== organization) throw unknownLogin();
    const { bond, status, tries } = found.login;
    if (status !== 'pending') throw answered();
    if (bond === null) return found;
    if (userCode === null) {
      const detail = 'Type the code that your terminal shows. If you have none there, this login is not yours.';
      throw new Problem(403, 'user_code_missing', detail, { path: 'user_code' });
    }
    // Counted before it is compared: of many guesses at once one is told the outcome, and the others to ask again.
    const counted = await this.#write(found, { tries: tries + 1 });
    if (userHash(code, userCode) === bond.userCode) return this.#write(counted, { tries });
    const left = MOST_TRIES - counted.login.tries;
    if (left <= 0) {
      const { store, time } = this.#ground;
      await store.deleteEntry(KIND, counted.entry.id, counted.entry.version, time.read());
      throw unknownLogin();
    }
    const detail = `This is not the code that the terminal shows. ${left} more ${left === 1 ? 'try' : 'tries'}.`;
    throw new Problem(403, 'user_code_wrong', detail, { path: 'user_code' });
  }

  /** @throws Problem 409 where it was changed meanwhile */
  async #write({ login, entry }: Found, changes: Partial<State>): Promise<Found> {
    const next = { ...login, ...changes };
    const { expiresAt: _, ...kept } = next;
    const written = { ...entry, value: JSON.stringify(kept), version: entry.version + 1 };
    if (!(await this.#ground.store.putEntry(written, entry.version, this.#ground.time.read()))) throw answered();
    return { login: next, entry: written };
  }

  /**
   * What was approved, handed out once, to who began it. Whether the code is unknown, over or used up is not told apart.
   *
   * @throws Problem 401: not yet (`authorization_pending`), refused (`access_denied`), no longer (`expired_token`)
   */
  async collect(code: string, verifier: string | null): Promise<ApprovedLogin> {
    const found = await this.#read(code);
    if (found === null) throw over();
    const { login, entry } = found;
    // A wrong verifier does not use up the code: whoever overheard it must not be able to spoil it.
    if (login.bond !== null && !proves(verifier, login.bond.challenge)) {
      throw unauthorized(
        'access_denied',
        'This login was begun elsewhere: X-Postern-Verifier is missing, or not its own.',
      );
    }
    if (login.status === 'pending') {
      throw unauthorized('authorization_pending', 'Nobody has approved this login yet: open its page in the browser.');
    }
    if (login.approval === null) throw unauthorized('access_denied', 'This login was refused in the browser.');
    if (!(await this.#ground.store.deleteEntry(KIND, entry.id, entry.version, this.#ground.time.read()))) throw over();
    return { ...login, approval: login.approval };
  }

  async #read(code: string): Promise<Found | null> {
    if (!CODE.test(code)) return null;
    const { store, time } = this.#ground;
    const entry = await store.findEntry(KIND, hashOf(code), time.read());
    // The store may have taken long, and a clock that was set back revives nothing.
    time.read();
    if (entry === null || entry.expiresAt === null || entry.expiresAt <= time.latest) return null;
    const login = parsed(entry.value);
    return login && { login: { ...login, expiresAt: entry.expiresAt }, entry };
  }
}

/** `null` for what was changed by hand: then there is no such login. */
function parsed(value: string): State | null {
  try {
    return state.parse(JSON.parse(value));
  } catch {
    return null;
  }
}

/** RFC 7636 section 4.6. Both are digests of one length, of what nobody can choose bit by bit. */
function proves(verifier: string | null, challenge: string): boolean {
  return verifier !== null && VERIFIER.test(verifier) && hashOf(verifier) === challenge;
}

/** With the code in it, which the store does not have: by itself a user code is found by trying them all. */
function userHash(code: string, userCode: string): string {
  return hashOf(`${code}.${readUserCode(userCode)}`);
}

/** SHA-256 of an ASCII text, base64url. */
function hashOf(text: string): string {
  return encodeBase64url(Uint8Array.from(hash(text), (character) => character.charCodeAt(0)));
}

function unknownLogin(): Problem {
  return new Problem(
    404,
    'not_found',
    'There is no such login: it is over after five minutes, or five wrong codes. Begin it again.',
  );
}

function answered(): Problem {
  return new Problem(409, 'conflict', 'This login was answered already, or someone else is at it. Begin it again.');
}

function over(): Problem {
  return unauthorized('expired_token', 'This login is over, or was never begun: begin it again.');
}
