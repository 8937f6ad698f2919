import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';

const TYPES = { user: { endpoints: ['a', 'b'] }, developer: { scopes: ['models:read'] } } as const;
const DEAD = [{ type: 'user', endpoint: 'a' }];

/** A token that was granted `a` and `b`. Then `a` was deleted and, by default, made again. */
async function bereaved({ again = true } = {}) {
  const made = createTestPostern();
  const { endpoints, tokens } = made.postern;
  for (const id of ['a', 'b']) await endpoints.create({ id, access: 'protected' });
  const { token, record } = await tokens.create({ name: 'caller', types: TYPES });
  expect(record).not.toHaveProperty('deadGrants');
  await endpoints.delete('a');
  if (again) await endpoints.create({ id: 'a', access: 'protected' });
  const ask = async (endpoint: string) => verdict(await made.postern.authorize({ token, requirement: { endpoint } }));
  return { ...made, tokens, endpoints, token, id: record.id, ask };
}

describe('a grant of a deleted endpoint', () => {
  test.each([true, false])(
    'is marked as dead wherever the record is shown (endpoint made again: %s)',
    async (again) => {
      const { tokens, endpoints, id, ask } = await bereaved({ again });
      const shown = [
        await tokens.get(id),
        (await tokens.list()).items[0],
        (await tokens.list({ organization: '*', search: 'caller' })).items[0],
        await tokens.update(id, { name: 'still' }),
        (await tokens.rotate(id, { grace: '1h' })).record,
        (await endpoints.preview('b', { access: 'private' })).lose[0]?.record,
      ];
      for (const record of shown) expect(record).toMatchObject({ types: TYPES, deadGrants: DEAD });
      expect(await ask('a')).toBe(again ? 'endpoint_not_granted' : 'endpoint_unknown');
      expect(await ask('b')).toBe('allowed');
    },
  );

  test('costs a page of 51 tokens one read of the endpoints', async () => {
    const { tokens, store } = await bereaved();
    for (let index = 0; index < 50; index++) await tokens.create({ name: `t${index}`, types: TYPES });
    store.calls.clear();
    const { items } = await tokens.list();
    expect(items.filter(({ deadGrants }) => deadGrants)).toHaveLength(1);
    // The tokens are read in two parts.
    expect([store.count('listTokens'), store.count('findEndpoints'), store.count()]).toEqual([2, 1, 3]);
  });

  test('is dropped by an update without it, and renewed by an update that names it', async () => {
    const dropping = await bereaved();
    const dropped = await dropping.tokens.update(dropping.id, { types: { user: { endpoints: ['b'] } } });
    expect(dropped).not.toHaveProperty('deadGrants');
    expect(await dropping.ask('a')).toBe('endpoint_not_granted');
    const renewing = await bereaved();
    expect(await renewing.tokens.update(renewing.id, { types: TYPES })).not.toHaveProperty('deadGrants');
    expect(await renewing.tokens.get(renewing.id)).not.toHaveProperty('deadGrants');
    expect(await renewing.ask('a')).toBe('allowed');
  });

  test('is refused by an update that names it if no endpoint has the name, and nothing changes', async () => {
    const { tokens, id } = await bereaved({ again: false });
    const refused = await refusal(tokens.update(id, { types: TYPES }));
    expect(refused).toMatchObject({ code: 'endpoint_unknown', path: 'types.user.endpoints.0' });
    expect(await tokens.get(id)).toMatchObject({ types: TYPES, deadGrants: DEAD });
  });

  test('is not renewed by its own token, which does not reach the new endpoint', async () => {
    const { postern, token, id, ask } = await bereaved();
    const found = await postern.authenticate(token);
    if (!found.ok) throw new Error(found.reason);
    const own = postern.as(found.principal);
    for (const work of [
      own.tokens.update(id, { types: { user: { endpoints: ['a'] } } }),
      own.tokens.create({ name: 'child', types: { user: { endpoints: ['a'] } } }),
    ]) {
      expect(await refusal(work)).toMatchObject({ code: 'endpoint_not_granted' });
    }
    expect(await ask('a')).toBe('endpoint_not_granted');
  });

  test('stays dead after other edits and after each new endpoint of the name', async () => {
    const { tokens, endpoints, id, ask } = await bereaved({ again: false });
    await tokens.update(id, { name: 'x', metadata: { a: 1 }, expiresIn: '90d' });
    for (let round = 0; round < 3; round++) {
      await endpoints.create({ id: 'a', access: 'protected' });
      expect(await tokens.get(id)).toMatchObject({ deadGrants: DEAD });
      expect(await ask('a')).toBe('endpoint_not_granted');
      await endpoints.delete('a');
    }
  });

  test('is missing from the endpoints of an introspection, and listed as dead', async () => {
    const { postern, token } = await bereaved();
    expect(await postern.introspect(token)).toMatchObject({ endpoints: ['b'], deadEndpoints: ['a'] });
    const { postern: sound } = createTestPostern();
    await sound.endpoints.create({ id: 'a', access: 'protected' });
    const all = await sound.tokens.create({ name: 'all', types: { user: { endpoints: '*' } } });
    expect(await sound.introspect(all.token)).toMatchObject({ endpoints: '*', deadEndpoints: [] });
  });

  test('is explained as a grant of an earlier endpoint', async () => {
    const { postern, token } = await bereaved();
    const { steps, remedy } = await postern.explain({ token, requirement: { endpoint: 'a' } });
    expect(steps.at(-1)?.detail).toContain('an earlier endpoint "a", which was deleted');
    expect(remedy?.types).toEqual({ user: { endpoints: ['a'] } });
  });

  test('is not marked on a token of another organization with an endpoint of that name', async () => {
    const { tokens, endpoints, id } = await bereaved({ again: false });
    await endpoints.create({ id: 'a', access: 'protected' }, { organization: 'other' });
    const theirs = await tokens.create({
      name: 'theirs',
      organization: 'other',
      types: { user: { endpoints: ['a'] } },
    });
    const { items } = await tokens.list({ organization: '*' });
    expect(items.map(({ id, deadGrants = [] }) => [id, deadGrants])).toEqual(
      expect.arrayContaining([
        [theirs.record.id, []],
        [id, DEAD],
      ]),
    );
  });
});

test('a rotation that can not read the dead grants changes nothing, and the old secret works', async () => {
  const { tokens, store, id, ask } = await bereaved();
  store.fail('findEndpoints', 'reject');
  expect(await refusal(tokens.rotate(id))).toMatchObject({ code: 'unavailable' });
  store.mend();
  expect(await ask('b')).toBe('allowed');
});
