import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { BoundedMap } from '../base/bounded-map.js';
import { check } from '../base/check.js';
import { bytesToLatin1 } from '../base/digest.js';
import { isOrganizationName } from '../domain/endpoint.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import { compileGrants, type Grants, type StoredGrants } from '../domain/grants.js';
import type { Ownership, PrincipalFields } from '../domain/principal.js';
import { type FindEndpoint, readGrants } from '../managing/grant-input.js';
import type { AuthenticatorHost } from '../ports/authenticator.js';

/** Who the subject of a verified token is to this application. */
export interface TrustedPrincipal {
  /** The person or service; `null` where none is to be named. */
  readonly owner: string | null;
  /** Default: the instance's own. */
  readonly organization?: string | undefined;
  /** Default `'personal'`. */
  readonly ownership?: Ownership | undefined;
  /**
   * What it may do, as in `tokens.create`: types with their scopes or endpoints. An endpoint is granted by its name: whichever
   * one has it, when it is reached.
   */
  readonly types: Readonly<
    Record<string, { readonly scopes: readonly string[] } | { readonly endpoints: '*' | readonly string[] } | undefined>
  >;
}

const WHAT = 'what the principal option of trustedIssuer returned';

const schema = z.strictObject({
  owner: z
    .string('give the name of a person or service, or null')
    .min(1, 'give a name, or null')
    .max(200, 'give at most 200 characters')
    .refine((owner) => !/[\0\p{Cs}]/u.test(owner), 'give a text without NUL and lone surrogates')
    .nullable(),
  organization: z.custom<string>(isOrganizationName, 'name an organization in 1 to 100 characters').optional(),
  ownership: z.enum(['personal', 'organization'], "use 'personal' or 'organization'").default('personal'),
  // Read by `readGrants`, which knows the catalog.
  types: z.unknown().optional(),
});

/** How many different grants are kept compiled. */
const INTERNED = 1_000;

/**
 * Makes principals from what an application made of verified claims. Equal grants become one object: of the many tokens that
 * are remembered, most may do the same.
 */
export class PrincipalMaker {
  readonly #host: Pick<AuthenticatorHost, 'catalog' | 'organization'>;
  readonly #grants = new BoundedMap<string, Grants>(INTERNED);

  constructor(host: Pick<AuthenticatorHost, 'catalog' | 'organization'>) {
    this.#host = host;
  }

  /**
   * Whatever it can't be made from is the application's mistake.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`, `endpoint_unknown`
   */
  async make(mapped: unknown, subject: { readonly iss: string; readonly sub: string }): Promise<PrincipalFields> {
    const given = check(schema, mapped, WHAT, 'input_invalid');
    return {
      tokenId: externalId(subject),
      owner: given.owner,
      ownership: given.ownership,
      organization: given.organization ?? this.#host.organization,
      grants: this.#compiled(await this.#read(given.types)),
    };
  }

  async #read(types: unknown): Promise<StoredGrants> {
    try {
      return await readGrants(types, this.#host.catalog, byName);
    } catch (error) {
      if (!isPosternError(error)) throw error;
      const { code, problem, path } = error;
      throw new PosternError(code, problem, { path, input: WHAT, cause: error });
    }
  }

  #compiled(stored: StoredGrants): Grants {
    const key = JSON.stringify(stored);
    const known = this.#grants.get(key);
    if (known !== undefined) return known;
    const grants = compileGrants(stored, this.#host.catalog, { named: true });
    this.#grants.set(key, grants);
    return grants;
  }
}

/** An identity provider knows names: it is the endpoint of that name, when it is called, that is reached. */
const byName: FindEndpoint = async () => ({ uid: null });

/** One subject of one issuer, the same for all its tokens, and no text of theirs: fit for a log, a key, a column. */
function externalId({ iss, sub }: { readonly iss: string; readonly sub: string }): string {
  const digest = btoa(bytesToLatin1(sha256(utf8.encode(JSON.stringify([iss, sub])))));
  return `ext_${digest.slice(0, 22).replaceAll('+', '-').replaceAll('/', '_')}`;
}

const utf8 = new TextEncoder();
