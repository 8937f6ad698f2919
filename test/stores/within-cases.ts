import { randomBytes, randomUUID } from 'node:crypto';
import type { Store } from 'postern/store';
import { controlledStore, createTestPostern, type TestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { all, principalOf } from '../support/lives.js';
import { refusal } from '../support/outcomes.js';

/** An application with a table of orders in the database of the store, and one way to begin a transaction there. */
export interface Shop {
  /** A store that is opened anew, as by another process. */
  readonly open: () => Store;
  /** Commits what `work` did, or rolls it back if it rejects. */
  readonly transaction: (work: (tx: object) => Promise<void>) => Promise<void>;
  /** Adds a row of the application's own. */
  readonly order: (tx: object, id: string) => Promise<unknown>;
  /** The orders that are committed. */
  readonly orders: () => Promise<readonly string[]>;
  /** While a transaction is open, nothing else can be done: there is one connection. */
  readonly isAlone?: boolean;
  /** Other processes are told of changes. Otherwise they see them after `cache.ttl`. */
  readonly isTold?: boolean;
}

const anId = () => `o${randomUUID()}`;
const undone = new Error('the application rolls it back');

/** Everything that `within` promises, on a real database. */
export function testWithin(name: string, shop: Shop): void {
  const { open, transaction, order, orders, isAlone = false, isTold = true } = shop;
  const world = (clock = testClock()) => createTestPostern({ clock, store: controlledStore(open()) });
  const changesOf = async ({ postern }: TestPostern, subject: string) =>
    (await postern.audit.list({ subject })).items.map(({ type }) => type).sort();

  describe(name, () => {
    test('a commit writes the order, the token and its audit entry; then the event comes', async () => {
      const shopWorld = world();
      const { postern, events } = shopWorld;
      const id = anId();
      let made: { token: string; record: { id: string }; committed(): Promise<void> } | undefined;
      await transaction(async (tx) => {
        await order(tx, id);
        made = await postern.tokens.create({ name: id, types: all }, { within: tx });
        // Tried too early, and remembered as unknown.
        if (!isAlone) expect((await postern.authenticate(made.token)).ok).toBe(false);
      });
      if (made === undefined) throw new Error('nothing was made');
      expect(events.filter(({ type }) => type === 'token.created')).toEqual([]);
      await made.committed();
      expect(await orders()).toContain(id);
      expect((await postern.authenticate(made.token)).ok).toBe(true);
      expect(await changesOf(shopWorld, made.record.id)).toEqual(['token.created']);
      await made.committed();
      expect(events.filter(({ type }) => type === 'token.created')).toMatchObject([{ subject: made.record.id }]);
      await postern.close();
    });

    test('a rollback leaves neither order nor token, no audit entry and no event', async () => {
      const shopWorld = world();
      const { postern, events } = shopWorld;
      const id = anId();
      const made: { token: string; record: { id: string } }[] = [];
      const endpoint = anId();
      const { token, record } = await shopWorld.issue({ types: all });
      expect((await postern.authenticate(token)).ok).toBe(true);
      events.length = 0;
      const work = transaction(async (tx) => {
        await order(tx, id);
        made.push(await postern.tokens.create({ name: id, types: all }, { within: tx }));
        await postern.endpoints.create({ id: endpoint, access: 'public' }, { within: tx });
        await postern.tokens.revoke(record.id, { within: tx });
        throw undone;
      });
      await expect(work).rejects.toBe(undone);
      expect(await orders()).not.toContain(id);
      expect((await postern.authenticate(made[0]?.token)).ok).toBe(false);
      expect(await postern.tokens.get(made[0]?.record.id ?? '')).toBeNull();
      expect(await postern.endpoints.get(endpoint)).toBeNull();
      expect((await postern.authenticate(token)).ok).toBe(true);
      expect(await changesOf(shopWorld, made[0]?.record.id ?? '')).toEqual([]);
      expect(await changesOf(shopWorld, endpoint)).toEqual([]);
      expect(await changesOf(shopWorld, record.id)).toEqual(['token.created']);
      expect(events.filter(({ type }) => /^(token|endpoint)\./.test(type))).toEqual([]);
      await postern.close();
    });

    test('a call that is refused undoes only itself: the transaction goes on', async () => {
      const { postern } = world();
      const [id, endpoint] = [anId(), anId()];
      await postern.endpoints.create({ id: endpoint, access: 'public' });
      await transaction(async (tx) => {
        await order(tx, id);
        const again = postern.endpoints.create({ id: endpoint, access: 'private' }, { within: tx });
        expect((await refusal(again)).code).toBe('endpoint_exists');
        const unknown = postern.tokens.rotate('a'.repeat(22), { within: tx });
        expect((await refusal(unknown)).code).toBe('token_unknown');
        await postern.endpoints.update(endpoint, { access: 'private' }, { within: tx });
      });
      expect(await orders()).toContain(id);
      expect((await postern.endpoints.get(endpoint))?.access).toBe('private');
      await postern.close();
    });

    test('a secret that exists already is refused whole: no row of the new token stays', async () => {
      const fixed = randomBytes(32);
      const random = (length: number) => (length === 32 ? fixed : randomBytes(length));
      const { postern } = createTestPostern({ store: controlledStore(open()), random });
      const name = anId();
      const input = { name, types: all };
      await postern.tokens.create(input);
      await transaction(async (tx) => {
        expect((await refusal(postern.tokens.create(input, { within: tx }))).code).toBe('conflict');
        await order(tx, name);
      });
      expect(await orders()).toContain(name);
      expect(await postern.tokens.count({ search: name })).toMatchObject({ count: 1 });
      await postern.close();
    });

    test('calls see what earlier ones of the transaction wrote, also those made at once', async () => {
      const shopWorld = world();
      const { postern } = shopWorld;
      const endpoint = anId();
      let token = '';
      let id = '';
      await transaction(async (tx) => {
        await postern.endpoints.create({ id: endpoint, access: 'protected' }, { within: tx });
        const types = { user: { endpoints: [endpoint] } } as const;
        const made = await postern.tokens.create({ name: 'first', types }, { within: tx });
        id = made.record.id;
        const [updated, rotated] = await Promise.all([
          postern.tokens.update(id, { name: 'second' }, { within: tx }),
          postern.tokens.rotate(id, { within: tx, grace: '1h' }),
        ]);
        expect(updated.name).toBe('second');
        token = rotated.token;
        const gone = await postern.tokens.create({ name: 'gone', types }, { within: tx });
        await postern.tokens.delete(gone.record.id, { within: tx });
        // Too early, and harmless.
        await gone.committed();
      });
      const answer = await postern.authorize({ token, requirement: { endpoint } });
      expect(answer).toMatchObject({ allowed: true });
      expect(await changesOf(shopWorld, id)).toEqual(['token.created', 'token.rotated', 'token.updated']);
      await postern.close();
    });

    test('a revocation is seen by nobody before the commit, and here as soon as `committed` is called', async () => {
      const { postern, issue } = world();
      const { token, record } = await issue({ types: all });
      expect((await postern.authenticate(token)).ok).toBe(true);
      let committed = async () => {};
      await transaction(async (tx) => {
        ({ committed } = await postern.tokens.revoke(record.id, { within: tx }));
        if (!isAlone) expect((await postern.authenticate(token)).ok).toBe(true);
      });
      await committed();
      expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'token_revoked' });
      await postern.close();
    });

    test('without `committed`, every process hears of a revocation as of one of another process', async () => {
      const clock = testClock();
      const [here, there] = [world(clock), world(clock)];
      const { token, record } = await here.issue({ types: all });
      const answers = () => Promise.all([here, there].map(({ postern }) => postern.authenticate(token)));
      expect(await answers()).toMatchObject([{ ok: true }, { ok: true }]);
      await transaction(async (tx) => {
        await here.postern.tokens.revoke(record.id, { within: tx });
      });
      if (!isTold) {
        expect(await answers()).toMatchObject([{ ok: true }, { ok: true }]);
        clock.advance('30s');
      }
      await eventually(async () => expect(await answers()).toMatchObject([{ ok: false }, { ok: false }]));
      await Promise.all([here.postern.close(), there.postern.close()]);
    });

    test('the rights of a caller are the same, and read in the transaction', async () => {
      const { postern, issue } = world();
      const { token, record } = await issue({ scopes: ['models:read'], owner: anId() });
      const theirs = postern.as(await principalOf(postern, token));
      await transaction(async (tx) => {
        const within = { within: tx };
        const more = theirs.tokens.create({ name: 'x', types: all }, within);
        expect((await refusal(more)).code).toBe('scope_missing');
        const types = { developer: { scopes: ['models:read'] } } as const;
        const child = await theirs.tokens.create({ name: 'x', types }, within);
        expect(child.record.owner).toBe(record.owner);
        await postern.tokens.revoke(record.id, within);
        const late = theirs.tokens.create({ name: 'x', types }, within);
        expect((await refusal(late)).code).toBe('issuance_forbidden');
      });
      await postern.close();
    });

    test('what is no open transaction is refused, and nothing is written', async () => {
      const { postern } = world();
      let over: object = {};
      await transaction(async (tx) => {
        over = tx;
      });
      const before = (await postern.audit.list()).items.length;
      for (const within of [over, {}, undefined, null, 'tx', () => {}]) {
        const made = postern.tokens.create({ name: 'x', types: all }, { within: within as object });
        expect(['input_invalid', 'unavailable']).toContain((await refusal(made)).code);
      }
      expect((await postern.audit.list()).items.length).toBe(before);
      await postern.close();
    });
  });
}
