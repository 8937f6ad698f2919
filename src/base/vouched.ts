import * as z from 'zod';
import { encodeBase64url } from '../domain/base64url.js';
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

const WHAT = 'the principal that an authenticator vouched for';

const tokenId = z.string().regex(TOKEN_ID, `use ${TOKEN_ID.source}`);

const schema = z.strictObject({
  // Read by `readGrants`, which knows the catalog.
  types: z.unknown().optional(),
  owner: z
    .string('give the name of a person or service, or null')
    .min(1, 'give a name, or null')
    .max(200, 'give at most 200 characters')
    .refine((owner) => !/[\0\p{Cs}]/u.test(owner), 'give a text without NUL and lone surrogates')
    .nullable(),
  organization: z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters').optional(),
  ownership: z.enum(['personal', 'organization'], "use 'personal' or 'organization'").default('personal'),
  // No default: a credential that never ends must be stated.
  endsAt: z.date('give a Date, or null for never').nullable(),
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
   * @param hash SHA-256 of the credential, one character a byte
   * @param now when the authenticator was asked
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`, `endpoint_unknown`
   */
  async read(answer: unknown, hash: string, now: number): Promise<VouchedFacts | Refusal> {
    if (typeof answer === 'string')
      return check(z.enum(REFUSALS, `use ${REFUSALS.join(', ')}`), answer, WHAT, 'input_invalid');
    const { [GRANTS]: stored, ...words } = (ownCopy(answer) ?? {}) as VouchedWithGrants;
    const given = check(schema, words, WHAT, 'input_invalid');
    const {
      owner,
      ownership,
      organization,
      mayIssue = 0,
      parent,
      methods,
      prove,
      confirmation,
      endsAt,
      trustedFor,
    } = given;
    const expiresAt = endsAt?.getTime() ?? Number.POSITIVE_INFINITY;
    const { cache } = this.#settings;
    return {
      principal: {
        tokenId: given.tokenId ?? externalId(hash),
        owner,
        ownership,
        organization: organization ?? this.#settings.organization,
        grants: this.#compiled(stored ?? (await this.#read(given.types))),
        endsAt: expiresAt,
        mayIssue,
      },
      expiresAt,
      trustedUntil: now + (trustedFor ?? cache.ttl),
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

/** An authenticator knows only names. Such a grant reaches the endpoint that has the name at the time of the call. */
const byName: FindEndpoint = async () => ({ uid: null });

/** An id for a credential that no store has, made of its hash. It is not secret, and fits a log, a key and a column. */
export function externalId(hash: string): string {
  const bytes = Uint8Array.from(hash, (character) => character.charCodeAt(0));
  return `ext_${encodeBase64url(bytes).slice(0, 22)}`;
}
