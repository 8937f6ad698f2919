import type { Store, TokenQuery } from 'postern/store';
import { type ControlledStore, controlledStore, createTestPostern } from 'postern/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { CROWD, crowdedStore } from '../support/crowd.js';
import { refusal, START } from '../support/outcomes.js';

/** One tenant with very many tokens must not stall the others: one request reads a bounded number of rows, and gives others a turn. */
const MANY = CROWD;
const BOUND = 50_000;

let full: Store;
beforeAll(async () => {
  full = await crowdedStore();
});

/** An instance on the store of many tokens. */
function crowded() {
  const store = controlledStore(full);
  return { ...createTestPostern({ store }), store };
}

/** The number of rows that each call of the method returned. */
function rowsOf(store: ControlledStore, method: 'listTokens' | 'listChanges') {
  const given: number[] = [];
  store.answer(method, (rows) => {
    given.push((rows as readonly unknown[]).length);
    return rows;
  });
  return given;
}

describe('a search', () => {
  test('looks through 50,000 tokens at most, and returns a cursor for the rest', async () => {
    const { postern, store } = crowded();
    const first = await postern.tokens.list({ search: 'NEEDLE' });
    expect(first.items).toEqual([]);
    expect(first.nextCursor).not.toBeNull();
    expect(store.count('listTokens')).toBeLessThan(110);
    const second = await postern.tokens.list({ search: 'NEEDLE', cursor: first.nextCursor });
    expect(second.items.map(({ id }) => id)).toEqual(['n0']);
    expect(second.nextCursor).toBeNull();
  });

  test('with few hits on each page finds every token exactly once', async () => {
    const { postern } = crowded();
    const found: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await postern.tokens.list({
        owner: 'bob',
        ownership: 'personal',
        search: 'straw',
        limit: 1_000,
        cursor,
      });
      found.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      pages++;
    } while (cursor !== null);
    expect(found).toEqual(Array.from({ length: MANY / 2 }, (_, index) => `n${MANY - 1 - 2 * index}`));
    expect(pages).toBe(30);
  });

  test('has a count up to its bound, marked as a lower bound', async () => {
    const { postern } = crowded();
    expect(await postern.tokens.count({ search: 'needle' })).toEqual({ count: 0, more: true });
    expect(await postern.tokens.count({ search: 'straw' })).toEqual({ count: 10_000, more: true });
    expect(await postern.tokens.count()).toEqual({ count: 10_000, more: true });
    expect(await postern.tokens.count({ owner: 'nobody' })).toEqual({ count: 0, more: false });
  });

  test('by offset refuses an offset beyond the count', async () => {
    const { postern } = crowded();
    const { items } = await postern.tokens.list({ search: 'straw', offset: 9_999, limit: 2 });
    expect(items.map(({ id }) => id)).toEqual([`n${MANY - 10_000}`, `n${MANY - 10_001}`]);
    for (const query of [
      { search: 'straw', offset: 10_001 },
      { search: 'needle', offset: 1 },
    ]) {
      expect(await refusal(postern.tokens.list(query))).toMatchObject({ code: 'input_invalid', path: 'offset' });
    }
  });

  test('for an empty text pages by offset through all tokens', async () => {
    const { postern } = crowded();
    const { items, nextCursor } = await postern.tokens.list({ search: '', offset: MANY - 2, limit: 2 });
    expect(items.map(({ name }) => name)).toEqual(['straw', 'needle']);
    expect(nextCursor).toBeNull();
    expect(await postern.tokens.list({ offset: MANY })).toMatchObject({ items: [], nextCursor: null });
  });
});

test('a list of the audit log by type reads a bounded part for each page', async () => {
  const { postern, store } = crowded();
  const given = rowsOf(store, 'listChanges');
  const first = await postern.audit.list({ type: 'token.imported' });
  expect(first.items).toEqual([]);
  expect(given.reduce((sum, rows) => sum + rows, 0)).toBeLessThan(100);
  const second = await postern.audit.list({ type: 'token.imported', cursor: first.nextCursor });
  expect(second.items.map(({ subject }) => subject)).toEqual(['n0']);
  expect(second.nextCursor).toBeNull();
});

describe('a preview', () => {
  test('reads the uses once a page, looks at 50,000 tokens at most, and names 1,000', async () => {
    const { postern, store } = crowded();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const used = ['n59000', 'n20000', 'n0'].map((tokenId, index) => {
      return { tokenId, lastUsedAt: START + index, counts: [{ day: 20_454, endpoint: 'a', scope: '', count: 1 }] };
    });
    await store.recordUsage(used);
    const given = rowsOf(store, 'listTokens');
    const preview = await postern.endpoints.preview('a', { access: 'private' });
    expect(preview).toMatchObject({ gainCount: 0, loseCount: BOUND - BOUND / 100, more: true, gain: [] });
    expect(preview.lose).toHaveLength(1_000);
    expect(preview.lose.slice(0, 3).map(({ record, lastUsedAt }) => [record.id, lastUsedAt])).toEqual([
      ['n20000', new Date(START + 1)],
      ['n59000', new Date(START)],
      [`n${MANY - 2}`, null],
    ]);
    expect(given.reduce((sum, rows) => sum + rows, 0)).toBe(BOUND);
    expect(store.count('listUsage')).toBe(given.length);
    await postern.endpoints.delete('a');
  });
});

test.each([
  [
    'a preview',
    async ({ postern }: ReturnType<typeof crowded>) => postern.endpoints.preview('b', { access: 'private' }),
  ],
  ['a search', async ({ postern }: ReturnType<typeof crowded>) => postern.tokens.list({ search: 'needle' })],
])('the event loop turns several times during %s', async (_, work) => {
  const made = crowded();
  await made.postern.endpoints.create({ id: 'b', access: 'protected' }).catch(() => {});
  let turns = 0;
  let ended = false;
  const turn = () => {
    turns++;
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  await work(made);
  ended = true;
  expect(turns).toBeGreaterThan(2);
});

test('the event loop turns between awaited calls of the memory store', async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  // Without a turn this would never end.
  while (!turned) await full.findToken('n1');
});

test('revokeOwned ends 5,000 tokens in parts, also with some of them revoked before', async () => {
  const count = 10_000;
  const inner = await crowdedStore({ count });
  const asked: TokenQuery[] = [];
  const store: Store = {
    ...inner,
    listTokens(query) {
      asked.push(query);
      return inner.listTokens(query);
    },
  };
  const { postern } = createTestPostern({ store: controlledStore(store) });
  expect(await postern.tokens.revokeOwned({ owner: 'bob' })).toBe(count / 2 - count / 100);
  const alive = { organization: 'default', revoked: false, limit: 1 };
  expect(await inner.listTokens({ ...alive, owner: 'bob' })).toEqual([]);
  expect(await inner.countTokens({ ...alive, owner: 'ada' }, count)).toBe(count / 2);
  // Only the last part of each pass has no lower end.
  const open = asked.filter(({ revoked, until }) => revoked === false && until === undefined);
  expect(open.length).toBeLessThan(10);
  expect(asked.length).toBeGreaterThan(20);
});
