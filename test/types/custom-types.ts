import { createPostern, endpointAccess, memoryStore, type PrincipalOf, type ScopesOf, scopeAccess } from 'postern';

/** The same with token types of one's own. */
const postern = createPostern({
  store: memoryStore(),
  tokenTypes: {
    visitor: endpointAccess(),
    clerk: scopeAccess({ orders: { read: [], write: ['read'] }, stock: { count: [] } }),
    boss: scopeAccess({ payroll: { read: [], pay: ['read'] } }),
  },
});

export async function right(token: string): Promise<readonly string[] | undefined> {
  await postern.authorize({ token, requirement: { scope: ['orders:write', 'payroll:pay', 'stock:count'] } });
  const { record } = await postern.tokens.create({
    name: 'x',
    types: { visitor: { endpoints: ['a'] }, clerk: { scopes: ['orders:*'] }, boss: { scopes: ['payroll:read'] } },
  });
  const explanation = await postern.explain({ token, requirement: { scope: 'orders:read' } });
  return explanation.remedy?.types.clerk?.scopes ?? record.types.boss?.scopes;
}

export async function wrong(token: string): Promise<void> {
  // @ts-expect-error the default types are not there
  await postern.authorize({ token, requirement: { scope: 'models:read' } });
  // @ts-expect-error an action of another resource
  await postern.authorize({ token, requirement: { scope: 'orders:count' } });
  // @ts-expect-error a scope of another type
  await postern.tokens.create({ name: 'x', types: { clerk: { scopes: ['payroll:read'] } } });
  // @ts-expect-error a resource of another type
  await postern.tokens.create({ name: 'x', types: { boss: { scopes: ['orders:*'] } } });
  // @ts-expect-error the default types are not there
  await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });

  // @ts-expect-error an included action that there is not
  scopeAccess({ orders: { read: [], write: ['raed'] } });
  // @ts-expect-error an included action of another resource
  scopeAccess({ orders: { read: [] }, stock: { count: ['read'] } });
  // @ts-expect-error a type that nothing made
  createPostern({ store: memoryStore(), tokenTypes: { visitor: {} } });
}

type Scope = ScopesOf<typeof postern>;
export const scopes: Readonly<Record<Scope, true>> = {
  'orders:read': true,
  'orders:write': true,
  'stock:count': true,
  'payroll:read': true,
  'payroll:pay': true,
};
export const needed = (scope: Scope) => postern.authorize({ requirement: { scope } });

export function named(principal: PrincipalOf<typeof postern>): readonly string[] | undefined {
  // @ts-expect-error the default types are not there
  principal.types.developer;
  // @ts-expect-error clerks have scopes
  principal.types.clerk?.endpoints;
  return principal.types.clerk?.scopes ?? principal.grants.scopes;
}
export async function known(token: string): Promise<PrincipalOf<typeof postern> | null> {
  const answer = await postern.authenticate(token);
  return answer.ok ? answer.principal : null;
}

// @ts-expect-error a wildcard is for grants
export const wildcard: Scope = 'orders:*';
// @ts-expect-error the default types are not there
export const ofTheDefaults: Scope = 'models:read';
// @ts-expect-error no such action
export const misspelt: Scope = 'orders:raed';
// @ts-expect-error nothing that is no instance has scopes
export type OfNothing = ScopesOf<{ tokens: true }>;
// @ts-expect-error nothing that is no instance has principals
export type Nobody = PrincipalOf<string>;
