import assert from 'node:assert/strict';
import type { Change, ChangeQuery } from '../../ports/changes.js';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aChangeId,
  anEndpoint,
  aSecret,
  aToken,
  deleteToken,
  insert,
  insertToken,
  next,
  type StoreCase,
  T0,
  wins,
} from './case.js';

async function listed(store: Store, query: Partial<ChangeQuery> = {}): Promise<readonly Change[]> {
  const changes = await store.listChanges({ organization: null, limit: 1_000, ...query });
  return changes.map((each) => ({ ...each }));
}

/** Writes changes, each with a token of its own. */
async function write(store: Store, changes: readonly Change[]): Promise<void> {
  const written = (await listed(store)).length;
  for (const [index, change] of changes.entries()) {
    const name = `w${written + index}`;
    assert.equal(await insertToken(store, aToken(name), aSecret(name), change), true);
  }
}

const idsOf = (changes: readonly Change[]) => changes.map(({ id }) => id);

/** The audit log: its content and its order. */
export const changeCases: readonly StoreCase[] = [
  [
    'each change is kept exactly as it was given; a refused call leaves none',
    async (store) => {
      const holder = { kind: 'principal', tokenId: 'their token', owner: null } as const;
      const texts = { from: '203.0.113.7', before: '{"a":1}', after: '{ "a" : 2 }' };
      const made = [
        aChange('token.created', 't1', 'acme', { at: T0 + 1, actor: { ...holder, owner: 'ada' } }),
        aChange('token.updated', 't1', 'acme', { at: T0 + 2, actor: holder, ...texts }),
        aChange('token.rotated', 't1', 'acme', { at: T0 + 3, before: '', after: '' }),
        aChange('token.deleted', 't1', 'acme', { at: T0 + 4, ...texts, after: null }),
        aChange('endpoint.created', 'a', 'acme', { at: T0 + 5 }),
        aChange('endpoint.updated', 'a', 'acme', { at: T0 + 6 }),
        aChange('endpoint.deleted', 'a', 'acme', { at: T0 + 7 }),
      ] as const;
      const token = aToken('t1');
      const endpoint = anEndpoint('a');
      const refused = () => aChange('token.updated', 'refused');
      const rotation = { secret: aSecret('second'), othersEndAt: T0, at: T0 };
      assert.equal(await insertToken(store, token, aSecret('t1'), made[0]), true);
      assert.equal(await insertToken(store, token, aSecret('x'), refused()), false);
      assert.equal(await store.replaceToken(next(token), 1, null, made[1]), true);
      assert.equal(await store.replaceToken(next(token), 1, null, refused()), false);
      assert.equal(await store.replaceToken(next(next(token)), 2, rotation, made[2]), true);
      assert.equal(await store.replaceToken(next(next(next(token))), 3, rotation, refused()), false);
      assert.equal(await deleteToken(store, 't1', made[3]), true);
      assert.equal(await deleteToken(store, 't1', refused()), false);
      assert.equal(await store.insertEndpoint(endpoint, made[4]), true);
      assert.equal(await store.insertEndpoint(endpoint, refused()), false);
      assert.equal(await store.replaceEndpoint({ ...endpoint, version: 2 }, 1, made[5]), true);
      assert.equal(await store.replaceEndpoint({ ...endpoint, version: 2 }, 1, refused()), false);
      assert.equal(await store.deleteEndpoint('acme', 'a', made[6]), true);
      assert.equal(await store.deleteEndpoint('acme', 'a', refused()), false);
      assert.deepEqual(await listed(store), [...made].reverse());
    },
  ],
  [
    'changes come newest first, those of one time by id from the highest, by code unit, whenever they were written',
    async (store) => {
      const at = (id: string, time: number) => aChange('token.created', id, 'acme', { id: aChangeId(id), at: time });
      await write(store, [at('a', T0), at('Z', T0), at('c', T0 - 1), at('9', T0), at('b', T0 + 1), at('aa', T0)]);
      const order = ['b', 'a', 'aa', 'Z', '9', 'c'].map(aChangeId);
      assert.deepEqual(idsOf(await listed(store)), order);
      assert.deepEqual(idsOf(await listed(store, { limit: 2 })), order.slice(0, 2));
      for (const [index, id] of order.entries()) {
        const [before] = (await listed(store)).slice(index);
        assert.ok(before);
        assert.deepEqual(idsOf(await listed(store, { after: { at: before.at, id } })), order.slice(index + 1));
      }
      assert.deepEqual(idsOf(await listed(store, { after: { at: T0, id: 'B' } })), order.slice(4));
      assert.deepEqual(idsOf(await listed(store, { after: { at: T0, id: '' } })), order.slice(5));
      assert.deepEqual(idsOf(await listed(store, { until: { at: T0, id: '' } })), order.slice(0, 5));
    },
  ],
  [
    'filters are matched exactly, and hold together and with a position',
    async (store) => {
      const changes = [
        aChange('token.created', 't1', 'acme', { at: T0 + 1 }),
        aChange('token.updated', 't1', 'acme', { at: T0 + 2 }),
        aChange('token.updated', 't2', 'acme', { at: T0 + 3 }),
        aChange('token.updated', 't1', 'umbrella', { at: T0 + 4 }),
        aChange('token.updated', 'T1', 'Acme', { at: T0 + 5 }),
        aChange('token.updated', 't1', 'acme', { at: T0 + 6 }),
      ];
      await write(store, changes);
      const found = async (query: Partial<ChangeQuery>) =>
        (await listed(store, query)).map(({ id }) => changes.findIndex((change) => change.id === id));
      assert.deepEqual(await found({ organization: 'acme' }), [5, 2, 1, 0]);
      assert.deepEqual(await found({ subject: 't1' }), [5, 3, 1, 0]);
      assert.deepEqual(await found({ type: 'token.created' }), [0]);
      assert.deepEqual(await found({ type: 'token.deleted' }), []);
      const all = { organization: 'acme', subject: 't1', type: 'token.updated' } as const;
      assert.deepEqual(await found(all), [5, 1]);
      assert.deepEqual(await found({ ...all, limit: 1 }), [5]);
      const [, , , , , last] = changes as [Change, Change, Change, Change, Change, Change];
      assert.deepEqual(await found({ ...all, after: { at: last.at, id: last.id } }), [1]);
      for (const subject of ['', 't', '%', 't_', "t1' OR '1'='1"]) assert.deepEqual(await found({ subject }), []);
    },
  ],
  [
    'changes are found by their actor: an owner, the id of a token, or the application; the whole name, exactly',
    async (store) => {
      const by = (tokenId: string, owner: string | null) => ({ actor: { kind: 'principal', tokenId, owner } as const });
      const changes = [
        aChange('token.created', 't1', 'acme', { at: T0 + 1 }),
        aChange('token.created', 't2', 'acme', { at: T0 + 2, ...by('k1', 'ada') }),
        aChange('token.created', 't3', 'acme', { at: T0 + 3, ...by('k2', 'Ada') }),
        aChange('token.created', 't4', 'acme', { at: T0 + 4, ...by('ada', null) }),
        aChange('token.created', 't5', 'umbrella', { at: T0 + 5, ...by('k1', 'ada') }),
        aChange('endpoint.created', 't6', 'acme', { at: T0 + 6, ...by('k3', 'application') }),
      ];
      await write(store, changes);
      const found = async (actor: string, query: Partial<ChangeQuery> = {}) =>
        (await listed(store, { actor, ...query })).map(({ id }) => changes.findIndex((change) => change.id === id));
      assert.deepEqual(await found('ada'), [4, 3, 1]);
      assert.deepEqual(await found('k1'), [4, 1]);
      assert.deepEqual(await found('ada', { organization: 'acme', limit: 1 }), [3]);
      assert.deepEqual(await found('ada', { organization: 'acme', limit: 1, offset: 1 }), [1]);
      assert.deepEqual(await found('ada', { subject: 't2', type: 'token.created' }), [1]);
      assert.deepEqual(await found('application'), [5, 0]);
      for (const name of ['principal', 'ad', 'ada ', '%', 'null', "ada' OR '1'='1"])
        assert.deepEqual(await found(name), []);
    },
  ],
  [
    'paging shows each change once, and loses none of those there from the start, while others are made',
    async (store) => {
      const there = Array.from({ length: 20 }, (_, index) =>
        aChange('token.created', `old ${index}`, 'acme', { at: T0 + Math.floor(index / 3) }),
      );
      await write(store, there);
      const seen: string[] = [];
      let after: Change | undefined;
      for (let round = 0; ; round++) {
        const page = await listed(store, { limit: 3, ...(after && { after: { at: after.at, id: after.id } }) });
        for (const { id } of page) assert.ok(!seen.includes(id), `${id} was shown twice`);
        seen.push(...idsOf(page));
        after = page.at(-1);
        if (after === undefined) break;
        if (round < 5) await write(store, [aChange('token.created', 'new', 'acme', { at: T0 + round * 3 })]);
      }
      for (const { id, subject } of there) assert.ok(seen.includes(id), `${subject} was lost`);
    },
  ],
  [
    'of many changes of one token at once only the successful one is in the log',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      const changes = Array.from({ length: 10 }, () => aChange('token.updated', 't1'));
      const answers = await Promise.all(changes.map((change) => store.replaceToken(next(token), 1, null, change)));
      assert.equal(wins(answers), 1);
      assert.deepEqual(await listed(store, { type: 'token.updated' }), [changes[answers.indexOf(true)]]);
    },
  ],
  [
    'the changes of a token stay when it is deleted',
    async (store) => {
      await insert(store, aToken('t1'));
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1', 'acme', { at: T0 + 1 })), true);
      const found = await listed(store, { subject: 't1' });
      assert.deepEqual(
        found.map(({ type }) => type),
        ['token.deleted', 'token.created'],
      );
    },
  ],
];
