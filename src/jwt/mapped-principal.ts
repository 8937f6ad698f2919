import { sha256 } from '@noble/hashes/sha2.js';
import { z } from 'zod';
import { encodeBase64url } from '../domain/base64url.js';
import { isOrganizationName } from '../domain/endpoint.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import { compileGrants, type Grants } from '../domain/grants.js';
import type { Ownership, PrincipalFields } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { AuthenticatorHost } from '../services/authenticator.js';
import { check } from '../services/check.js';
import { type FindEndpoint, readGrants } from '../services/grant-input.js';

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

/**
 * A principal from what an application made of verified claims. Whatever it can't be made from is the application's mistake.
 *
 * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`, `endpoint_unknown`
 */
export async function principalFrom(
  mapped: unknown,
  subject: { readonly iss: string; readonly sub: string },
  host: Pick<AuthenticatorHost, 'catalog' | 'organization'>,
): Promise<PrincipalFields> {
  const given = check(schema, mapped, WHAT, 'input_invalid');
  return {
    tokenId: externalId(subject),
    owner: given.owner,
    ownership: given.ownership,
    organization: given.organization ?? host.organization,
    grants: await grantsFrom(given.types, host.catalog),
  };
}

async function grantsFrom(types: unknown, catalog: Catalog): Promise<Grants> {
  try {
    return compileGrants(await readGrants(types, catalog, byName), catalog, { named: true });
  } catch (error) {
    if (!isPosternError(error)) throw error;
    const { code, path } = error;
    throw new PosternError(code, `${WHAT} can not be granted: ${error.message}`, { path, cause: error });
  }
}

/** An identity provider knows names: it is the endpoint of that name, when it is called, that is reached. */
const byName = (async () => ({ uid: null })) as unknown as FindEndpoint;

/** One subject of one issuer, the same for all its tokens, and no text of theirs: fit for a log, a key, a column. */
function externalId({ iss, sub }: { readonly iss: string; readonly sub: string }): string {
  const digest = sha256(new TextEncoder().encode(JSON.stringify([iss, sub])));
  return `ext_${encodeBase64url(digest).slice(0, 22)}`;
}
