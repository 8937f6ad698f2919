import * as z from 'zod';
import { encodeBase64url } from '../domain/base64url.js';
import { parseDuration } from '../domain/duration.js';
import { isOrganizationName } from '../domain/endpoint.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import { compileGrants, type Grants, type StoredGrants } from '../domain/grants.js';
import type { PrincipalFields } from '../domain/principal.js';
import {
  type Confirmation,
  type Prove,
  REFUSALS,
  type Refusal,
  type Vouched,
  type VouchedParent,
} from '../ports/authenticator.js';
import { BoundedMap } from './bounded-map.js';
import { check, ownCopy } from './check.js';
import { duration } from './duration-input.js';
import { type FindEndpoint, readGrants } from './grant-input.js';
import { TOKEN_ID } from './ids.js';
import type { Settings } from './options.js';

/**
 * The key under which our own access tokens keep their grants, besides `types`. These grants are bound to endpoints by uid, and
 * may hold scopes of a later version, which grant nothing. `types` can express neither.
 */
export const GRANTS = Symbol.for('postern.grants');

/** The answer of our own authenticators. */
export type VouchedWithGrants = Vouched & { readonly [GRANTS]: StoredGrants };

/** An authenticator's answer, checked and compiled. Times are epoch milliseconds. */
export interface VouchedFacts {
  readonly principal: PrincipalFields;
  readonly expiresAt: number;
  readonly trustedUntil: number;
  readonly parent: VouchedParent | null;
  readonly methods: readonly string[] | null;
  readonly prove: Prove | null;
  readonly confirmation: Confirmation | null;
}

/** SHA-256, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

const MAX_OWNER = 200;

const WHAT = 'the principal that an authenticator vouched for';

const tokenId = z.string().regex(TOKEN_ID, `use ${TOKEN_ID.source}`);

const schema = z.strictObject({
  // Read by `readGrants`, which knows the catalog.
  types: z.unknown().optional(),
  owner: z
    .string('give the name of a person or service, or null')
    .min(1, 'give a name, or null')
    .max(MAX_OWNER, `give at most ${MAX_OWNER} characters`)
    .refine(isStorable, 'give a text without NUL and lone surrogates')
    .nullable(),
  organization: z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters').optional(),
  ownership: z.enum(['personal', 'organization'], "use 'personal' or 'organization'").default('personal'),
  // No default: a credential that never ends must be stated. Read here, because the authenticator can change its Date later.
  endsAt: z.date('give a Date, or null for never').nullable().transform(timeOf),
  trustedFor: duration('30s').optional(),
  tokenId: tokenId.optional(),
  mayIssue: duration('90d', { least: '1s' }).optional(),
  parent: z
    .preprocess(
      ownCopy,
      z
        .strictObject({
          tokenId,
          kid: z.string().regex(THUMBPRINT).optional(),
          required: z.boolean('use true or false'),
        })
        .nullable(),
    )
    .default(null),
  methods: z.array(z.string('give methods'), 'give a list of methods').min(1).nullable().default(null),
  prove: z
    .custom<VouchedFacts['prove']>((value) => value === null || typeof value === 'function', 'give a function')
    .default(null),
  confirmation: z.preprocess(ownCopy, z.strictObject({ jkt: z.string().regex(THUMBPRINT) }).nullable()).default(null),
});

type Given = z.output<typeof schema>;

const FIELDS: ReadonlySet<string> = new Set(Object.keys(schema.shape));
const isField = (name: string) => FIELDS.has(name);

/** The most different grants that are kept compiled. */
const INTERNED = 1_000;

/**
 * Reads the answers of authenticators. Equal grants become one object, because most credentials in the cache have the same
 * grants.
 */
export class VouchedReader {
  readonly #settings: Pick<Settings, 'catalog' | 'organization' | 'cache'>;
  readonly #grants = new BoundedMap<string, Grants>(INTERNED);

  constructor(settings: Pick<Settings, 'catalog' | 'organization' | 'cache'>) {
    this.#settings = settings;
  }

  /**
   * Without a promise for an answer of our own authenticators.
   *
   * @param hash SHA-256 of the credential, one character a byte
   * @param now when the authenticator was asked
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`, `endpoint_unknown`
   */
  read(answer: unknown, hash: string, now: number): VouchedFacts | Refusal | Promise<VouchedFacts> {
    if (typeof answer === 'string')
      return check(z.enum(REFUSALS, `use ${REFUSALS.join(', ')}`), answer, WHAT, 'input_invalid');
    const words: Record<PropertyKey, unknown> = Object.assign(Object.create(null), answer);
    const given = readPlain(words) ?? check(schema, words, WHAT, 'input_invalid');
    const stored = words[GRANTS] as StoredGrants | undefined;
    return stored === undefined
      ? this.#read(given.types).then((read) => this.#factsOf(given, read, hash, now))
      : this.#factsOf(given, stored, hash, now);
  }

