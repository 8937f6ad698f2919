import { createPostern, type Denied, type Postern } from 'postern';
import type { Store } from 'postern/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPeer } from '../stores/child.js';
import { inPostgres, inRedis, openStore } from '../stores/databases.js';
import { listen } from '../stores/listening.js';
import { leasesOf } from '../support/leases.js';
import { useRedis } from '../support/redis-server.js';
import { usePostgres } from '../support/services.js';

const postgres = await usePostgres();
const redis = await useRedis();

const STORES = {
  postgres: { database: inPostgres(postgres), stop: () => postgres.stop('immediate') },
  redis: { database: inRedis(redis), stop: () => redis.kill() },
};

describe.each(Object.keys(STORES) as (keyof typeof STORES)[])('leases in one of two processes over %s', (kind) => {
  const { database, stop } = STORES[kind];
  let peer: ReturnType<typeof startPeer>;
  let store: Store;
  let postern: Postern;

  beforeAll(async () => {
    store = openStore(database);
    const feed = listen(store);
    // Nothing but the feed could end a lease before the test gives up.
    postern = createPostern({ store, cache: { ttl: '1h' }, onEvent: () => {} });
    await postern.endpoints.create({ id: 'summarizer', access: 'public' });
    await feed.next('restored');
    peer = startPeer(database);
    await peer.tell('create', ['the first call makes the connection']);
  });
  afterAll(async () => {
    // It may have nobody to say goodbye to.
    peer.child.kill();
    await postern.close();
  });

  /** A lease; `ended` resolves to the denial that ends it. */
  async function hold(requirement: { scope: 'models:write' } | { endpoint: string }) {
    const { token, record } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    let lease: { close(): void } | undefined;
    const ended = new Promise<Denied>((resolve) => {
      lease = leasesOf(postern).open({ token, requirement }, resolve);
    });
    return { id: record.id, ended, close: () => lease?.close() };
  }

  it('end when the other process revokes their token', async () => {
    const stays = await hold({ scope: 'models:write' });
    let aborted = false;
    void stays.ended.then(() => {
      aborted = true;
    });
    for (let round = 0; round < 10; round++) {
      const { id, ended } = await hold({ scope: 'models:write' });
      await peer.tell('revoke', id);
      expect((await ended).reason).toBe('token_revoked');
    }
    expect(aborted).toBe(false);
    stays.close();
  });

  it('end when the other process changes the access of their endpoint', async () => {
    const { ended } = await hold({ endpoint: 'summarizer' });
    await peer.tell('access', ['summarizer', 'private']);
    expect((await ended).reason).toBe('endpoint_private');
  });

  it('end as unavailable once the server is gone, after looks that found it so', async () => {
    const { ended } = await hold({ scope: 'models:write' });
    await stop();
    expect(await ended).toMatchObject({ reason: 'unavailable', cause: 'store' });
    expect(leasesOf(postern).count()).toEqual({ leases: 0, groups: 0 });
  });
});
