import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const can = { scope: 'models:read' } as const;

describe('get and list', () => {
  test('an invalid id is not found, without a read', async () => {
    const { postern, store } = createTestPostern();
    for (const id of ['', '../x', 'a b', 'x'.repeat(65), '%', "'; --", 5, null, undefined, {}]) {
      expect(await postern.tokens.get(id as never)).toBeNull();
    }
    expect(store.count()).toBe(0);
    expect(await postern.tokens.get('0000000000000000000000')).toBeNull();
  });

  test('list pages newest first and returns each token once, also while others are made', async () => {
    const { postern, clock } = createTestPostern();
    const make = async (name: string) => (await postern.tokens.create({ name, types })).record.name;
    const names: string[] = [];
    for (let i = 0; i < 7; i++) {
      names.unshift(await make(`t${i}`));
      if (i % 2) clock.advance(1);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: readonly { name: string }[]; nextCursor: string | null } = await postern.tokens.list({
        limit: 2,
        cursor,
      });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
      clock.advance(1);
      await make('later');
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(names.toSorted());
    expect(seen.map((name) => Math.floor(Number(name.slice(1)) / 2))).toEqual([3, 2, 2, 1, 1, 0, 0]);
  });

  test('list filters by organization, owner, type and text', async () => {
    const { postern } = createTestPostern();
    await postern.tokens.create({ name: 'Alpha_1', owner: 'ada', types });
    await postern.tokens.create({ name: 'beta', description: '100% ALPHA', types: { user: { endpoints: '*' } } });
    await postern.tokens.create({ name: 'gamma', organization: 'other', owner: 'ada', types });
    const names = async (query: object) => (await postern.tokens.list(query)).items.map(({ name }) => name).toSorted();
    expect(await names({})).toEqual(['Alpha_1', 'beta']);
    expect(await names({ organization: 'other' })).toEqual(['gamma']);
    expect(await names({ organization: '*' })).toEqual(['Alpha_1', 'beta', 'gamma']);
    expect(await names({ organization: '*', owner: 'ada' })).toEqual(['Alpha_1', 'gamma']);
    expect(await names({ type: 'user' })).toEqual(['beta']);
    expect(await names({ search: 'alpha' })).toEqual(['Alpha_1', 'beta']);
    expect(await names({ search: 'a_1' })).toEqual(['Alpha_1']);
    expect(await names({ search: '%' })).toEqual(['beta']);
    expect(await names({ search: '' })).toEqual(['Alpha_1', 'beta']);
  });

  test.each([
    [{ limit: 0 }, 'input_invalid', 'limit'],
    [{ limit: 1001 }, 'input_invalid', 'limit'],
    [{ limit: 1.5 }, 'input_invalid', 'limit'],
    [{ limit: '5' }, 'input_invalid', 'limit'],
    [{ cursor: 'x' }, 'input_invalid', 'cursor'],
    [{ cursor: '1-../../' }, 'input_invalid', 'cursor'],
    [{ cursor: 5 }, 'input_invalid', 'cursor'],
    [{ organization: '' }, 'input_invalid', 'organization'],
    [{ owner: '' }, 'input_invalid', 'owner'],
    [{ search: 'x'.repeat(201) }, 'input_invalid', 'search'],
    [{ org: 'x' }, 'option_unknown', 'org'],
  ])('list refuses %j', async (query, code, path) => {
    expect(await refusal(createTestPostern().postern.tokens.list(query as never))).toMatchObject({ code, path });
  });
});

