import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { readGrants } from '../base/grant-input.js';
import type { Ground } from '../base/ground.js';
import { TOKEN_ID } from '../base/ids.js';
import * as names from '../base/name-inputs.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { PosternError } from '../domain/errors.js';
import { compileGrants, withAllEndpoints } from '../domain/grants.js';
import { isLimited } from '../domain/limits.js';
import { type Ownership, type Principal, VerifiedPrincipal } from '../domain/principal.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import { type ActorStanding, type Authority, principalAuthority } from '../managing/authority.js';
import { Leavers, NEVER } from '../managing/leavers.js';

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

/**
 * The authority of a principal, on the ground that it is used on. A verified principal keeps the grants that it was verified with. For a principal that the
 * application made itself, they are looked up by name. A copy of a verified principal has lost its restrictions, and is refused.
 *
 * @throws PosternError `input_invalid`
 */
export function authorityOf(principal: ActingPrincipal, options: unknown): (ground: Ground) => Authority {
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
  const mayIssue = VerifiedPrincipal.mayIssue(principal);

  /** If a token of this store verified the principal, it must still be alive; otherwise the principal has ended. */
  async function standing(ground: Ground): Promise<ActorStanding> {
    const { store, time, reader } = ground;
    const leavers = new Leavers(ground);
    const token = tokenId === undefined ? null : await store.findToken(tokenId);
    const owned = owner === null ? NEVER : await leavers.standing(organization, owner);
    time.read();
    const isOurs = verified !== null && tokenId !== undefined && mayIssue === Number.POSITIVE_INFINITY;
    const dead = token === null ? isOurs : isRevoked(token) || expiryOf(token) <= time.latest;
    return {
      ended: dead || owned.ending,
      lastEnded: owned.last,
      limited: token !== null && isLimited(reader.rules(token)),
    };
  }

  return (ground) => {
    const { catalog } = ground.settings;
    return principalAuthority(
      {
        tokenId: tokenId ?? '',
        organization,
        owner,
        from: from ?? null,
        ownership: given.ownership === 'organization' ? 'organization' : 'personal',
        makes: ownership === 'organization' ? ['organization', 'personal'] : ['personal'],
        endsAt: endsAt?.getTime() ?? Number.POSITIVE_INFINITY,
        mayIssue,
        async grants() {
          const find = (id: string) => ground.store.findEndpoint(organization, id);
          const held = verified ?? compileGrants(await readGrants(given.types, catalog, find), catalog);
          return endpoints === 'grantable' ? withAllEndpoints(held, catalog) : held;
        },
        seesEndpoints: endpoints !== 'held',
        standing: () => standing(ground),
      },
      catalog,
    );
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
