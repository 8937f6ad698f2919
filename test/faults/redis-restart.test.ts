import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createPostern, type Postern } from 'postern';
import { type RedisClient, redisStore } from 'postern/stores/redis';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { redisCli, useRedis } from '../support/redis-server.js';

const server = await useRedis();
const types = { developer: { scopes: ['models:write'] } } as const;

describe('Redis killed (SIGKILL) and started again under load', () => {
  const { url, port, kill, start } = server;

  /** The number of each expected and given answer: `good ok`, `revoked unavailable`, … */
  function load(postern: Postern, tokens: { readonly good: string[]; readonly revoked: string[] }) {
    const seen = new Map<string, number>();
    let going = true;
    const ask = async (kind: 'good' | 'revoked') => {
      for (let index = 0; going; index++) {
        const token = tokens[kind][index % tokens[kind].length] as string;
        const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
        const answer = `${kind} ${decision.allowed ? 'allowed' : decision.reason}`;
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
        // A store that can not be reached answers at once.
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const running = [...Array(8).fill('good'), ...Array(8).fill('revoked')].map(ask);
    return {
      seen,
      async until(answer: string) {
        while (!seen.has(answer)) await new Promise((resolve) => setImmediate(resolve));
      },
      async stop() {
        going = false;
        await Promise.all(running);
      },
    };
  }

  /** Makes and revokes tokens. Acknowledged changes must survive. */
  function write(postern: Postern) {
    const created: string[] = [];
    const revoked: string[] = [];
    let going = true;
    const work = async () => {
      for (let index = 0; going; index++) {
        try {
          const { token, record } = await postern.tokens.create({ name: `written ${index}`, types });
          if (index % 2 === 0) created.push(token);
          else {
            await postern.tokens.revoke(record.id);
            revoked.push(token);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'unavailable' });
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    const running = Array.from({ length: 4 }, work);
    return {
      created,
      revoked,
      /** Waits for this many further acknowledgements. */
      async more(count: number) {
        const enough = created.length + revoked.length + count;
        while (created.length + revoked.length < enough) await new Promise((resolve) => setImmediate(resolve));
      },
      async stop() {
        going = false;
        await Promise.all(running);
      },
    };
  }

  const clients: [string, () => { client: RedisClient; end(): unknown } | null][] = [
    ['a URL', () => null],
    [
      'an ioredis client with its defaults',
      () => {
        const client = new Redis(port, { lazyConnect: true });
        return { client, end: () => client.disconnect() };
      },
    ],
    [
      'a node-redis client with its defaults',
      () => {
        const client = createClient({ url });
        return { client, end: () => client.destroy() };
      },
    ],
  ];

  it.each(clients)('gives no wrong answer, loses no acknowledged change, and works again (%s)', async (_name, make) => {
    const made = make();
    const prefix = randomUUID();
    const common = { prefix, timeout: '300ms', heartbeat: '100ms' } as const;
    const store = made === null ? redisStore({ url, ...common }) : redisStore({ client: made.client, ...common });
    // Without a cache every call reads the store.
    const postern = createPostern({ store, cache: false });
    const patient = createPostern({ store: redisStore({ url, prefix }), cache: false });
    const tokens: { good: string[]; revoked: string[] } = { good: [], revoked: [] };
    for (let index = 0; index < 5; index++) {
      const good = await patient.tokens.create({ name: `good ${index}`, types });
      const revoked = await patient.tokens.create({ name: `revoked ${index}`, types });
      await patient.tokens.revoke(revoked.record.id);
      tokens.good.push(good.token);
      tokens.revoked.push(revoked.token);
    }
    const written = { created: [] as string[], revoked: [] as string[] };
    for (let round = 0; round < 3; round++) {
      const traffic = load(postern, tokens);
      const writer = write(postern);
      await traffic.until('good allowed');
      await traffic.until('revoked token_revoked');
      await writer.more(20);
      await kill();
      await traffic.until('good unavailable');
      await traffic.until('revoked unavailable');
      traffic.seen.delete('good allowed');
      await start();
      await traffic.until('good allowed');
      await writer.more(5);
      await Promise.all([traffic.stop(), writer.stop()]);
      for (const answer of traffic.seen.keys()) {
        expect(['good allowed', 'good unavailable', 'revoked token_revoked', 'revoked unavailable']).toContain(answer);
      }
      written.created.push(...writer.created);
      written.revoked.push(...writer.revoked);
    }
    for (const token of written.created) expect(await patient.authenticate(token)).toMatchObject({ ok: true });
    for (const token of written.revoked) {
      expect(await patient.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    }
    // No token is half there: each has its secret, its places in lists and its audit entry.
    const size = async (command: string, key: string) => Number(await redisCli(port, command, `{${prefix}}:${key}`));
    const count = await size('HLEN', 'tokens');
    expect(await size('HLEN', 'secrets')).toBe(count);
    expect(await size('ZCARD', 'index')).toBe(3 * count);
    expect((await size('ZCARD', 'log')) / 3).toBe(await size('HLEN', 'changes'));
    await Promise.all([postern.close(), patient.close()]);
    await made?.end();
  });

  it('loses no acknowledged entry, and no deleted one comes back', async () => {
    const prefix = randomUUID();
    const store = redisStore({ url, prefix, timeout: '300ms', heartbeat: '100ms' });
    const kept: string[] = [];
    const deleted: string[] = [];
    let going = true;
    const entry = (id: string) => ({ kind: 'login', id, value: id, expiresAt: null, version: 1 });
    const work = async (mine: number) => {
      for (let index = 0; going; index++) {
        const id = `${mine}-${index}`;
        try {
          if (!(await store.putEntry(entry(id), 0, 0))) throw new Error(`${id} was there already`);
          if (index % 2 === 0) kept.push(id);
          else if (await store.deleteEntry('login', id, 1, 0)) deleted.push(id);
        } catch (error) {
          expect(String(error)).not.toContain('was there already');
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    };
    const running = Array.from({ length: 4 }, (_, mine) => work(mine));
    for (let round = 0; round < 2; round++) {
      const enough = kept.length + 100;
      while (kept.length < enough) await new Promise((resolve) => setImmediate(resolve));
      await kill();
      await start();
    }
    going = false;
    await Promise.all(running);
    const patient = redisStore({ url, prefix });
    for (const id of kept) expect(await patient.findEntry('login', id, 0)).toEqual(entry(id));
    for (const id of deleted) expect(await patient.findEntry('login', id, 0)).toBe(null);
    await Promise.all([store.close(), patient.close()]);
  });

  it('a paused server is given up at the deadline, and does not make the change when it continues', async () => {
    const prefix = randomUUID();
    const store = redisStore({ url, prefix, timeout: '200ms', heartbeat: '100ms' });
    const postern = createPostern({ store, cache: false });
    const patient = createPostern({ store: redisStore({ url, prefix }), cache: false });
    const { token, record } = await patient.tokens.create({ name: 'x', types });
    await expect.poll(() => postern.authenticate(token)).toMatchObject({ ok: true });
    server.freeze();
    const attempts = [
      postern.tokens.create({ name: 'y', types }),
      postern.tokens.revoke(record.id),
      postern.endpoints.create({ id: 'a', access: 'public' }),
    ];
    for (const settled of await Promise.allSettled(attempts)) {
      expect(settled).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
    expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'unavailable' });
    server.thaw();
    await expect.poll(() => postern.authenticate(token)).toMatchObject({ ok: true });
    expect(await redisCli(port, 'HLEN', `{${prefix}}:changes`)).toBe('1');
    expect((await patient.tokens.list()).items).toHaveLength(1);
    await Promise.all([postern.close(), patient.close()]);
  });
});
