import assert from 'node:assert/strict';
import type { Access } from '../../domain/endpoint.js';
import type { StoredEndpoint } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { aChange, anEndpoint, type StoreCase, T0, wins } from './case.js';

function create(store: Store, endpoint: StoredEndpoint): Promise<boolean> {
  return store.insertEndpoint(endpoint, aChange('endpoint.created', endpoint.id, endpoint.organization));
}

function replace(store: Store, endpoint: StoredEndpoint, expectedVersion: number): Promise<boolean> {
  const change = aChange('endpoint.updated', endpoint.id, endpoint.organization);
  return store.replaceEndpoint(endpoint, expectedVersion, change);
}

function remove(store: Store, organization: string, id: string): Promise<boolean> {
  return store.deleteEndpoint(organization, id, aChange('endpoint.deleted', id, organization));
}

function next(endpoint: StoredEndpoint, access: Access): StoredEndpoint {
  return { ...endpoint, access, updatedAt: endpoint.updatedAt + 1, version: endpoint.version + 1 };
}

async function ids(store: Store, organization: string, page: { after?: string; limit?: number } = {}) {
  const endpoints = await store.listEndpoints({ organization, limit: 1_000, ...page });
  return endpoints.map(({ id }) => id);
}

/** Endpoints: written, found, listed, replaced, deleted. */
export const endpointCases: readonly StoreCase[] = [
  [
    'an endpoint is found exactly as it was written, and nothing else is',
    async (store) => {
      const endpoint = anEndpoint('summarizer', { access: 'private', updatedAt: T0 + 1, version: 4 });
      assert.equal(await create(store, endpoint), true);
      assert.deepEqual({ ...(await store.findEndpoint('acme', 'summarizer')) }, endpoint);
      for (const [organization, id] of [
        ['acme', 'Summarizer'],
        ['Acme', 'summarizer'],
        ['acme', 'summarize_'],
        ['acme', '%'],
        ['acme', ''],
        ['', 'summarizer'],
        ['acme', "' OR ''='"],
        ['acme', '\ud800'],
        ['acmes', 'ummarizer'],
        ['acme/summarizer', ''],
      ] as const) {
        assert.equal(await store.findEndpoint(organization, id), null, `${organization} ${id}`);
      }
    },
  ],
  [
    'the same name in two organizations, and names that differ in case, are different endpoints',
    async (store) => {
      const all = [
        anEndpoint('a', { access: 'public' }),
        anEndpoint('A', { access: 'private' }),
        anEndpoint('a', { organization: 'umbrella' }),
        anEndpoint('a', { organization: 'Acme', access: 'private' }),
      ];
      for (const endpoint of all) assert.equal(await create(store, endpoint), true);
      for (const endpoint of all) {
        assert.deepEqual({ ...(await store.findEndpoint(endpoint.organization, endpoint.id)) }, endpoint);
      }
      assert.equal(await remove(store, 'acme', 'a'), true);
      assert.deepEqual(await ids(store, 'acme'), ['A']);
      assert.deepEqual(await ids(store, 'umbrella'), ['a']);
      assert.deepEqual(await ids(store, 'Acme'), ['a']);
    },
  ],
  [
    'a name that is taken is refused, and nothing is written; of many at once exactly one wins',
    async (store) => {
      const endpoints = Array.from({ length: 10 }, (_, index) => anEndpoint('a', { uid: `uid ${index}` }));
      const answers = await Promise.all(endpoints.map((endpoint) => create(store, endpoint)));
      assert.equal(wins(answers), 1);
      const winner = endpoints[answers.indexOf(true)];
      assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, winner);
      assert.equal(await create(store, anEndpoint('a', { uid: 'late', access: 'public' })), false);
      assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, winner);
    },
  ],
  [
    'endpoints are listed by id, by code unit, page by page',
    async (store) => {
      const sorted = ['0', '10', '9', 'A', 'B', 'Z-', 'Z.', 'Z_', 'a', 'a-b', 'a.b', 'a_b', 'aa', 'b'].sort();
      for (const id of [...sorted].reverse()) assert.equal(await create(store, anEndpoint(id)), true);
      assert.equal(await create(store, anEndpoint('zz', { organization: 'umbrella' })), true);
      assert.deepEqual(await ids(store, 'acme'), sorted);
      assert.deepEqual(await ids(store, 'acme', { after: 'B' }), sorted.slice(sorted.indexOf('B') + 1));
      assert.deepEqual(await ids(store, 'acme', { after: 'C' }), sorted.slice(sorted.indexOf('B') + 1));
      assert.deepEqual(await ids(store, 'acme', { after: 'b' }), []);
      const paged: string[] = [];
      for (let page = await ids(store, 'acme', { limit: 3 }); page.length > 0; ) {
        paged.push(...page);
        assert.ok(paged.length <= sorted.length, 'paging does not come to an end');
        page = await ids(store, 'acme', { limit: 3, after: page.at(-1) as string });
      }
      assert.deepEqual(paged, sorted);
      const [first] = await store.listEndpoints({ organization: 'acme', limit: 1 });
      assert.deepEqual({ ...first }, anEndpoint('0'));
    },
  ],
  [
    'a replacement compares the version: of many at once exactly one wins',
    async (store) => {
      const endpoint = anEndpoint('a');
      await create(store, endpoint);
      const changed = next(endpoint, 'public');
      assert.equal(await replace(store, changed, 2), false);
      assert.equal(await replace(store, changed, 0), false);
      assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, endpoint);
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, index) => replace(store, { ...changed, updatedAt: T0 + index }, 1)),
      );
      assert.equal(wins(answers), 1);
      const found = await store.findEndpoint('acme', 'a');
      assert.deepEqual({ ...found }, { ...changed, updatedAt: T0 + answers.indexOf(true) });
      assert.equal(await replace(store, next(anEndpoint('gone'), 'public'), 1), false);
      assert.equal(await store.findEndpoint('acme', 'gone'), null);
    },
  ],
  [
    'a replacement of an endpoint that was deleted and made again is refused: it is another one',
    async (store) => {
      const first = anEndpoint('a', { uid: 'first' });
      await create(store, first);
      assert.equal(await remove(store, 'acme', 'a'), true);
      const second = anEndpoint('a', { uid: 'second' });
      assert.equal(await create(store, second), true);
      assert.equal(await replace(store, next(first, 'public'), 1), false);
      assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, second);
    },
  ],
  [
    'a deletion says whether there was one; of many at once exactly one did it',
    async (store) => {
      await create(store, anEndpoint('a'));
      await create(store, anEndpoint('b'));
      const answers = await Promise.all(Array.from({ length: 6 }, () => remove(store, 'acme', 'a')));
      assert.equal(wins(answers), 1);
      assert.equal(await remove(store, 'acme', 'a'), false);
      assert.equal(await remove(store, 'umbrella', 'b'), false);
      assert.deepEqual(await ids(store, 'acme'), ['b']);
    },
  ],
];
