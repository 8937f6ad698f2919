import type { Postern } from 'postern';
import { describe, expect, it } from 'vitest';
import { Heard } from '../../src/stores/sql/mirror/heard.js';
import { pass, SETTLED, use, useTestTimers, world, write } from './mirror-world.js';

useTestTimers();

type Change = (by: Postern, id: string) => Promise<unknown>;

const changes: readonly (readonly [name: string, change: Change, after: string])[] = [
  ['revoked', (by, id) => by.tokens.revoke(id), 'token_revoked'],
  ['deleted', (by, id) => by.tokens.delete(id), 'token_unknown'],
  [
    'narrowed',
    (by, id) => by.tokens.update(id, { types: { developer: { scopes: ['models:read'] } } }),
    'scope_missing',
  ],
  ['rotated without a grace', (by, id) => by.tokens.rotate(id), 'token_revoked'],
];

describe('of a replica that is behind, nothing comes back', () => {
  describe.each(changes)('of a token that was %s', (_, change, after) => {
    it.each(['here', 'by another process, once this one has heard of it'])('%s', async (where) => {
      const here = await world();
      const { token, id } = await here.known();
      here.replica.hold();
      await change(where === 'here' ? here.near.postern : here.far.postern, id);
      await pass(50);
      expect(here.feed.told).toContainEqual({ kind: 'token', id });
      for (let read = 0; read < 5; read++) {
        expect(await here.askAnew(token)).toEqual([after, 'changed']);
        await pass(SETTLED);
      }
      here.replica.release();
      expect(await here.askAnew(token)).not.toContain('allowed');
      await pass(SETTLED);
      expect(await here.askAnew(token)).toEqual([after, after === 'token_unknown' ? 'absent' : 'replica']);
    });
  });

  it('of an endpoint whose access was changed', async () => {
    const here = await world();
    const { token } = await here.known();
    here.replica.hold();
    await here.far.postern.endpoints.update('a', { access: 'private' });
    await pass(50);
    for (let read = 0; read < 5; read++) {
      expect(await here.askAnew(token, use)).toEqual(['endpoint_private', 'changed']);
      await pass(SETTLED);
    }
  });

  it('of an endpoint that was deleted and made anew', async () => {
    const here = await world();
    const { token } = await here.far.postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    await here.known();
    here.replica.hold();
    await here.far.postern.endpoints.delete('a');
    await here.far.postern.endpoints.create({ id: 'a', access: 'protected' });
    await pass(50);
    expect((await here.askAnew(token, use))[0]).toBe('endpoint_not_granted');
  });

  it('of a read that began before the change was heard of, and ended after it', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    here.forget();
    const { reached, open } = here.replica.stopNext();
    const asked = here.ask(token);
    await reached;
    await here.far.postern.tokens.revoke(id);
    await pass(50);
    open();
    expect(await asked).toBe('token_revoked');
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
  });

  it('of a change that was seen at the primary, before it is heard of', async () => {
    const here = await world({ pollInterval: '30s' });
    const [deleted, revoked] = [await here.known(), await here.known()];
    here.replica.hold();
    // Its own changes bring this process to the primary, where it sees those of the other one.
    await here.near.postern.tokens.update(deleted.id, { name: 'own change' });
    await here.near.postern.tokens.update(revoked.id, { name: 'own change' });
    await pass(SETTLED);
    const before = here.commits();
    await here.far.postern.tokens.delete(deleted.id);
    await here.far.postern.tokens.revoke(revoked.id);
    expect(await here.askAnew(deleted.token)).toEqual(['token_unknown', 'changed']);
    expect(await here.ask(revoked.token)).toBe('token_revoked');
    // Now the replica has the own changes, with marks after them, and not those of the other one.
    here.replica.followTo(before);
    for (let read = 0; read < 5; read++) {
      await pass(SETTLED);
      expect(await here.askAnew(deleted.token)).toEqual(['token_unknown', 'changed']);
      expect(await here.askAnew(revoked.token)).toEqual(['token_revoked', 'changed']);
    }
  });

  it('of a change from before this process began', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.revoke(id);
    const { postern, answers } = here.aProcess(here.replica, {}, { maxLag: '1m' });
    for (let read = 0; read < 5; read++) {
      expect(await here.ask(token, write, postern)).toBe('token_revoked');
      here.forget();
      await pass(SETTLED);
    }
    expect(new Set(answers)).toEqual(new Set(['unused']));
  });

  it('when another replica answers, which is further behind', async () => {
    const here = await world();
    const { token, id } = await here.known();
    const late = here.aReplica();
    late.hold();
    await here.far.postern.tokens.revoke(id);
    await pass(SETTLED);
    // The change has long arrived at the first one.
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'replica']);
    here.replica.query = (statement) => late.query(statement);
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
  });

  it('from a database that is no replica of this one', async () => {
    const here = await world();
    const { token, id } = await here.known();
    // A copy from before, which nobody continues: a backup, say.
    const copy = here.aReplica();
    copy.hold();
    await here.far.postern.tokens.revoke(id);
    const { postern, answers, events } = here.aProcess(copy, {}, { maxLag: '1s' });
    for (let read = 0; read < 5; read++) {
      expect(await here.ask(token, write, postern)).toBe('token_revoked');
      here.forget();
      await pass(SETTLED);
    }
    expect(new Set(answers)).toEqual(new Set(['unused']));
    expect(events).toContainEqual(expect.objectContaining({ type: 'reader', used: false }));
  });

  it('while the feed is lost, and after it is back', async () => {
    const here = await world();
    const [{ token, id }, other] = [await here.known(), await here.known()];
    here.replica.hold();
    here.failures.push((sql) => sql.includes('LEFT JOIN'));
    await pass(200);
    expect(here.feed.told).toContainEqual(expect.objectContaining({ kind: 'lost' }));
    await here.far.postern.tokens.revoke(id);
    await here.far.postern.tokens.revoke(other.id);
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'unused']);
    here.failures.length = 0;
    await pass(200);
    expect(here.feed.told).toContainEqual({ kind: 'restored' });
    for (let read = 0; read < 5; read++) {
      expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
      expect(await here.askAnew(other.token)).toEqual(['token_revoked', 'changed']);
      await pass(SETTLED);
    }
  });

  it('if more has changed than is told one by one', async () => {
    const here = await world({ pollInterval: '30s' });
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.revoke(id);
    for (let change = 0; change < 501; change++) {
      await here.far.postern.endpoints.update('a', { access: change % 2 === 0 ? 'public' : 'protected' });
    }
    await pass(30_000);
    expect(here.feed.told).toContainEqual({ kind: 'everything' });
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
  });
});

describe('what was heard of', () => {
  it('is remembered for as long as an older state could be accepted, and no longer', () => {
    const heard = new Heard(100);
    heard.note('a', 0);
    for (let now = 10; now <= 100; now += 10) heard.note('b', now);
    expect([heard.last(['a']), heard.last(['b']), heard.last(['a', 'b'])]).toEqual([0, 100, 100]);
    heard.note('c', 201);
    expect(heard.last(['b'])).toBe(100);
    heard.note('d', 302);
    expect(heard.last(['b'])).toBe(Number.NEGATIVE_INFINITY);
    heard.everything(303);
    expect([heard.last(['b']), heard.last([])]).toEqual([303, 303]);
  });

  it('is everything, once it would be too much', () => {
    const heard = new Heard(1e9);
    for (let key = 0; key <= 250_000; key++) heard.note(`${key}`, key);
    expect(heard.last(['never named'])).toBe(250_000);
  });
});
