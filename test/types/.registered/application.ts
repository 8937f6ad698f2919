import { createPostern, memoryStore, type RegisteredPrincipal, type RegisteredRequirement, scopeAccess } from 'postern';

export const postern = createPostern({
  store: memoryStore(),
  tokenTypes: { robot: scopeAccess({ arm: { look: [], move: ['look'] } }) },
});

declare module 'postern' {
  interface Register {
    postern: typeof postern;
  }
}

export const right: RegisteredRequirement = { scope: 'arm:move' };
export const both: RegisteredRequirement = { scope: ['arm:move', 'arm:look'], organization: 'acme' };
export const endpoint: RegisteredRequirement = { endpoint: 'gripper' };

// @ts-expect-error the default types are not this application's
export const ofTheDefaults: RegisteredRequirement = { scope: 'models:read' };

// @ts-expect-error no such action
export const misspelt: RegisteredRequirement = { scope: 'arm:lok' };

export function grantsOf(principal: RegisteredPrincipal): readonly string[] | undefined {
  // @ts-expect-error no such type
  principal.types.developer;
  return principal.types.robot?.scopes;
}
