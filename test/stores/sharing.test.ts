import { once } from 'node:events';
import { createPostern } from 'postern';
import type { Store } from 'postern/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aChange,
  anEndpoint,
  anEntry,
  aToken,
  aUsage,
  insert,
  next,
  replace,
} from '../../src/testing/store-cases/case.js';
import { startPeer } from './child.js';
import { type Database, openStore } from './databases.js';
import { listen, tells } from './listening.js';
import { useDatabases } from './use-databases.js';

const types = { developer: { scopes: ['models:write'] } } as const;

/** A store that listens, and is told. */
async function listening(database: Database) {
  const store = openStore(database);
  const feed = listen(store);
  await store.findToken('x');
  // Without a connection for the feed there is none to wait for.
  if (store.confirm) await feed.next('restored');
  return { store, feed };
}

describe.each(await useDatabases())('processes that share a store ($kind)', ({ aDatabase }) => {
  describe('two processes', () => {
    let database: Database;
    let tell: ReturnType<typeof startPeer>['tell'];
    beforeAll(async () => {
      database = await aDatabase();
      ({ tell } = startPeer(database));
    });
    afterAll(() => tell('close'));

    it('create tokens at once, and none is lost', async () => {
      const postern = createPostern({ store: openStore(database) });
      const names = (whose: string) => Array.from({ length: 40 }, (_, index) => `${whose} ${index}`);
      const [theirs, ours] = await Promise.all([
        tell<string[]>('create', names('theirs')),
        Promise.all(names('ours').map(async (name) => (await postern.tokens.create({ name, types })).token)),
      ]);
      for (const token of [...theirs, ...ours]) expect((await postern.authenticate(token)).ok).toBe(true);
      const { items } = await postern.tokens.list({ limit: 1_000 });
      expect(items.map(({ name }) => name).sort()).toEqual([...names('theirs'), ...names('ours')].sort());
      await postern.close();
    });

    it('write the same new entries at once, and exactly one succeeds for each entry', async () => {
      const store = openStore(database);
      const entries = (whose: string) =>
        Array.from({ length: 40 }, (_, index) => anEntry(`e${index}`, { value: whose }));
      const [theirs, ours] = await Promise.all([
        tell<boolean[]>('enter', entries('theirs')),
        Promise.all(entries('ours').map((entry) => store.putEntry(entry, 0, 0))),
      ]);
      for (const [index, { id }] of entries('').entries()) {
        expect(theirs[index]).toBe(!ours[index]);
        expect((await store.findEntry('login', id, 0))?.value).toBe(ours[index] ? 'ours' : 'theirs');
      }
      await store.close();
    });

    it("see the other's revocation at once, even with a cache of an hour", async () => {
      const { store, feed } = await listening(database);
      const postern = createPostern({ store, cache: { ttl: '1h' } });
      const { token, record } = await postern.tokens.create({ name: 'shared', types });
      expect(await tell('authenticate', token)).toMatchObject({ ok: true });
      expect(await postern.authenticate(token)).toMatchObject({ ok: true });
      await postern.tokens.revoke(record.id);
      const refused = { ok: false, reason: 'token_revoked' };
      // The other one says that it knows, where it can; elsewhere it looks often.
      if (store.confirm) {
        expect(await store.confirm(10_000)).toEqual({ acknowledged: 2, missing: 0 });
        expect(await tell('authenticate', token)).toEqual(refused);
      } else await expect.poll(() => tell('authenticate', token)).toEqual(refused);
      const [second] = await tell<string[]>('create', ['second']);
      const found = await postern.authenticate(second);
      const id = found.ok ? found.principal.tokenId : '';
      await tell('revoke', id);
      await feed.until(tells({ kind: 'token', id }));
      expect(await postern.authenticate(second)).toEqual(refused);
      await postern.close();
    });

    it("see the other's change of an endpoint", async () => {
      const { store, feed } = await listening(database);
      const postern = createPostern({ store, cache: { ttl: '1h' } });
      await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
      const attempt = { token: null, requirement: { endpoint: 'summarizer' } } as const;
      expect((await postern.authorize(attempt)).allowed).toBe(false);
      feed.told.length = 0;
      await tell('access', ['summarizer', 'public']);
      await feed.until(tells({ kind: 'endpoints', organization: 'default' }));
      expect((await postern.authorize(attempt)).allowed).toBe(true);
      await postern.close();
    });

    it('rotate one token at once: each rotation that succeeds gives a secret that works, and no other is stored', async () => {
      const postern = createPostern({ store: openStore(database) });
      for (let round = 0; round < 10; round++) {
        const { record } = await postern.tokens.create({ name: `rotated ${round}`, types });
        const settled = await Promise.allSettled([
          postern.tokens.rotate(record.id, { grace: '1h' }),
          tell<{ token: string }>('rotate', record.id),
        ]);
        const won = settled.filter((each) => each.status === 'fulfilled');
        const lost = settled.filter((each) => each.status === 'rejected');
        // Now and then one comes after the other, which is no race: then both do it.
        expect(won.length).toBeGreaterThanOrEqual(1);
        for (const { reason } of lost) expect(String(reason.code ?? reason.message)).toContain('conflict');
        for (const { value } of won) expect(await postern.authenticate(value.token)).toMatchObject({ ok: true });
        expect(await postern.tokens.secrets(record.id)).toHaveLength(won.length + 1);
      }
      await postern.close();
    });

    it('a killed process keeps nobody waiting for long', async () => {
      const database = await aDatabase();
      const { store } = await listening(database);
      const doomed = startPeer(database);
      await doomed.tell('create', ['one']);
      if (store.confirm) expect(await store.confirm(10_000)).toEqual({ acknowledged: 2, missing: 0 });
      doomed.child.kill('SIGKILL');
      await once(doomed.child, 'exit');
      if (store.confirm) {
        expect(await store.confirm(300)).toEqual({ acknowledged: 1, missing: 1 });
        expect(await store.confirm(15_000)).toEqual({ acknowledged: 1, missing: 0 });
      }
      expect(await insert(store, aToken('t1'))).toMatchObject({ id: 't1' });
      await store.close();
    });
  });

  describe('the feed', () => {
    const mark = (writer: Store) =>
      writer.insertEndpoint(anEndpoint('a', { organization: 'end' }), aChange('endpoint.created', 'a', 'end'));
    const MARK = { kind: 'endpoints', organization: 'end' } as const;
    async function pair() {
      const database = await aDatabase();
      const writer = openStore(database);
      const { store: reader, feed } = await listening(database);
      return { writer, reader, feed, close: () => Promise.all([writer.close(), reader.close()]) };
    }

    it('tells each change of another process once and in order, but no new tokens, uses, entries or refused changes', async () => {
      const { writer, feed, close } = await pair();
      const token = await insert(writer, aToken('t1'));
      await writer.recordUsage([aUsage('t1', 5, { a: 1 })]);
      await writer.putEntry(anEntry('e1'), 0, 0);
      await replace(writer, next(token), 1);
      expect(await replace(writer, next(token), 1)).toBe(false);
      await writer.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a'));
      expect(await writer.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a'))).toBe(false);
      await writer.deleteToken('t1', aChange('token.deleted', 't1'));
      await mark(writer);
      await feed.until(tells(MARK));
      const acme = { kind: 'endpoints', organization: 'acme' };
      expect(feed.told).toEqual([{ kind: 'token', id: 't1' }, acme, { kind: 'token', id: 't1' }, MARK]);
      await close();
    });

    it('tells own changes before the call returns, and not a second time', async () => {
      const { writer, reader, feed, close } = await pair();
      const token = await insert(reader, aToken('mine'));
      await replace(reader, next(token), 1);
      expect(feed.told).toEqual([{ kind: 'token', id: 'mine' }]);
      await mark(writer);
      await feed.until(tells(MARK));
      expect(feed.told).toEqual([{ kind: 'token', id: 'mine' }, MARK]);
      await close();
    });
  });
});
