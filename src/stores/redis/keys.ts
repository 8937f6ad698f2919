/**
 * A store keeps everything in keys of fixed names with one hash tag. So a cluster has them in one slot, and a script may use all
 * of them. Every script names every key that it uses.
 *
 * | key | type | content |
 * | --- | --- | --- |
 * | `schema` | string | the version of this layout |
 * | `tokens` | hash | id → five lines for the scripts (version; digests of its secrets, each with its key's id after a `:`; places in `index`; last change; revocation or `-`), then the rest as JSON |
 * | `secrets` | hash | digest → end, creation, pepper, then the token's id, a line each |
 * | `used` | hash | id → last use |
 * | `counts` | hash | id → JSON: endpoint → `[count, last use]` |
 * | `index` | sorted set | the places of tokens in each listing, in lexicographic order |
 * | `endpoints` | hash | organization and id → a head of two lines, then the record as JSON |
 * | `names` | sorted set | the fields of `endpoints`, in lexicographic order |
 * | `changes` | hash | id → the audit entry as JSON |
 * | `log` | sorted set | the places of changes in each listing, in lexicographic order |
 * | `live` | sorted set | processes that listen, by their last heartbeat |
 * | `seq` | string | the number of the last message of the feed |
 * | `keyids` | hash | id of a secret's key → the secret's digest, then the public key, a line each |
 * | `entries` | hash | kind and id → version, end, then the value |
 * | `ends` | sorted set | the fields of `entries` with an end, by their end |
 * | `days` | hash | `t` and a token's id, or `o` and an organization as JSON → the days that it has counts of, with a space before each |
 * | `daily` | hash | a day, `:` and such a name → JSON: endpoint, line feed, scopes → count |
 * | `recent` | sorted set | recent writes of entries, by their callers' deadlines |
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
  'days',
  'daily',
] as const;

export interface Keys {
  /** Every key, in the order that the scripts expect. */
  readonly all: readonly string[];
  readonly schema: string;
  readonly index: string;
  /** The channel of all processes. */
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

/** Larger than any time of a `Date`, so that no time becomes negative. */
const OFFSET = 2n ** 53n;
const TIME_WIDTH = 11;
/** The width of `:` and a time, which stand behind the name of a listing. */
export const PLACE_WIDTH = TIME_WIDTH + 1;

/**
 * An instant as text of fixed width. The order of these texts is the order of time.
 *
 * @throws RangeError for a number that is not whole
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
 * One listing in a sorted set: all members that begin with its name, then `:`, the time and the id. Names are JSON and end with
 * a quote. So no name is the beginning of another, and no text can be mistaken for a separator.
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

  /** The position of a member's id in bytes, counted from 1 as in Lua. */
  get idStart(): string {
    return String(Buffer.byteLength(this.#name) + 1 + TIME_WIDTH + 1);
  }

  /** The bounds of the whole listing for `ZRANGEBYLEX`. `;` is the character after `:`. */
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
