/**
 * All that a store keeps, in keys of fixed names with one hash tag: a cluster has them in one slot, so that a script may
 * touch them all, and every script names every key that it touches.
 *
 * | key | type | what |
 * | --- | --- | --- |
 * | `schema` | string | the version of this layout |
 * | `tokens` | hash | id → five lines for the scripts (version; digests of its secrets, each with its key's id after a `:`; places in `index`; last change; revocation or `-`), then the rest as JSON |
 * | `secrets` | hash | digest → end, creation, pepper, then the token's id, a line each |
 * | `used` | hash | id → last use |
 * | `counts` | hash | id → JSON: endpoint → `[count, last use]` |
 * | `index` | sorted set | where tokens stand in each listing, in lexicographic order |
 * | `endpoints` | hash | organization and id → a head of two lines, then the record as JSON |
 * | `names` | sorted set | the fields of `endpoints`, in lexicographic order |
 * | `changes` | hash | id → the audit entry as JSON |
 * | `log` | sorted set | where changes stand in each listing, in lexicographic order |
 * | `live` | sorted set | processes that listen, by their last heartbeat |
 * | `seq` | string | the number of the last message of the feed |
 * | `keyids` | hash | id of a secret's key → the secret's digest, then the public key, a line each |
 * | `entries` | hash | kind and id → version, end, then the value |
 * | `ends` | sorted set | the fields of `entries` that end, by when |
 * | `recent` | sorted set | writes of entries that were made, by when their callers give up |
 */
const NAMES = [
  'schema',
  'tokens',
  'secrets',
  'used',
  'counts',
  'index',
  'endpoints',
  'names',
  'changes',
  'log',
  'live',
  'seq',
  'keyids',
  'entries',
  'ends',
  'recent',
] as const;

export interface Keys {
  /** Every key, in the order in which the scripts take them. */
  readonly all: readonly string[];
  readonly schema: string;
  readonly index: string;
  /** The channel that all listen to. */
  readonly feed: string;
  /** The channel of one process. */
  channelOf(instance: string): string;
}

export function keysUnder(prefix: string): Keys {
  const name = (rest: string) => `{${prefix}}:${rest}`;
  return {
    all: NAMES.map(name),
    schema: name('schema'),
    index: name('index'),
    feed: name('feed'),
    channelOf: (instance) => name(`to:${instance}`),
  };
}

/** The line of Lua that names the keys. */
export const KEY_LOCALS = `local ${NAMES.map((name) => name.toUpperCase()).join(', ')} = unpack(KEYS)`;

/** Beyond any time that a `Date` has, so that no time is negative. */
const OFFSET = 2n ** 53n;
const TIME_WIDTH = 11;

/**
 * An instant as text of fixed width, in the order of time.
 *
 * @throws RangeError for what is no whole number
 */
export function timeKey(milliseconds: number): string {
  return (BigInt(milliseconds) + OFFSET).toString(36).padStart(TIME_WIDTH, '0');
}

export function timeOf(key: string): number {
  let value = 0n;
  for (const digit of key) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return Number(value - OFFSET);
}

/**
 * One listing in a sorted set: all members that begin with its name, then `:`, the time and the id. Names are JSON, whose
 * quotes end them, so that none is the beginning of another, and no text can be taken for a separator.
 */
export class Listing {
  readonly #name: string;

  private constructor(name: string) {
    this.#name = name;
  }

  static all = new Listing('a');
  static ofOrganization = (organization: string) => new Listing(`o${JSON.stringify(organization)}`);
  static ofOwner = (organization: string, owner: string) => new Listing(`p${JSON.stringify([organization, owner])}`);
  static ofOwnership = (organization: string, ownership: string) =>
    new Listing(`w${JSON.stringify([organization, ownership])}`);
  static ofSubject = (subject: string) => new Listing(`s${JSON.stringify(subject)}`);
  static expiring = new Listing('x');
  static expiringOf = (organization: string) => new Listing(`y${JSON.stringify(organization)}`);

  /** A member without its id. */
  at(milliseconds: number): string {
    return `${this.#name}:${timeKey(milliseconds)}`;
  }

  /** How many bytes of a member come before its id, and one more: where Lua begins to read. */
  get idStart(): string {
    return String(Buffer.byteLength(this.#name) + 1 + TIME_WIDTH + 1);
  }

  /** The bounds of the whole listing, as `ZRANGEBYLEX` takes them. `;` is the character after `:`. */
  get first(): string {
    return `[${this.#name}:`;
  }

  get end(): string {
    return `(${this.#name};`;
  }

  timeOf(member: string): number {
    const start = this.#name.length + 1;
    return timeOf(member.slice(start, start + TIME_WIDTH));
  }

  idOf(member: string): string {
    return member.slice(this.#name.length + 1 + TIME_WIDTH);
  }
}
