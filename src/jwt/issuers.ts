import { BoundedMap } from '../base/bounded-map.js';
import type { AuthenticatorHost } from '../ports/authenticator.js';
import type { JsonWebKeySet } from './local-keys.js';
import type { VerificationKeys } from './verify.js';

/** The address of an issuer's keys, or a JSON Web Key Set that never changes. */
export type KeySource = URL | string | JsonWebKeySet;

/**
 * Decides whether an issuer is trusted, by the `iss` of a token that nobody has verified yet: it is a stranger's text, of at
 * most 1,000 characters. `true`: its keys are those of the option `jwks`, or of its own metadata. `{ jwks }`: its keys are
 * there. `false` or `null`: it is not trusted.
 */
export type IssuerLookup = (iss: string) => IssuerAnswer | Promise<IssuerAnswer>;

/** The answer of an {@link IssuerLookup}. */
export type IssuerAnswer = boolean | null | { readonly jwks: KeySource };

/** Finds the keys of an issuer. */
export interface Issuers {
  /** Whether a token with this `iss` may be meant for this authenticator. Reads nothing. */
  mayBe(iss: unknown): iss is string;
  /** The keys of an issuer, or `null` for one that is not trusted. Rejects where that can't be told. */
  keysOf(iss: string, now: number): VerificationKeys | null | Promise<VerificationKeys | null>;
}

/** Builds the keys of one issuer. @throws PosternError `option_invalid` */
export type KeysOf = (issuer: string, source: KeySource | undefined) => (host: AuthenticatorHost) => VerificationKeys;

const ISS_LENGTH = 1_000;
/** Issuers that are remembered, trusted or not. Beyond them the least used are looked up again. */
const MOST_ISSUERS = 1_000;

export function oneIssuer(issuer: string, keys: VerificationKeys): Issuers {
  return {
    mayBe: (iss): iss is string => iss === issuer,
    keysOf: (iss) => (iss === issuer ? keys : null),
  };
}

interface Entry {
  readonly keys: VerificationKeys | null;
  /** The address of the keys; empty: the issuer's own, `null`: they have none. */
  readonly address: string | null;
  /** Epoch milliseconds. */
  readonly askedAt: number;
}

/** Issuers that the application looks up: each is asked for once in `maxAge` milliseconds, and never twice at once. */
export class LookedUpIssuers implements Issuers {
  readonly #lookUp: IssuerLookup;
  readonly #keysFor: (iss: string, source: KeySource | undefined) => VerificationKeys;
  readonly #maxAge: number;
  readonly #known = new BoundedMap<string, Entry>(MOST_ISSUERS);
  readonly #asking = new Map<string, Promise<VerificationKeys | null>>();

  constructor(
    lookUp: IssuerLookup,
    keysFor: (iss: string, source: KeySource | undefined) => VerificationKeys,
    maxAge: number,
  ) {
    this.#lookUp = lookUp;
    this.#keysFor = keysFor;
    this.#maxAge = maxAge;
  }

  mayBe(iss: unknown): iss is string {
    return typeof iss === 'string' && iss !== '' && iss.length <= ISS_LENGTH;
  }

  keysOf(iss: string, now: number): VerificationKeys | null | Promise<VerificationKeys | null> {
    const known = this.#known.get(iss);
    if (known !== undefined && Math.abs(now - known.askedAt) < this.#maxAge) return known.keys;
    const asking = this.#asking.get(iss) ?? this.#ask(iss, now, known).finally(() => this.#asking.delete(iss));
    this.#asking.set(iss, asking);
    return asking;
  }

  async #ask(iss: string, now: number, known: Entry | undefined): Promise<VerificationKeys | null> {
    const answer = await this.#lookUp(iss);
    const entry =
      answer === false || answer === null
        ? { keys: null, address: null }
        : this.#trusted(iss, answer === true ? undefined : answer.jwks, known);
    this.#known.set(iss, { ...entry, askedAt: now });
    return entry.keys;
  }

  /** Keys that were fetched stay, as long as their address does. */
  #trusted(iss: string, source: KeySource | undefined, known: Entry | undefined): Omit<Entry, 'askedAt'> {
    const address =
      source === undefined ? '' : typeof source === 'string' || source instanceof URL ? String(source) : null;
    const keys = address !== null && known?.address === address ? known.keys : null;
    return { keys: keys ?? this.#keysFor(iss, source), address };
  }
}
