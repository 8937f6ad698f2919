import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { TOKEN_ID } from '../base/ids.js';
import * as names from '../base/name-inputs.js';
import { PosternError } from '../domain/errors.js';
import type { Grants } from '../domain/grants.js';
import { type Ownership, type Principal, VerifiedPrincipal } from '../domain/principal.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import type { EndpointRights } from '../managing/authority.js';

const principalInput = z.strictObject({
  organization: names.organization,
  owner: names.owner.nullable(),
  tokenId: z.string().regex(TOKEN_ID, "give the id of the principal's token, or leave it out").optional(),
  endsAt: z.date('give a Date, or null for never').nullish(),
});

const actingInput = z.strictObject({
  ownership: names.ownership.optional(),
  from: names.text(1, names.NAME_LENGTH).optional(),
  endpoints: z.enum(['held', 'seen', 'grantable'], "use 'held', 'seen' or 'grantable'").default('held'),
});

/** The principal that acts: a verified token's, or one that the application makes itself (from its own session). */
export type ActingPrincipal<T extends TokenTypes = AnyTokenTypes> = Pick<
  Principal<T>,
  'organization' | 'owner' | 'types'
> & {
  readonly tokenId?: string;
  /** Default `'personal'`: a person. */
  readonly ownership?: Ownership;
  /** Tokens that it makes end no later. Left out, or `null`: it does not end. */
  readonly endsAt?: Date | null;
};

/** A principal that acts, as `as` has read it. */
export interface Acting {
  readonly organization: string;
  readonly owner: string | null;
  readonly tokenId: string | null;
  readonly from: string | null;
  readonly ownership: Ownership;
  /** Whether it may make tokens of the organization. */
  readonly makesOrganizations: boolean;
  readonly endpoints: EndpointRights;
  /** Epoch milliseconds. */
  readonly endsAt: number;
  readonly mayIssue: number;
  /** The grants that it was verified with. `null`: the application made it, and names them in `types`. */
  readonly verified: Grants | null;
  readonly types: unknown;
}

/**
 * Reads a principal that acts. A copy of a verified principal has lost its restrictions, and is refused.
 *
 * @throws PosternError `input_invalid`
 */
export function readActing(principal: ActingPrincipal, options: unknown): Acting {
  const verified = VerifiedPrincipal.grantsOf(principal);
  const given = ownCopy(principal) ?? {};
  if (verified === null && Object.hasOwn(given, 'grants')) throw isCopy();
  if (Object.hasOwn(given, 'hint') && Object.hasOwn(given, 'createdAt')) throw isRecord();
  const { organization, owner, tokenId, endsAt } = check(
    principalInput,
    {
      organization: given.organization,
      owner: given.owner,
      // The principal of a person without a token has an empty id.
      tokenId: given.tokenId || undefined,
      endsAt: given.endsAt,
    },
    'as, which takes a principal { organization, owner, types }',
    'input_invalid',
  );
  const { from, endpoints, ownership } = check(actingInput, options ?? {}, 'as', 'input_invalid');
  return {
    organization,
    owner,
    tokenId: tokenId ?? null,
    from: from ?? null,
    ownership: given.ownership === 'organization' ? 'organization' : 'personal',
    makesOrganizations: ownership === 'organization',
    endpoints,
    endsAt: endsAt?.getTime() ?? Number.POSITIVE_INFINITY,
    mayIssue: VerifiedPrincipal.mayIssue(principal),
    verified,
    types: given.types,
  };
}

/** A record says nothing of the token's end or revocation to `as`, so its rights would outlive it. */
function isRecord(): PosternError {
  return new PosternError(
    'input_invalid',
    'is the record of a token: give the principal of a call, or name { organization, owner, types } of who acts',
    { path: 'principal', input: 'as' },
  );
}

function isCopy(): PosternError {
  return new PosternError(
    'input_invalid',
    'is a copy of a principal, or of another version of postern: give the principal itself, or name { organization, owner, types } of who acts',
    { path: 'principal', input: 'as' },
  );
}
