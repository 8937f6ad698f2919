import { memoryRateLimiter } from 'postern/limits';
import { describe, expect, test } from 'vitest';
import { answer, begin, CODE, MINUTE, poll } from './logins.js';
import { type World, world } from './world.js';

describe('the rate limit of logins', () => {
  const clientAddress = ({ headers }: Request) => headers.get('x-test-address');
  const begun = async (made: World, times: number, address: string) => {
    const answers = await Promise.all(
      Array.from({ length: times }, () => made.ask(CODE, { headers: { 'x-test-address': address } })),
    );
    return answers.filter(({ status }) => status === 200).length;
  };

  test('bounds their start by address, far above the need of one terminal', async () => {
    const made = await world({ options: { clientAddress } });
    expect(await begun(made, 20, '192.0.2.1')).toBe(20);
    expect(await begun(made, 300, '192.0.2.1')).toBe(280);
    expect(await begun(made, 1, '192.0.2.2')).toBe(1);
    const refused = await made.ask(CODE, { headers: { 'x-test-address': '192.0.2.1' } });
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '60',
    ]);
    made.clock.advance(MINUTE);
    expect(await begun(made, 1, '192.0.2.1')).toBe(1);
  });

  test('bounds their start in all, from any number of addresses', async () => {
    const made = await world({ options: { clientAddress } });
    let all = 0;
    for (let i = 0; i < 21; i++) all += await begun(made, 300, `192.0.2.${i}`);
    expect(all).toBe(6_000);
    expect(made.store.count('putEntry')).toBe(6_000);
  });

  test('bounds polls for each login, not for others of the same address', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const [eager, other] = [await begin(made), await begin(made)];
    for (let i = 0; i < 120; i++) expect(await poll(made, eager)).toBe('401 authorization_pending');
    expect(await poll(made, eager)).toBe('429 rate_limited');
    expect(await poll(made, other)).toBe('401 authorization_pending');
  });

  test('bounds answers of each person, not of others at the same address', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const code = await begin(made);
    for (let i = 0; i < 60; i++) await answer(made, 'a'.repeat(22), '', {});
    expect((await answer(made, code, '', {})).status).toBe(429);
    expect((await answer(made, code, '', {}, { person: 'ada' })).status).toBe(200);
    made.clock.advance(MINUTE);
    expect((await answer(made, code, '', {})).status).toBe(200);
  });

  test('uses the shared limiter of the instance, and refuses if that is down', async () => {
    const keys: string[] = [];
    let down = false;
    const inner = memoryRateLimiter();
    const consume: typeof inner.consume = (key, ...rest) => {
      keys.push(key);
      return down ? Promise.reject(new Error('redis is down')) : inner.consume(key, ...rest);
    };
    const made = await world({ options: { clientAddress }, postern: { rateLimiter: { ...inner, consume } } });
    expect(await begun(made, 1, '192.0.2.1')).toBe(1);
    expect(keys).toEqual(['login:begin:address:192.0.2.1', 'login:begin:all:']);
    const code = await begin(made);
    await poll(made, code);
    expect(keys.join()).not.toContain(code);
    down = true;
    expect((await made.ask(CODE)).status).toBe(503);
  });
});
