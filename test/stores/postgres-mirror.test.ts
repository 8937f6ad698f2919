import { setTimeout } from 'node:timers/promises';
import { createPostern, type Postern, type PosternEvent } from 'postern';
import type { MirrorAnswer } from 'postern/store';
import { type PostgresStoreOptions, postgresStore } from 'postern/stores/postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { verdict } from '../support/outcomes.js';
import { REPLICATED, startReplica } from '../support/postgres-replica.js';
import { startProxy } from '../support/proxy.js';
import { usePostgres } from '../support/services.js';
import { askChild, startChild } from './child.js';
import { listen } from './listening.js';
import { aSchema, ask } from './postgres-server.js';

const server = await usePostgres(REPLICATED);
const replica = await startReplica(server);
afterAll(() => replica.dispose());
const types = { developer: { scopes: ['models:read', 'models:write'] }, user: { endpoints: '*' } } as const;
const write = { scope: 'models:write' } as const;

type Change = (by: Postern, id: string) => Promise<unknown>;

const changes: readonly (readonly [change: Change, after: string])[] = [
  [(by, id) => by.tokens.revoke(id), 'token_revoked'],
  [(by, id) => by.tokens.delete(id), 'token_unknown'],
  [(by, id) => by.tokens.update(id, { types: { developer: { scopes: ['models:read'] } } }), 'scope_missing'],
];

describe.each([200, 5_000])('two processes, one of which reads from a replica that is %i ms behind', (behind) => {
  const schema = aSchema();
  const store = postgresStore({ connectionString: server.url(), schema, heartbeat: '300ms' });
  const postern = createPostern({ store });
  const peer = startChild('./postgres-mirror-peer.ts', [server.url(), replica.url(), schema]);
  const there = (token: string, endpoint?: string) =>
    askChild<{ verdict: string; answers: MirrorAnswer[] }>(peer, { command: 'ask', argument: { token, endpoint } });
  /** Tokens that the other process has read from the replica, as its endpoint. */
  async function known(count: number) {
    const made = await Promise.all(Array.from({ length: count }, () => postern.tokens.create({ name: 'x', types })));
    for (const { token } of made) {
      await eventually(async () =>
        expect(await there(token, 'a')).toEqual({ verdict: 'allowed', answers: ['replica'] }),
      );
    }
    return made.map(({ token, record }) => ({ token, id: record.id }));
  }
  /** The answer stays the same until it comes from the replica. */
  async function stays(verdict: string, token: string, endpoint?: string) {
    const last = verdict === 'token_unknown' ? 'absent' : 'replica';
    for (let answers: readonly MirrorAnswer[] = []; !answers.includes(last); ) {
      const answer = await there(token, endpoint);
      expect(answer.verdict).toBe(verdict);
      answers = answer.answers;
      await setTimeout(50);
    }
  }
  /** Resolves when the other process has heard of everything. */
  const heard = async () => expect(await store.confirm?.(60_000)).toMatchObject({ missing: 0 });

  beforeAll(async () => {
    await replica.delay(behind);
    await store.migrate();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
  });
  afterAll(async () => {
    await askChild(peer, { command: 'close' });
    await postern.close();
  });

  it('a new token works at once', async () => {
    for (let made = 0; made < 5; made++) {
      const { token } = await postern.tokens.create({ name: 'x', types });
      expect((await there(token)).verdict).toBe('allowed');
    }
  });

  it('revoked, deleted and narrowed tokens, and a private endpoint, are refused once the feed has told of it, and ever after', async () => {
    const tokens = await known(changes.length);
    const changed = changes.map(([change, after], index) => ({ change, after, ...tokens[index] }) as const);
    for (const { change, id = '' } of changed) await change(postern, id);
    await heard();
    for (const { after, token = '' } of changed) expect((await there(token)).verdict).toBe(after);
    for (const { after, token = '' } of changed) await stays(after, token);
    const [last] = await known(1);
    await postern.endpoints.update('a', { access: 'private' });
    await heard();
    await stays('endpoint_private', last?.token ?? '', 'a');
  });
});

