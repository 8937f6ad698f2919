import * as z from 'zod';
import { hash } from '../../base/digest.js';
import type { Ground } from '../../base/ground.js';
import { newId } from '../../base/ids.js';
import { encodeBase64url } from '../../domain/base64url.js';
import { PosternError } from '../../domain/errors.js';
import type { StoredEntry } from '../../ports/records.js';
import { Problem, unauthorized } from '../http/problem.js';
import { newUserCode, readUserCode } from './user-code.js';

const KIND = 'login';
/** Milliseconds. RFC 8628 section 3.2 asks for a short life. */
const LIFE = 5 * 60_000;
/** 128 random bits in 22 characters. */
const CODE = /^[0-9A-Za-z]{22}$/;
/** RFC 7636 section 4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;
/** Wrong user codes before a login ends. A guesser succeeds once in 5,120,000,000 logins. */
const MOST_TRIES = 5;

const types = z.record(z.string(), z.unknown());

/**
 * An approval: the token to be made, and the approver. The token is made when it is collected, and the approver's rights are checked
 * again then. So the store never holds a login's secret, not even encrypted, and no uncollected token is left behind.
 */
const approval = z.strictObject({
  organization: z.string(),
  approver: z.discriminatedUnion('kind', [
    /** `digest` is that of the approving secret. The approval ends with it. */
    z.strictObject({
      kind: z.literal('token'),
      tokenId: z.string(),
      digest: z.string(),
      owner: z.string().nullable(),
    }),
    z.strictObject({ kind: z.literal('person'), owner: z.string(), types }),
  ]),
  /** The last time that the approver's tokens had been ended: see `Standing.last`. */
  lastEnded: z.string().nullable(),
  types,
  name: z.string(),
  /** Milliseconds, from the collection on. */
  expiresIn: z.number(),
});

/** Binds a login to the terminal that began it. */
const bond = z.strictObject({
  /** S256 of the terminal's verifier (RFC 7636), with which it collects the token. */
  challenge: z.string(),
  /** S256 of the code and the user code. Only the terminal shows the user code, so its reader approves their own login. */
  userCode: z.string(),
});

const state = z.strictObject({
  /** `null`: anyone with the code can collect the token, and anyone may have sent the link (RFC 8628 section 5.4). */
  bond: bond.nullable(),
  /** The types that the terminal asks for; `null`: none in particular. */
  asked: types.nullable(),
  from: z.string().nullable(),
  createdAt: z.number(),
  /** Wrong user codes. */
  tries: z.number(),
  status: z.enum(['pending', 'approved', 'denied']),
  /** The organization of the person who answered; `null` before the answer. */
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

/** A terminal's request for a login. */
export interface NewLogin {
  readonly challenge: string | null;
  readonly asked: State['asked'];
  readonly from: string | null;
}

interface Found {
  readonly login: Login;
  readonly entry: StoredEntry;
}

/** Pending logins: a terminal asks, a person approves in the browser, the terminal collects the token (RFC 8628). */
export class Logins {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** The code's hash, safe to count and log; `null` if the text has not the form of a code. */
  idOf(code: string): string | null {
    return CODE.test(code) ? hashOf(code) : null;
  }

  /** Returns the code (the store keeps its hash), and for a login with a challenge the user code. */
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
   * Finds a waiting login for a person of an organization.
   *
   * @throws Problem 403 (`user_code_missing`, `user_code_wrong`), 404, 409
   */
  async open(code: string, organization: string, userCode: string | null): Promise<Login> {
    return (await this.#open(code, organization, userCode)).login;
  }

  /**
   * Answers a waiting login. Of two answers at once, one wins and the other gets 409.
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
    // An answered login belongs to the organization of the answer.
    if (found === null || (found.login.organization ?? organization) !== organization) throw unknownLogin();
    const { bond, status, tries } = found.login;
    if (status !== 'pending') throw answered();
    if (bond === null) return found;
    if (userCode === null) {
      const detail = 'Type the code that your terminal shows. If you have none there, this login is not yours.';
      throw new Problem(403, 'user_code_missing', detail, { path: 'user_code' });
    }
    // Counted before the comparison: of many guesses at once, one learns the outcome and the others must ask again.
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

  /** @throws Problem 409 if it was changed meanwhile */
  async #write({ login, entry }: Found, changes: Partial<State>): Promise<Found> {
    const next = { ...login, ...changes };
    const { expiresAt: _, ...kept } = next;
    const written = { ...entry, value: JSON.stringify(kept), version: entry.version + 1 };
    if (!(await this.#ground.store.putEntry(written, entry.version, this.#ground.time.read()))) throw answered();
    return { login: next, entry: written };
  }

  /**
   * Hands out the approval once, to the terminal that began the login. Unknown, expired and used codes give the same error.
   *
   * @throws Problem 401: not yet (`authorization_pending`), refused (`access_denied`), no longer (`expired_token`)
   */
  async collect(code: string, verifier: string | null): Promise<ApprovedLogin> {
    const found = await this.#read(code);
    if (found === null) throw over();
    const { login, entry } = found;
    // A wrong verifier does not use up the code: an eavesdropper must not be able to spoil the login.
    if (login.bond !== null && !proves(verifier, login.bond.challenge)) {
      throw unauthorized('access_denied', 'This login was begun elsewhere: X-Postern-Verifier is missing or wrong.');
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
    // The clock is read again, because the store may have taken long. A clock that was set back revives nothing.
    time.read();
    if (entry === null || entry.expiresAt === null || entry.expiresAt <= time.latest) return null;
    const login = parsed(entry.value);
    return login && { login: { ...login, expiresAt: entry.expiresAt }, entry };
  }
}

/** `null` if the entry was changed by hand: then the login does not exist. */
function parsed(value: string): State | null {
  try {
    return state.parse(JSON.parse(value));
  } catch {
    return null;
  }
}

/** RFC 7636 section 4.6. A plain comparison is safe, because nobody can choose a digest bit by bit. */
function proves(verifier: string | null, challenge: string): boolean {
  return verifier !== null && VERIFIER.test(verifier) && hashOf(verifier) === challenge;
}

/** Hashed with the code, which the store does not have. A user code alone could be found by trying all. */
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
