import { memoryStore } from 'postern';
import type { Invalidation, Store } from 'postern/store';
import { controlledStore } from 'postern/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { healthOf } from '../../src/cli/serve/health.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis-server.js';
import { theCommand } from './command.js';

const redis = await useRedis();
const postern = theCommand();

async function read(response: Response | null | undefined) {
  const { status, headers } = response as Response;
  return { status, type: headers.get('content-type'), body: await (response as Response).text() };
}

describe('the probes of postern serve', () => {
  it('follow a store that goes away and comes back, without a token and without a trace', async () => {
    const store = ['--store', redis.url, '--namespace', 'health'];
    const server = postern.start(['serve', '--port', '0', '--base-path', '/tokens', ...store]);
    const [, address = ''] = await server.until(/^Listening on (\S+)\n/);
    const [, token = ''] = await server.until(/Bootstrap token: (\S+)\n/);
    const { origin, pathname } = new URL(address);
    expect(pathname).toBe('/tokens');
    const probe = async (path: string) => read(await fetch(origin + path));
    const changes = async () => {
      const answer = await fetch(`${address}/api/v1/audit`, { headers: { authorization: `Bearer ${token}` } });
      return answer.text();
    };
    const before = await changes();
    const ok = { status: 200, type: 'application/json', body: '{"status":"ok"}' };
    expect([await probe('/healthz'), await probe('/readyz')]).toEqual([ok, ok]);
    expect(await changes()).toBe(before);

    await redis.kill();
    const away = await eventually(async () => {
      const answer = await probe('/readyz');
      expect(answer.status).toBe(503);
      return answer;
    });
    expect(await probe('/healthz')).toEqual(ok);
    expect(away.type).toBe('application/problem+json');
    expect(JSON.parse(away.body)).toEqual({
      type: 'about:blank',
      title: 'Service Unavailable',
      status: 503,
      code: 'unavailable',
      detail: expect.stringMatching(/^The store does not /),
    });
    await redis.start();
    await eventually(async () => expect(await probe('/readyz')).toEqual(ok));
    expect(await changes()).toBe(before);
    // All else is below the base path.
    expect((await probe('/demo')).status).toBe(404);
    expect((await probe('/tokens/demo')).status).toBe(401);
    expect((await probe('/tokens/readyz')).status).toBe(404);
  });
});

describe('readiness', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const answerOf = async (health: ReturnType<typeof healthOf>, path = '/readyz', method = 'GET') =>
    read(await health.answer(new Request(`http://x${path}`, { method })));

  it('ends while the feed of changes is lost', async () => {
    let tell: (invalidation: Invalidation) => void = () => {};
    let listens = false;
    const inner: Store = {
      ...memoryStore(),
      subscribe(listener) {
        tell = listener;
        listens = true;
        return () => {
          listens = false;
        };
      },
    };
    const health = healthOf(inner, Date.now);
    expect((await answerOf(health)).status).toBe(200);
    tell({ kind: 'lost', error: new Error('postgres://u:secret@db') });
    const lost = await answerOf(health);
    expect(lost).toMatchObject({ status: 503, body: expect.stringContaining('changes of other processes') });
    expect(lost.body).not.toContain('secret');
    tell({ kind: 'restored' });
    expect((await answerOf(health)).status).toBe(200);
    health.close();
    expect(listens).toBe(false);
  });

  it('ends while the store fails, and says nothing of its error', async () => {
    vi.useFakeTimers();
    const store = controlledStore();
    const health = healthOf(store, Date.now);
    store.failAll(new Error('postgres://u:secret@db'));
    const failed = await answerOf(health);
    expect(failed).toMatchObject({ status: 503, body: expect.stringContaining('The store does not answer.') });
    expect(failed.body).not.toContain('secret');
    store.mend();
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answerOf(health)).status).toBe(200);
  });

  it('ends while the store does not answer, and a thousand probes share one read', async () => {
    vi.useFakeTimers();
    const store = controlledStore();
    const health = healthOf(store, Date.now);
    const held = store.hold('findEntry', 'before');
    const answers = Array.from({ length: 1_000 }, () => answerOf(health));
    const call = await held.next();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([503]));
    expect(store.count()).toBe(1);
    held.end();
    call.release();
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await answerOf(health)).status).toBe(200);
    expect(store.count()).toBe(2);
  });

  it('has an answer for exactly these paths, and takes GET and HEAD', async () => {
    const health = healthOf(memoryStore(), Date.now);
    for (const path of ['/healthz/', '/healthz/x', '/Healthz', '//readyz', '/', '/tokens/readyz']) {
      expect(health.answer(new Request(`http://x${path}`)), path).toBeNull();
    }
    for (const path of ['/healthz', '/readyz']) {
      expect(await answerOf(health, path, 'HEAD')).toMatchObject({ status: 200, body: '' });
      expect((await answerOf(health, path, 'POST')).status).toBe(405);
    }
  });
});
