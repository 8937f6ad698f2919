import { createPostern, memoryStore } from 'postern';
import { controlledStore, testClock } from 'postern/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';

afterEach(() => void vi.restoreAllMocks());

async function setUp(options: { onEvent?: () => void } = {}) {
  const lines: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(String(line)));
  const clock = testClock();
  const store = controlledStore(memoryStore());
  const postern = createPostern({ store, cache: false, clock: clock.now, ...options });
  const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
  const ask = () => postern.authorize({ token, requirement: { authenticated: true } });
  return { lines, clock, store, token, ask };
}

describe('without onEvent', () => {
  test('a fault is printed by console.error, at most once a second, with the number of skipped ones', async () => {
    const { lines, clock, store, ask } = await setUp();
    store.fail('findTokenByDigest', 'reject', new Error('connect ECONNREFUSED 10.0.0.1:5432'));
    for (let i = 0; i < 20; i++) await ask();
    expect(lines).toEqual([expect.stringMatching(/^postern: a fault \(decision\): .*ECONNREFUSED 10\.0\.0\.1:5432/)]);
    clock.advance(1_000);
    await ask();
    expect(lines.slice(1)).toEqual([expect.stringContaining('(19 more since the last)')]);
  });

  test('other events are not printed', async () => {
    const { lines, ask } = await setUp();
    await ask();
    expect(lines).toEqual([]);
  });

  test('secrets and control characters in an error are not printed', async () => {
    const { lines, clock, store, token, ask } = await setUp();
    const secrets = [
      token,
      `Bearer 17|${'a1B2'.repeat(10)}`,
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl',
      'postgres://ann:hunter2@db/x',
    ];
    for (const secret of secrets) {
      store.fail(
        'findTokenByDigest',
        'reject',
        new Error(`no row for ${secret}\u001b[2J`, { cause: new Error(secret) }),
      );
      clock.advance(1_000);
      await ask();
    }
    expect(lines).toHaveLength(secrets.length);
    for (const part of [token.slice(9), 'a1B2a1B2', 'eyJzdWIi', 'hunter2', '\u001b']) {
      expect(lines.join()).not.toContain(part);
    }
  });

  test('a thrown value that is not an error, and a failing console, change no decision', async () => {
    const { store, ask } = await setUp();
    vi.spyOn(console, 'error').mockImplementation(() => {
      throw new Error('the pipe is closed');
    });
    store.fail('findTokenByDigest', 'reject', 'no error');
    expect(await ask()).toMatchObject({ allowed: false, reason: 'unavailable' });
  });
});

test('with onEvent nothing is printed by console.error', async () => {
  const { lines, store, ask } = await setUp({ onEvent: () => {} });
  store.fail('findTokenByDigest', 'reject');
  await ask();
  expect(lines).toEqual([]);
});
