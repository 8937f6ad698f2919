import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CROWD, crowdedStore, NEEDLE } from '../support/crowd.js';
import { answerOf, init, TOKENS, world } from './world.js';

describe('an organization with very many tokens', () => {
  let store: Awaited<ReturnType<typeof crowdedStore>>;
  beforeAll(async () => {
    store = await crowdedStore();
  });

  async function crowded(among = store) {
    const { postern } = createTestPostern({ store: among });
    const { token, record } = await postern.tokens.create({ name: 'admin', types: { developer: { scopes: ['*'] } } });
    onTestFinished(() => postern.tokens.delete(record.id));
    const api = managementApi(postern, { console: false });
    const get = async (path: string) =>
      answerOf(await api(new Request(`https://acme.dev/api/v1/${path}`, init({ token }))));
    return { postern, get };
  }

  test('is searched up to a bound, with a cursor for the rest', async () => {
    const { get } = await crowded();
    const first = await get('api_tokens?search=needle');
    expect(first.body).toMatchObject({ start: 0, total: 0, more: true, items: [], next_cursor: expect.any(String) });
    const second = await get(`api_tokens?search=needle&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({ items: [{ uid: NEEDLE }], next_cursor: null });
  });

  test('is listed with a total up to a bound, and paged by number to its end', async () => {
    const { get } = await crowded();
    const { body } = await get(`api_tokens?start=${CROWD}&count=5`);
    expect(body).toMatchObject({ start: CROWD, total: CROWD + 1, more: true, next_cursor: null });
    expect(body.items.map(({ uid }: { uid: string }) => uid)).toEqual([NEEDLE]);
  });

  test('is read to its end by a client that pages by number until the total, like BentoCloud’s', async () => {
    const { get } = await crowded(await crowdedStore({ count: 11_000 }));
    const seen = new Set<string>();
    let total = Number.POSITIVE_INFINITY;
    for (let start = 9_000; start < total; start += 500) {
      const { body } = await get(`api_tokens?start=${start}&count=500`);
      for (const { uid } of body.items) seen.add(uid);
      total = body.total;
    }
    // The newest one is the caller's own.
    expect([seen.size, seen.has(NEEDLE), total]).toEqual([2_001, true, 11_001]);
  });

  test('refuses a search by number beyond the bound, with the parameter of the wire', async () => {
    const { get } = await crowded();
    const refused = await get('api_tokens?search=straw&start=10001');
    expect([refused.status, refused.body.code]).toEqual([400, 'input_invalid']);
    expect(refused.body).toMatchObject({ path: 'start', detail: expect.stringContaining('use the cursor') });
  });

  test('has a preview that says it is incomplete', async () => {
    const { postern, get } = await crowded();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { body } = await get('endpoints/a/preview?access=private');
    expect(body).toMatchObject({ gain_count: 0, more: true });
    expect(body.lose_count).toBeGreaterThan(40_000);
    expect(body.lose).toHaveLength(100);
    await postern.endpoints.delete('a');
  });
});

describe('grants of a deleted endpoint', () => {
  async function bereaved() {
    const made = await world();
    await made.postern.endpoints.delete('a');
    await made.postern.endpoints.create({ id: 'a', access: 'protected' });
    const uid = made.tokens.user?.id as string;
    return { ...made, uid, path: `${TOKENS}/${uid}` };
  }
  const DEAD = [{ type: 'user', endpoint: 'a' }];

  test('are marked in every answer that shows the token', async () => {
    const { ask, path, uid } = await bereaved();
    const listed = await ask(`${TOKENS}?search=user`, { token: 'admin' });
    expect(listed.body.items).toMatchObject([{ uid, types: { user: { endpoints: ['a'] } }, dead_grants: DEAD }]);
    expect((await ask(path, { token: 'admin' })).body.dead_grants).toEqual(DEAD);
    const renamed = await ask(path, { method: 'PATCH', token: 'admin', json: { name: 'renamed' } });
    expect(renamed.body).toMatchObject({ name: 'renamed', dead_grants: DEAD });
    const revoked = await ask(`${path}/revoke`, { method: 'POST', token: 'admin', json: {} });
    expect(revoked.body.dead_grants).toEqual(DEAD);
    const sound = await ask(`${TOKENS}?search=everywhere`, { token: 'admin' });
    expect(sound.body.items).toMatchObject([{ dead_grants: [] }]);
  });

  test('are dropped or renewed by an update of the grants', async () => {
    const { ask, path, postern } = await bereaved();
    const types = { user: { endpoints: ['b'] } };
    const dropped = await ask(path, { method: 'PATCH', token: 'everyone', json: { types } });
    expect(dropped.status).toBe(401);
    // To grant endpoints a caller must reach them: `everywhere` reaches all, and may not manage tokens.
    const { token } = await postern.tokens.create({
      name: 'all',
      owner: 'admin',
      types: { developer: { scopes: ['*'] }, user: { endpoints: '*' } },
    });
    const first = await ask(path, { method: 'PATCH', token, json: { types } });
    expect(first.body).toMatchObject({ types, dead_grants: [] });
    const renewed = await ask(path, { method: 'PATCH', token, json: { types: { user: { endpoints: ['a'] } } } });
    expect(renewed.body).toMatchObject({ types: { user: { endpoints: ['a'] } }, dead_grants: [] });
  });

  test('are listed apart in an introspection', async () => {
    const { ask, tokens } = await bereaved();
    const introspect = async (token: string) =>
      (await ask('/oauth/introspect', { method: 'POST', token: 'admin', form: { token: tokens[token]?.token ?? '' } }))
        .body;
    expect(await introspect('user')).toMatchObject({ active: true, endpoints: [], dead_endpoints: ['a'] });
    expect(await introspect('everywhere')).not.toHaveProperty('dead_endpoints');
  });
});