describe('update', () => {
  test('changes the given fields only', async () => {
    const { postern, clock } = createTestPostern();
    const { token, record } = await postern.tokens.create({
      name: 'x',
      description: 'd',
      types,
      metadata: { a: 1 },
      expiresIn: '1h',
    });
    clock.advance(1000);
    const updated = await postern.tokens.update(record.id, {
      name: 'y',
      types: { developer: { scopes: ['iam:read'] } },
    });
    expect(updated).toEqual({
      ...record,
      name: 'y',
      types: { developer: { scopes: ['iam:read'] } },
      updatedAt: new Date(START + 1000),
    });
    expect(await postern.tokens.get(record.id)).toEqual(updated);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('scope_missing');
    expect(await postern.tokens.update(record.id, { expiresAt: null, description: '', metadata: {} })).toMatchObject({
      expiresAt: null,
      description: '',
      metadata: {},
    });
  });

  test('counts a new lifetime from the update', async () => {
    const { postern, clock } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types, expiresIn: '2h' });
    clock.advance(3_600_000);
    const updated = await postern.tokens.update(record.id, { expiresIn: '30m' });
    expect(updated.expiresAt).toEqual(new Date(START + 5_400_000));
    clock.advance(1_800_000);
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test('without changes writes nothing', async () => {
    const { postern, store } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types });
    expect(await postern.tokens.update(record.id, {})).toEqual(record);
    expect(await postern.tokens.update(record.id, { name: undefined })).toEqual(record);
    expect(store.count('replaceToken')).toBe(0);
  });

  test.each([
    [{ name: '' }, 'input_invalid', 'name'],
    [{ types: {} }, 'types_missing', 'types'],
    [{ types: null }, 'types_missing', 'types'],
    [{ types: { developer: { scopes: ['x:y'] } } }, 'scope_unknown', 'types.developer.scopes.0'],
    [{ expiresAt: new Date(START) }, 'expiry_past', 'expiresAt'],
    [{ metadata: null }, 'input_invalid', 'metadata'],
    [{ owner: 'eve' }, 'option_unknown', 'owner'],
    [{ organization: 'other' }, 'option_unknown', 'organization'],
    [{ revokedAt: null }, 'option_unknown', 'revokedAt'],
    [{ expiresIn: '0s' }, 'expiry_past', 'expiresIn'],
    [{ expiresIn: 'soon' }, 'input_invalid', 'expiresIn'],
    [{ expiresIn: '1h', expiresAt: null }, 'input_invalid', 'expiresIn'],
  ])('%j is refused, and nothing is written', async (changes, code, path) => {
    const { postern, store } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types });
    expect(await refusal(postern.tokens.update(record.id, changes as never))).toMatchObject({ code, path });
    expect(store.count('replaceToken')).toBe(0);
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });

  test('does not revive an expired or revoked token', async () => {
    const { postern, clock } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    const revoked = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.revoke(revoked.record.id);
    clock.advance(3_600_000);
    for (const end of [{ expiresAt: null }, { expiresAt: new Date(START + 7_200_000) }, { expiresIn: '1h' }] as const) {
      expect((await refusal(postern.tokens.update(record.id, end))).code).toBe('token_expired');
    }
    expect((await postern.tokens.update(record.id, { name: 'renamed' })).name).toBe('renamed');
    await postern.tokens.update(revoked.record.id, { name: 'renamed', expiresAt: null, types });
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_expired' });
    expect(await postern.authenticate(revoked.token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test('of an unknown token is refused', async () => {
    const { postern } = createTestPostern();
    for (const id of ['0000000000000000000000', '', 5]) {
      expect(await refusal(postern.tokens.update(id as never, { name: 'x' }))).toMatchObject({
        code: 'token_unknown',
        path: 'id',
      });
    }
  });

  test('keeps both of two concurrent changes', async () => {
    const { postern } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types });
    await Promise.all([
      postern.tokens.update(record.id, { name: 'y' }),
      postern.tokens.update(record.id, { description: 'z' }),
    ]);
    expect(await postern.tokens.get(record.id)).toMatchObject({ name: 'y', description: 'z' });
  });

  test('gives up with a conflict if it keeps losing to faster updates', async () => {
    const { postern, store } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types });
    store.answer('findToken', (real) => ({ ...(real as object), version: 0 }));
    expect((await refusal(postern.tokens.update(record.id, { name: 'y' }))).code).toBe('conflict');
    store.mend();
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });
});
