import { check, ownCopy } from '../base/check.js';
import { readGrants } from '../base/grant-input.js';
import { createGround, type Ground } from '../base/ground.js';
import { type PosternOptions, readOptions } from '../base/options.js';
import type { Attempt } from '../deciding/attempt.js';
import { createDeciding } from '../deciding/create-deciding.js';
import type { Authentication, Decision } from '../domain/decision.js';
import { compileGrants, withAllEndpoints } from '../domain/grants.js';
import { type Ownership, type Principal, VerifiedPrincipal } from '../domain/principal.js';
import type { AnyTokenTypes, bentocloudTokenTypes, TokenTypes } from '../domain/token-types.js';
import { type Authority, applicationAuthority, type Holder, principalAuthority } from '../managing/authority.js';
import { createManaging, type Management } from '../managing/create-managing.js';
import { actingInput, principalInput } from '../managing/inputs.js';
import type { AuthenticatorHost } from '../ports/authenticator.js';
import { createInspection, type Inspection } from './inspection.js';
import { setInternals } from './internals.js';

/** What `createPostern` gives: decisions, management, and its end. */
export interface Postern<T extends TokenTypes = AnyTokenTypes> extends Management<T>, Inspection<T> {
  /**
   * Decides one attempt. Whatever goes wrong inside is a denial.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`: a requirement that no call could ever meet
   */
  authorize(attempt: Attempt<T>): Promise<Decision<T>>;
  /** The same decision without a promise where nothing has to be read for it, else `null`. Never throws. */
  tryAuthorize(attempt: Attempt<T>): Decision<T> | null;
  /** Who a credential is. */
  authenticate(token: string | null | undefined): Promise<Authentication<T>>;
  /**
   * The same management, limited to a principal's organization, granting no more than it holds, and acting in its name.
   * What serves the requests of users uses this one; the bare one is the application's own.
   *
   * @param options.from from where it acts, for the audit log: an address
   * @param options.allEndpoints whether it may grant every endpoint of its organization, whichever it reaches itself: for who may
   *   open an endpoint to everyone anyway
   * @throws PosternError `input_invalid` for what is no principal
   */
  as(
    principal: Pick<Principal<T>, 'organization' | 'owner' | 'types'> & {
      readonly tokenId?: string;
      /** Default `'personal'`: a person. */
      readonly ownership?: Ownership;
    },
    options?: { readonly from?: string | undefined; readonly allEndpoints?: boolean | undefined },
  ): Management<T> & Inspection<T>;
  /** Writes what waits, and closes the store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Makes the one object that everything goes through.
 *
 * @example
 * const postern = createPostern({ store: memoryStore() });
 * const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:write'] } } });
 * await postern.authorize({ token, requirement: { scope: 'models:read' } });   // { allowed: true, … }
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function createPostern<const T extends TokenTypes = typeof bentocloudTokenTypes>(
  options: PosternOptions<T>,
): Postern<T> {
  const ground = createGround(readOptions(options));
  const { authenticators, organization } = ground.settings;
  const host = hostOf(ground);
  const attached = authenticators.map((each) => ('attach' in each ? each.attach(host) : each));
  const { authorizer, forgetting, ...deciding } = createDeciding(ground, attached);
  let closing: Promise<void> | null = null;

  const postern: Postern = {
    ...createManaging(ground, forgetting, applicationAuthority(organization)),
    authorize: (attempt) => authorizer.authorize(attempt),
    tryAuthorize: (attempt) => authorizer.tryAuthorize(attempt),
    authenticate: (token) => authorizer.authenticate(token),
    ...createInspection(ground, authorizer, null),
    as(principal, options) {
      const authority = authorityOf(ground, principal, options);
      return {
        ...createManaging(ground, forgetting, authority),
        ...createInspection(ground, authorizer, authority.organization(undefined)),
      };
    },
    close() {
      closing ??= (async () => {
        await Promise.all(attached.map((authenticator) => authenticator.close?.()));
        await deciding.close();
        await ground.store.close();
      })();
      return closing;
    },
  };
  setInternals(postern, {
    ground,
    gate: authorizer,
    identify: (token) => authorizer.identify(token),
    attached: (authenticator) => attached[authenticators.indexOf(authenticator)] ?? null,
  });
  return Object.freeze(postern) as unknown as Postern<T>;
}

function hostOf({ settings, store, time, events }: Ground): AuthenticatorHost {
  return {
    store,
    random: settings.random,
    now: () => time.read(),
    fault: (error) => events.fault('issuer', error, time.latest),
  };
}

/**
 * Of a principal that a token proved, the grants are those it was verified with; of one that the application names itself
 * (its own session), they are looked up by name.
 */
function authorityOf(ground: Ground, principal: Parameters<Postern['as']>[0], options: unknown): Authority {
  const given = ownCopy(principal) ?? {};
  const { organization, owner, tokenId } = check(
    principalInput,
    // A person who has no token has a principal without an id.
    { organization: given.organization, owner: given.owner, tokenId: given.tokenId || undefined },
    'as, which takes a principal { organization, owner, types }',
    'input_invalid',
  );
  const { from, allEndpoints } = check(actingInput, options ?? {}, 'as', 'input_invalid');
  const verified = VerifiedPrincipal.grantsOf(principal);
  const { catalog } = ground.settings;
  const holder: Holder = {
    tokenId: tokenId ?? '',
    organization,
    owner,
    from: from ?? null,
    ownership: given.ownership === 'organization' ? 'organization' : 'personal',
    issues: VerifiedPrincipal.issues(principal),
    async grants() {
      const find = (id: string) => ground.store.findEndpoint(organization, id);
      const held = verified ?? compileGrants(await readGrants(given.types, catalog, find), catalog);
      return allEndpoints ? withAllEndpoints(held, catalog) : held;
    },
    async hasLimits() {
      const token = tokenId === undefined ? null : await ground.store.findToken(tokenId);
      return token !== null && token.limits !== null;
    },
  };
  return principalAuthority(holder, catalog);
}
