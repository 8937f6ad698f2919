import { describe, expect, test } from 'vitest';
import { world } from './world.js';

const DAY = 86_400_000;

async function used() {
  const made = await world();
  const use = async (name: string, requirement: object) => {
    const { token } = made.tokens[name] as { token: string };
    await made.postern.authorize({ token, requirement } as never);
  };
  await use('user', { endpoint: 'a' });
  await use('user', { endpoint: 'a' });
  await use('modeller', { scope: 'models:read' });
  await use('other-user', { endpoint: 'a', organization: 'other' });
  made.clock.advance(DAY);
  await use('user', { endpoint: 'a' });
  await made.postern.flush();
  return made;
}

const ofUser = [
  { day: '2026-01-01', endpoint: 'a', scopes: [], count: 2 },
  { day: '2026-01-02', endpoint: 'a', scopes: [], count: 1 },
];

describe('usage by day', () => {
  test('of a token', async () => {
    const { ask, tokens } = await used();
    const path = `/api/v1/api_tokens/${tokens.user?.id}/usage`;
    expect((await ask(`${path}?by=day`, { token: 'reader' })).body).toEqual({ items: ofUser });
    const only = await ask(`${path}?by=day&from=2026-01-02&to=2026-01-02`, { token: 'reader' });
    expect(only.body.items).toEqual(ofUser.slice(1));
    expect((await ask(path, { token: 'reader' })).body.items).toMatchObject([{ endpoint: 'a', count: 3 }]);
    expect((await ask(`${path}?by=day`, { token: 'other-admin' })).status).toBe(404);
    expect((await ask(`${path}?by=day`, { person: 'ada' })).body).toEqual({ items: ofUser });
    expect((await ask(`${path}?by=day`, { person: 'bob' })).status).toBe(404);
  });

  test('of the organization, to those who may see its tokens', async () => {
    const { ask } = await used();
    const { body } = await ask('/api/v1/usage?to=2026-01-01', { token: 'reader' });
    expect(body.items).toContainEqual(ofUser[0]);
    expect(body.items).toContainEqual({ day: '2026-01-01', endpoint: null, scopes: ['models:read'], count: 1 });
    expect((await ask('/api/v1/usage?from=2026-01-02', { token: 'reader' })).body.items).toContainEqual(ofUser[1]);
    for (const who of [{ token: 'modeller' }, { token: 'user' }, { person: 'ada' }]) {
      expect((await ask('/api/v1/usage', who)).status).toBe(403);
    }
    const other = await ask('/api/v1/usage', { token: 'other-admin' });
    expect(other.body.items).toContainEqual({ day: '2026-01-01', endpoint: 'a', scopes: [], count: 1 });
  });

  test.each(['from=yesterday', 'to=2026-02-30', 'by=week', 'from=2026-01-01T00:00:00Z'])(
    'refuses %s',
    async (query) => {
      const { ask, tokens } = await used();
      const refused = await ask(`/api/v1/api_tokens/${tokens.user?.id}/usage?${query}`, { token: 'reader' });
      expect([refused.status, refused.body.path]).toEqual([400, query.split('=', 1)[0]]);
    },
  );
});
