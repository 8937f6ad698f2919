import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';

describe('the registry of endpoints', () => {
  test('creates, gets, lists, updates and deletes', async () => {
    const { postern, clock } = createTestPostern({ organization: 'home' });
    const made = await postern.endpoints.create({ id: 'a', access: 'protected' });
    expect(made).toEqual({
      id: 'a',
      organization: 'home',
      access: 'protected',
      createdAt: new Date(START),
      updatedAt: new Date(START),
    });
    clock.advance(5);
    const updated = await postern.endpoints.update('a', { access: 'private' });
    expect(updated).toEqual({ ...made, access: 'private', updatedAt: new Date(START + 5) });
    expect(await postern.endpoints.get('a')).toEqual(updated);
    expect(await postern.endpoints.list()).toEqual({ items: [updated], nextCursor: null });
    await postern.endpoints.delete('a');
    await postern.endpoints.delete('a');
    expect(await postern.endpoints.get('a')).toBeNull();
  });

  test('keeps the same id in two organizations apart', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'public' });
    await postern.endpoints.create({ id: 'a', access: 'protected', organization: 'other' });
    await postern.endpoints.update('a', { access: 'private' }, { organization: 'other' });
    expect(await postern.endpoints.get('a')).toMatchObject({ organization: 'default', access: 'public' });
    expect(await postern.endpoints.get('a', { organization: 'other' })).toMatchObject({ access: 'private' });
    await postern.endpoints.delete('a', { organization: 'other' });
    expect(await postern.endpoints.get('a')).not.toBeNull();
  });

  test('lists by id, in code unit order', async () => {
    const { postern } = createTestPostern();
    for (const id of ['b', 'B', 'a', '10', '9', 'a.b', 'a-b']) await postern.endpoints.create({ id, access: 'public' });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: readonly { id: string }[]; nextCursor: string | null } = await postern.endpoints.list({
        limit: 3,
        cursor,
      });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(['10', '9', 'B', 'a', 'a-b', 'a.b', 'b']);
  });

  test('writes nothing if an update changes nothing', async () => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'public' });
    await postern.endpoints.update('a', {});
    await postern.endpoints.update('a', { access: 'public' });
    expect(store.count('replaceEndpoint')).toBe(0);
  });
});

describe('an invalid call for an endpoint', () => {
  test.each([
    [{ id: '', access: 'public' }, 'input_invalid', 'id'],
    [{ id: 'a/b', access: 'public' }, 'input_invalid', 'id'],
    [{ id: '-a', access: 'public' }, 'input_invalid', 'id'],
    [{ id: 'a'.repeat(101), access: 'public' }, 'input_invalid', 'id'],
    [{ access: 'public' }, 'input_invalid', 'id'],
    [{ id: 'a' }, 'input_invalid', 'access'],
    [{ id: 'a', access: 'Public' }, 'input_invalid', 'access'],
    [{ id: 'a', access: 'public', organization: '*' }, 'input_invalid', 'organization'],
    [{ id: 'a', access: 'public', uid: 'x' }, 'option_unknown', 'uid'],
    [null, 'input_invalid', undefined],
  ])('create(%j) is refused, and nothing is written', async (input, code, path) => {
    const { postern, store } = createTestPostern();
    expect(await refusal(postern.endpoints.create(input as never))).toMatchObject({ code, path });
    expect(store.count()).toBe(0);
  });

  test('that creates an existing id is refused', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'private' });
    expect(await refusal(postern.endpoints.create({ id: 'a', access: 'public' }))).toMatchObject({
      code: 'endpoint_exists',
      path: 'id',
    });
    expect(await postern.endpoints.get('a')).toMatchObject({ access: 'private' });
  });

  test('that updates a missing endpoint or names an unknown access is refused', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'private' });
    expect((await refusal(postern.endpoints.update('b', { access: 'public' }))).code).toBe('endpoint_unknown');
    expect((await refusal(postern.endpoints.update('../a', { access: 'public' }))).code).toBe('endpoint_unknown');
    expect((await refusal(postern.endpoints.update('a', { access: 'open' as never }))).path).toBe('access');
    expect((await refusal(postern.endpoints.update('a', { acess: 'public' } as never))).code).toBe('option_unknown');
    expect((await refusal(postern.endpoints.update('a', { access: 'public' }, { org: 'x' } as never))).code).toBe(
      'option_unknown',
    );
    expect(await postern.endpoints.get('a')).toMatchObject({ access: 'private' });
  });

  test('with an invalid id returns null, without a read', async () => {
    const { postern, store } = createTestPostern();
    for (const id of ['', '../x', 'a\0', 5, null]) {
      expect(await postern.endpoints.get(id as never)).toBeNull();
      await postern.endpoints.delete(id as never);
    }
    expect(store.count()).toBe(0);
  });

  test('that updates and keeps losing to faster updates gives up with a conflict', async () => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'private' });
    store.answer('findEndpoint', (real) => ({ ...(real as object), version: 0 }));
    expect((await refusal(postern.endpoints.update('a', { access: 'public' }))).code).toBe('conflict');
    store.mend();
    expect(await postern.endpoints.get('a')).toMatchObject({ access: 'private' });
  });
});

test('a change of access is seen by the next call', async () => {
  const { postern } = createTestPostern();
  await postern.endpoints.create({ id: 'a', access: 'protected' });
  const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
  const anonymous = async () => verdict(await postern.authorize({ requirement: { endpoint: 'a' } }));
  const holder = async () => verdict(await postern.authorize({ token, requirement: { endpoint: 'a' } }));
  expect([await anonymous(), await holder()]).toEqual(['token_missing', 'allowed']);
  await postern.endpoints.update('a', { access: 'public' });
  expect([await anonymous(), await holder()]).toEqual(['allowed', 'allowed']);
  await postern.endpoints.update('a', { access: 'private' });
  expect([await anonymous(), await holder()]).toEqual(['endpoint_private', 'endpoint_private']);
  await postern.endpoints.update('a', { access: 'protected' });
  expect([await anonymous(), await holder()]).toEqual(['token_missing', 'allowed']);
});
