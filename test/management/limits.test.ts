import { memoryRateLimiter } from 'postern';
import { describe, expect, test } from 'vitest';
import { TOKENS, type World, world } from './world.js';

const LIMITS = { rate_limit: { points: 3, duration: '1m' }, quota: { points: 2, refill: '30d' } };
const INPUT = { name: 'x', types: { developer: { scopes: ['models:read'] } } };

const limited = () => world({ postern: { rateLimiter: memoryRateLimiter() } });

async function create({ ask }: World, more: object = LIMITS) {
  const { body } = await ask(TOKENS, { method: 'POST', token: 'admin', json: { ...INPUT, ...more } });
  return body;
}

const patch = ({ ask }: World, uid: string, json: object, token = 'admin') =>
  ask(`${TOKENS}/${uid}`, { method: 'PATCH', token, json });

const left = async ({ ask }: World, uid: string) =>
  (await ask(`${TOKENS}/${uid}`, { token: 'admin' })).body.limits.map(
    ({ policy, remaining }: { policy: string; remaining: number }) => `${policy} ${remaining}`,
  );

describe('the limits of a token', () => {
  test('are set with it, shown with it and in lists, changed and removed', async () => {
    const made = await limited();
    const { uid, ...created } = await create(made);
    expect(created).toMatchObject(LIMITS);
    const [listed] = (await made.ask(`${TOKENS}?count=1`, { token: 'admin' })).body.items;
    expect(listed).toMatchObject({ uid, ...LIMITS });
    expect((await patch(made, uid, { name: 'y' })).body).toMatchObject({ name: 'y', ...LIMITS });
    expect((await patch(made, uid, { quota: null })).body).toMatchObject({ ...LIMITS, quota: null });
    const rate_limit = { points: 9, duration: '1h' };
    expect((await patch(made, uid, { rate_limit })).body).toMatchObject({ rate_limit, quota: null });
    expect((await made.postern.tokens.get(uid))?.rateLimit).toEqual({ points: 9, duration: 3_600_000 });
  });

  test('show what is left of them and when it comes back, and are filled again', async () => {
    const made = await limited();
    const { uid, token } = await create(made);
    const resets = new Date(made.clock.now() + 60_000).toISOString();
    await made.postern.authorize({ token, requirement: { scope: 'models:read' } });
    made.clock.advance(1_000);
    const { body } = await made.ask(`${TOKENS}/${uid}`, { token: 'admin' });
    expect(body.limits).toEqual([
      { policy: 'rate', points: 3, duration: '1m', remaining: 2, resets_at: resets },
      { policy: 'quota', points: 2, duration: '30d', remaining: 1, resets_at: expect.any(String) },
    ]);
    const reset = await made.ask(`${TOKENS}/${uid}/reset_limits`, { method: 'POST', token: 'admin', json: {} });
    expect(reset.status).toBe(200);
    expect(await left(made, uid)).toEqual(['rate 3', 'quota 2']);
    expect((await made.postern.tokens.limits(uid)).map(({ resetsAt }) => resetsAt)).toEqual([null, null]);
  });

  test('of another organization, or of nobody, are unknown', async () => {
    const made = await limited();
    const { uid } = await create(made);
    for (const [token, id] of [
      ['other-admin', uid],
      ['admin', 'nonsense'],
    ] as const) {
      const reset = await made.ask(`${TOKENS}/${id}/reset_limits`, { method: 'POST', token, json: {} });
      expect(reset.status).toBe(404);
    }
    const reader = await made.ask(`${TOKENS}/${uid}/reset_limits`, { method: 'POST', token: 'reader', json: {} });
    expect(reader.status).toBe(403);
  });

  test('can not be changed by a caller that has limits itself', async () => {
    const made = await limited();
    const { uid, token } = await create(made, { ...LIMITS, types: { developer: { scopes: ['*'] } } });
    expect((await patch(made, uid, { quota: null }, token)).body).toMatchObject({ code: 'limits_forbidden' });
    const reset = await made.ask(`${TOKENS}/${uid}/reset_limits`, { method: 'POST', token, json: {} });
    expect(reset.status).toBe(403);
  });

  test.each([
    [{ rate_limit: { points: 0, duration: '1m' } }, 'rate_limit.points'],
    [{ rate_limit: { points: 1, duration: 'soon' } }, 'rate_limit.duration'],
    [{ quota: { points: 1 } }, 'quota.refill'],
    [{ quota: { points: 1, refill: '1ms' } }, 'quota.refill'],
  ])('are refused as %j', async (limits, path) => {
    const made = await limited();
    const refused = await made.ask(TOKENS, { method: 'POST', token: 'admin', json: { ...INPUT, ...limits } });
    expect([refused.status, refused.body.path]).toEqual([400, path]);
  });

  test('are refused by a server that counts none', async () => {
    const made = await world();
    const refused = await made.ask(TOKENS, { method: 'POST', token: 'admin', json: { ...INPUT, ...LIMITS } });
    expect([refused.status, refused.body.path]).toEqual([400, 'rate_limit']);
    expect((await create(made, { rate_limit: null, quota: null })).quota).toBeNull();
  });

  test('do not hide the token while their counts can not be read', async () => {
    const { consume, peek } = memoryRateLimiter();
    let down = false;
    const rateLimiter = {
      consume,
      peek: (...given: Parameters<typeof peek>) => (down ? Promise.reject(new Error('down')) : peek(...given)),
    };
    const made = await world({ postern: { rateLimiter } });
    const { uid } = await create(made);
    down = true;
    const { status, body } = await made.ask(`${TOKENS}/${uid}`, { token: 'admin' });
    expect([status, body.limits, body.quota]).toEqual([200, null, LIMITS.quota]);
  });
});