  #factsOf(given: Given, stored: StoredGrants, hash: string, now: number): VouchedFacts {
    const { owner, ownership, organization, mayIssue = 0, parent, methods, prove, confirmation, endsAt } = given;
    return {
      principal: {
        tokenId: given.tokenId ?? externalId(hash),
        owner,
        ownership,
        organization: organization ?? this.#settings.organization,
        grants: this.#compiled(stored),
        endsAt,
        mayIssue,
      },
      expiresAt: endsAt,
      trustedUntil: now + (given.trustedFor ?? this.#settings.cache.ttl),
      parent,
      methods,
      prove,
      confirmation,
    };
  }

  async #read(types: unknown): Promise<StoredGrants> {
    try {
      return await readGrants(types, this.#settings.catalog, byName);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      const { code, path, problem } = error;
      throw new PosternError(code, problem, { path, input: WHAT, cause: error });
    }
  }

  #compiled(stored: StoredGrants): Grants {
    const key = JSON.stringify(stored);
    const known = this.#grants.get(key);
    if (known !== undefined) return known;
    const grants = compileGrants(stored, this.#settings.catalog, { named: true });
    this.#grants.set(key, grants);
    return grants;
  }
}

/**
 * Reads an answer in its usual form, in a fraction of the schema's time. It accepts nothing that the schema refuses. `null`: the
 * schema must read the answer, because it has words for each mistake.
 *
 * @param words without a prototype
 */
function readPlain(words: Readonly<Record<string, unknown>>): Given | null {
  const { types, owner, organization, ownership = 'personal', endsAt, tokenId, mayIssue } = words;
  const { trustedFor, parent = null, methods = null, prove = null, confirmation = null } = words;
  if (mayIssue !== undefined || confirmation !== null || !Object.keys(words).every(isField)) return null;
  if (owner !== null && !isOwner(owner)) return null;
  if (organization !== undefined && !isOrganizationName(organization)) return null;
  if (ownership !== 'personal' && ownership !== 'organization') return null;
  if (endsAt !== null && !(endsAt instanceof Date)) return null;
  const end = timeOf(endsAt);
  if (Number.isNaN(end)) return null;
  if (tokenId !== undefined && !isTokenId(tokenId)) return null;
  const trusted = trustedFor === undefined ? undefined : parseDuration(trustedFor);
  if (trusted === null || !(prove === null || isProve(prove))) return null;
  const listed = methods === null ? null : readPlainMethods(methods);
  const from = parent === null ? null : readPlainParent(parent);
  if (listed === undefined || from === undefined) return null;
  return {
    types,
    owner,
    ownership,
    organization,
    tokenId,
    endsAt: end,
    trustedFor: trusted,
    parent: from,
    methods: listed,
    prove,
    confirmation,
  };
}

/** `undefined`: the schema must read them. */
function readPlainMethods(methods: unknown): string[] | undefined {
  const copy = Array.isArray(methods) ? Array.from<unknown>(methods) : [];
  return copy.length > 0 && copy.every((each) => typeof each === 'string') ? copy : undefined;
}

/** `undefined`: the schema must read it. */
function readPlainParent(parent: unknown): VouchedParent | undefined {
  if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) return undefined;
  const words = ownCopy(parent) as Record<string, unknown>;
  const { tokenId, kid, required } = words;
  const isPlain = Object.keys(words).every((name) => name === 'tokenId' || name === 'kid' || name === 'required');
  if (!isPlain || !isTokenId(tokenId) || typeof required !== 'boolean') return undefined;
  if (kid === undefined) return { tokenId, required };
  return typeof kid === 'string' && THUMBPRINT.test(kid) ? { tokenId, kid, required } : undefined;
}

/** Epoch milliseconds; `Infinity`: never. */
function timeOf(end: Date | null): number {
  return end === null ? Number.POSITIVE_INFINITY : end.getTime();
}

function isTokenId(value: unknown): value is string {
  return typeof value === 'string' && TOKEN_ID.test(value);
}

function isProve(value: unknown): value is Prove {
  return typeof value === 'function';
}

function isOwner(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_OWNER && isStorable(value);
}

/** Not every store can keep NUL, or half a surrogate pair. */
function isStorable(text: string): boolean {
  return !/[\0\p{Cs}]/u.test(text);
}

/** An authenticator knows only names. Such a grant reaches the endpoint that has the name at the time of the call. */
const byName: FindEndpoint = async () => ({ uid: null });

/** An id for a credential that no store has, made of its hash. It is not secret, and fits a log, a key and a column. */
export function externalId(hash: string): string {
  const bytes = Uint8Array.from(hash, (character) => character.charCodeAt(0));
  return `ext_${encodeBase64url(bytes).slice(0, 22)}`;
}