describe('a process that reads from a replica', () => {
  beforeAll(() => replica.delay(200));
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function world(options: Partial<PostgresStoreOptions> & { maxLag?: '1s' } = {}) {
    const { maxLag = '30s', ...rest } = options;
    const schema = aSchema();
    const far = createPostern({ store: postgresStore({ connectionString: server.url(), schema }) });
    const store = postgresStore({
      connectionString: server.url(),
      schema,
      heartbeat: '300ms',
      reader: { connectionString: replica.url(), maxLag },
      ...(rest as object),
    });
    const feed = listen(store);
    const events: PosternEvent[] = [];
    const near = createPostern({ store, cache: { ttl: '1ms' }, onEvent: (event) => events.push(event) });
    closing.push(
      () => near.close(),
      () => far.close(),
    );
    let answers: MirrorAnswer[] = [];
    store.mirror?.watch({ used: () => {}, answered: (by) => answers.push(by) });
    const asked = async (token: string) => {
      // Longer than the cache keeps the last answer.
      await setTimeout(10);
      answers = [];
      return [verdict(await near.authorize({ token, requirement: write })), ...new Set(answers)];
    };
    const { token, record } = await far.tokens.create({ name: 'x', types });
    const isUsed = (outcome = 'allowed') =>
      eventually(async () => expect(await asked(token)).toEqual([outcome, 'replica']));
    await isUsed();
    await feed.until(({ kind }) => kind === 'restored');
    const readerIs = (used: boolean) =>
      eventually(async () =>
        expect(events.filter(({ type }) => type === 'reader').at(-1)).toMatchObject({ type: 'reader', used }),
      );
    const heard = async () => expect(await store.confirm?.(60_000)).toMatchObject({ missing: 0 });
    return { schema, far, near, store, feed, events, token, id: record.id, asked, isUsed, readerIs, heard };
  }

  it('goes on with the primary while the replica is stopped, and comes back to it', async () => {
    const { far, token, id, asked, isUsed, readerIs, heard, near, events } = await world();
    onTestFinished(() => replica.start().catch(() => {}));
    await replica.stop();
    for (let call = 0; call < 20; call++) expect((await asked(token))[0]).toBe('allowed');
    await readerIs(false);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'reader' }));
    await far.tokens.revoke(id);
    await heard();
    expect(await asked(token)).toEqual(['token_revoked', 'unused']);
    await replica.start();
    await readerIs(true);
    await isUsed('token_revoked');
    expect((await near.tokens.get(id))?.revokedAt).not.toBeNull();
  });

  it('does not use a replica that applies nothing more, and says so', async () => {
    const { far, token, id, asked, isUsed, readerIs, heard } = await world({ maxLag: '1s' });
    onTestFinished(() => replica.resume());
    await replica.pause();
    await far.tokens.revoke(id);
    await heard();
    expect((await asked(token))[0]).toBe('token_revoked');
    await readerIs(false);
    expect(await asked(token)).toEqual(['token_revoked', 'unused']);
    await replica.resume();
    await readerIs(true);
    await isUsed('token_revoked');
  });

  it('reads from the primary while its feed is lost, and until the replica has what was missed', async () => {
    const proxy = await startProxy(server.port);
    closing.push(() => proxy.close());
    const name = aSchema();
    const listening = `postgres://postgres@127.0.0.1:${proxy.port}/postgres?application_name=${name}`;
    const { far, token, id, feed, asked, isUsed } = await world({ listen: listening, prepare: true });
    feed.told.length = 0;
    proxy.refuse(true);
    await ask(server.url(), 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
      name,
    ]);
    await feed.until(({ kind }) => kind === 'lost');
    await replica.pause();
    onTestFinished(() => replica.resume());
    await far.tokens.revoke(id);
    expect(await asked(token)).toEqual(['token_revoked', 'unused']);
    proxy.refuse(false);
    await feed.until(({ kind }) => kind === 'restored');
    for (let call = 0; call < 50; call++) {
      const answer = await asked(token);
      expect(answer[0]).toBe('token_revoked');
      expect(answer).not.toContain('replica');
    }
    await replica.resume();
    await isUsed('token_revoked');
  });

  it('asks the primary, not a replica that hangs', async () => {
    const proxy = await startProxy(replica.port);
    closing.push(() => proxy.close());
    const through = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const { far, token, id, asked, readerIs, heard } = await world({ reader: { connectionString: through } });
    proxy.freeze(true);
    expect((await asked(token))[0]).toBe('allowed');
    await readerIs(false);
    await far.tokens.revoke(id);
    await heard();
    expect(await asked(token)).toEqual(['token_revoked', 'unused']);
    proxy.thaw();
    await readerIs(true);
  });

  it('does not use a replica that has become a primary of its own', async () => {
    const other = await startReplica(server);
    closing.push(() => other.dispose());
    const reader = { connectionString: other.url(), maxLag: '1s' } as const;
    const { far, token, id, asked, readerIs, heard } = await world({ reader });
    await other.promote();
    await far.tokens.revoke(id);
    await heard();
    expect((await asked(token))[0]).toBe('token_revoked');
    await readerIs(false);
    expect(await asked(token)).toEqual(['token_revoked', 'unused']);
  });

  it('reads by one prepared statement, in which the mark is of the same snapshot', async () => {
    const { token, asked } = await world();
    expect(await asked(token)).toEqual(['allowed', 'replica']);
    const rows = await ask(replica.url(), "SELECT query FROM pg_stat_activity WHERE query LIKE '%AS mark%secrets%'");
    expect(rows.length).toBeGreaterThan(0);
  });
});
