import {
  type Authenticator,
  createPostern,
  memoryRateLimiter,
  memoryStore,
  type Postern,
  type Principal,
  type PrincipalOf,
  type RegisteredRequirement,
  type ScopesOf,
} from 'postern';
import type { Store } from 'postern/store';

/** What compiles, and what must not, with the default token types. Compiled by `types.test.ts`; never run. */
const postern = createPostern({ store: memoryStore() });

export async function requirements(token: string | undefined): Promise<void> {
  await postern.authorize({ token, requirement: { endpoint: 'summarizer' } });
  await postern.authorize({ token, zone: 'internal', requirement: { endpoint: 'summarizer', organization: 'acme' } });
  await postern.authorize({ token, requirement: { scope: 'models:read' } });
  await postern.authorize({ token, requirement: { scope: ['models:read', 'iam:write'], organization: 'acme' } });
  await postern.authorize({ token: null, requirement: { authenticated: true } });
  await postern.authorize({ token, requirement: undefined });
  await postern.authorize({ token, requirement: Object.freeze({ scope: 'models:read' } as const) });

  // @ts-expect-error no such resource
  await postern.authorize({ token, requirement: { scope: 'model:read' } });
  // @ts-expect-error no such action
  await postern.authorize({ token, requirement: { scope: 'models:delete' } });
  // @ts-expect-error one of the list is none
  await postern.authorize({ token, requirement: { scope: ['models:read', 'model:read'] } });
  // @ts-expect-error a wildcard is for grants
  await postern.authorize({ token, requirement: { scope: 'models:*' } });
  // @ts-expect-error a wildcard is for grants
  await postern.authorize({ token, requirement: { scope: '*' } });
  // @ts-expect-error two forms at once
  await postern.authorize({ token, requirement: { endpoint: 'summarizer', scope: 'models:read' } });
  // @ts-expect-error two forms at once
  await postern.authorize({ token, requirement: { scope: 'models:read', public: true } });
  // @ts-expect-error the only value is true
  await postern.authorize({ token, requirement: { authenticated: false } });
  // @ts-expect-error the only value is true
  await postern.authorize({ token, requirement: { public: false } });
  // @ts-expect-error no organization here
  await postern.authorize({ token, requirement: { authenticated: true, organization: 'acme' } });
  // @ts-expect-error a misspelt key
  await postern.authorize({ token, requirement: { scope: 'models:read', organisation: 'acme' } });
  // @ts-expect-error nothing is no requirement
  await postern.authorize({ token, requirement: {} });
  // @ts-expect-error no such zone
  await postern.authorize({ token, zone: 'inside', requirement: { public: true } });
  // @ts-expect-error no such scope, when it is prepared
  postern.prepare({ scope: 'model:read' });
}

export async function grants(): Promise<void> {
  await postern.tokens.create({
    name: 'ci',
    types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write', 'iam:*', '*'] } },
    organization: 'acme',
    owner: null,
    ownership: 'organization',
    expiresIn: '90d',
    metadata: { team: 'nlp', nested: [1, null, { a: true }] },
  });
  await postern.tokens.create({ name: 'ci', types: { user: { endpoints: '*' } }, expiresAt: new Date() });
  await postern.tokens.update('id', { types: { developer: { scopes: ['models:read'] } }, expiresAt: null });
  await postern.tokens.update('id', { expiresIn: '90d' });
  await postern.tokens.rotate('id', { grace: '1h' });
  await postern.endpoints.update('summarizer', { access: 'private' }, { organization: 'acme' });

  // @ts-expect-error no types
  await postern.tokens.create({ name: 'ci' });
  // @ts-expect-error no such type
  await postern.tokens.create({ name: 'ci', types: { robot: { scopes: ['*'] } } });
  // @ts-expect-error no such scope
  await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['model:read'] } } });
  // @ts-expect-error no such resource
  await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['model:*'] } } });
  // @ts-expect-error scopes are a list
  await postern.tokens.create({ name: 'ci', types: { developer: { scopes: '*' } } });
  // @ts-expect-error endpoints are for the other form
  await postern.tokens.create({ name: 'ci', types: { developer: { endpoints: '*' } } });
  // @ts-expect-error scopes are for the other form
  await postern.tokens.create({ name: 'ci', types: { user: { scopes: ['*'] } } });
  // @ts-expect-error no such unit
  await postern.tokens.create({ name: 'ci', types: { user: { endpoints: '*' } }, expiresIn: '1y' });
  // @ts-expect-error no JSON
  await postern.tokens.create({ name: 'ci', types: { user: { endpoints: '*' } }, metadata: { a: () => 1 } });
  // @ts-expect-error an owner is not changed
  await postern.tokens.update('id', { owner: 'eve' });
  // @ts-expect-error no such unit
  await postern.tokens.update('id', { expiresIn: '1y' });
  // @ts-expect-error no such access
  await postern.endpoints.create({ id: 'summarizer', access: 'open' });
  // @ts-expect-error no such option
  createPostern({ store: memoryStore(), hashing: false });
  // @ts-expect-error a store is needed
  createPostern({});
}

export async function outcomes(token: string): Promise<string | null> {
  const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
  // @ts-expect-error not known to be denied
  decision.reason;
  if (!decision.allowed) return decision.reason;
  // @ts-expect-error there may be none: a public endpoint needs no principal
  decision.principal.tokenId;
  // @ts-expect-error a principal is not changed
  if (decision.principal) decision.principal.organization = 'other';
  const warm = postern.tryAuthorize({ token, requirement: { scope: 'models:read' } });
  // @ts-expect-error there may be no decision without a promise
  warm.allowed;
  const known = await postern.authenticate(token);
  // @ts-expect-error not known to be ok
  known.principal;
  return known.ok ? known.principal.owner : known.reason;
}

/** An instance fits where any instance is asked for; a principal where a principal is. */
export const any: Postern = postern;
export const managed = (principal: Principal) => any.as(principal).tokens.list();

/** Where no instance is registered, every well-formed scope is taken. */
export const unregistered: RegisteredRequirement = { scope: 'anything:goes' };

/** `ScopesOf` and `PrincipalOf` name what an instance knows. */
export const scope: ScopesOf<typeof postern> = 'models:read';
// @ts-expect-error no such resource
export const noScope: ScopesOf<typeof postern> = 'model:read';
export const ownerOf = (principal: PrincipalOf<typeof postern>) => principal.types.developer?.scopes ?? principal.owner;
// @ts-expect-error no such type
export const robotOf = (principal: PrincipalOf<typeof postern>) => principal.types.robot;

/** An authenticator of one's own, in the words of `tokens.create`. */
export const sessions: Authenticator = {
  accepts: (token) => token.startsWith('eyJ'),
  authenticate: async (token) =>
    token === ''
      ? 'token_unknown'
      : { types: { developer: { scopes: ['models:read'] } }, owner: 'ada', organization: 'acme', endsAt: new Date() },
};
createPostern({ store: memoryStore(), authenticators: [sessions], rateLimiter: memoryRateLimiter() });
// @ts-expect-error an end has to be said, if only that there is none
export const endless: Authenticator = { ...sessions, authenticate: () => ({ types: {}, owner: null }) };
// @ts-expect-error no reason of an authenticator
export const judging: Authenticator = { ...sessions, authenticate: () => 'scope_missing' };
// @ts-expect-error `accepts` says what is its own
createPostern({ store: memoryStore(), authenticators: [{ authenticate: sessions.authenticate }] });
// @ts-expect-error a store has more than that
export const noStore: Store = { close: async () => {} };
