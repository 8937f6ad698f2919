import type { Postern } from 'postern';
import { createTestPostern, type TestClock } from 'postern/testing';

/** One organization with deployments and tokens, and a store that can fail. The clock stands still. */
export interface World {
  readonly postern: Postern;
  readonly tokens: Readonly<Record<TokenName, string>>;
  /** Makes every call of the store fail, or none. */
  storeIsDown(down: boolean): void;
  readonly clock: TestClock;
}

export type TokenName =
  | 'user'
  | 'developer'
  | 'all'
  | 'otherEndpoint'
  | 'otherOrganization'
  | 'otherOrganizationDeveloper'
  | 'revoked'
  | 'expired'
  | 'rotated'
  | 'neverSeen'
  | 'wrongChecksum'
  | 'deleted';

export async function createWorld(): Promise<World> {
  const { postern, clock, store } = createTestPostern({ organization: 'mybentocloud', cache: false });
  const { endpoints, tokens } = postern;

  await endpoints.create({ id: 'summarizer', access: 'protected' });
  await endpoints.create({ id: 'translator', access: 'protected' });
  await endpoints.create({ id: 'status', access: 'public' });
  await endpoints.create({ id: 'metrics', access: 'private' });
  await endpoints.create({ id: 'summarizer', access: 'protected' }, { organization: 'other' });

  const make = async (types: Parameters<typeof tokens.create>[0]['types'], more = {}) =>
    tokens.create({ name: 'test', owner: 'user', types, ...more });
  const user = await make({ user: { endpoints: ['summarizer'] } });
  const developer = await make({ developer: { scopes: ['models:write'] } });
  const all = await make({ user: { endpoints: '*' }, developer: { scopes: ['*'] } });
  const otherEndpoint = await make({ user: { endpoints: ['translator'] } });
  const otherOrganization = await make({ user: { endpoints: '*' } }, { organization: 'other' });
  const otherOrganizationDeveloper = await make({ developer: { scopes: ['*'] } }, { organization: 'other' });
  const revoked = await make({ user: { endpoints: '*' }, developer: { scopes: ['*'] } });
  await tokens.revoke(revoked.record.id);
  const expired = await make({ user: { endpoints: '*' }, developer: { scopes: ['*'] } }, { expiresIn: '1h' });
  const rotated = await make({ user: { endpoints: '*' } });
  await tokens.rotate(rotated.record.id);
  const deleted = await make({ user: { endpoints: '*' } });
  await tokens.delete(deleted.record.id);
  const neverSeen = await createTestPostern().postern.tokens.create({
    name: 'elsewhere',
    types: { user: { endpoints: '*' } },
  });
  clock.advance(3_600_000);

  return {
    postern,
    clock,
    storeIsDown: (down) => (down ? store.failAll(new Error('connect ECONNREFUSED 10.1.2.3:5432')) : store.mend()),
    tokens: {
      user: user.token,
      developer: developer.token,
      all: all.token,
      otherEndpoint: otherEndpoint.token,
      otherOrganization: otherOrganization.token,
      otherOrganizationDeveloper: otherOrganizationDeveloper.token,
      revoked: revoked.token,
      expired: expired.token,
      rotated: rotated.token,
      deleted: deleted.token,
      neverSeen: neverSeen.token,
      wrongChecksum: user.token.slice(0, -1) + (user.token.endsWith('0') ? '1' : '0'),
    },
  };
}
