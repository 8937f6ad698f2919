import { type Access, createPostern, type EventListener, type IssuedToken, type TokenRecord } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';

export const ORGANIZATION = 'mybentocloud';

/** The deployments, and who may call them. */
export const ENDPOINTS: readonly { readonly id: string; readonly access: Access; readonly meaning: string }[] = [
  { id: 'summarizer', access: 'protected', meaning: 'a valid token that reaches it' },
  { id: 'status', access: 'public', meaning: 'anyone' },
  { id: 'metrics', access: 'private', meaning: 'callers inside the cluster only; to others it does not exist' },
];

/** The postern of the demo: a SQLite file, BentoCloud's token types (the default), one organization. */
export function openPostern(filename: string, onEvent: EventListener) {
  return createPostern({ store: sqliteStore({ filename }), organization: ORGANIZATION, onEvent });
}

export type DemoPostern = ReturnType<typeof openPostern>;

/** Registers the deployments; a database that was kept from an earlier run has them already. */
export async function registerEndpoints({ endpoints }: DemoPostern): Promise<void> {
  for (const { id, access } of ENDPOINTS) {
    if ((await endpoints.get(id)) === null) await endpoints.create({ id, access });
    else await endpoints.update(id, { access });
  }
}

export interface DemoTokens {
  readonly user: IssuedToken;
  readonly developer: IssuedToken;
  readonly both: IssuedToken;
}

export async function createTokens({ tokens }: DemoPostern): Promise<DemoTokens> {
  return {
    user: await tokens.create({
      name: 'chat-app',
      description: 'calls the summarizer',
      owner: 'user',
      types: { user: { endpoints: ['summarizer'] } },
    }),
    developer: await tokens.create({
      name: 'ci',
      description: 'nightly build',
      owner: 'user',
      ownership: 'organization',
      types: { developer: { scopes: ['models:write'] } },
      expiresIn: '90d',
    }),
    both: await tokens.create({
      name: 'notebook',
      description: 'tries things out',
      owner: 'user',
      types: { user: { endpoints: '*' }, developer: { scopes: ['models:*'] } },
    }),
  };
}

/** What a token may do, in words. */
export function describeGrants({ types }: TokenRecord): string {
  const { user, developer } = types as DemoGrants;
  return [
    user && `user: reaches ${user.endpoints === '*' ? 'every protected deployment' : user.endpoints.join(', ')}`,
    developer && `developer: holds ${developer.scopes.join(', ')}`,
  ]
    .filter(Boolean)
    .join('; ');
}

interface DemoGrants {
  readonly user?: { readonly endpoints: '*' | readonly string[] };
  readonly developer?: { readonly scopes: readonly string[] };
}
