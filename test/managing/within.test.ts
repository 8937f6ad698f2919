import { createTestPostern } from 'postern/testing';
import { expect, test } from 'vitest';
import { all } from '../support/lives.js';
import { refusal } from '../support/outcomes.js';

test('a store without transactions refuses one, and writes nothing', async () => {
  const { postern } = createTestPostern();
  const made = postern.tokens.create({ name: 'x', types: all }, { within: {} });
  expect(await refusal(made)).toMatchObject({ code: 'input_invalid', path: 'within' });
  expect((await postern.tokens.list()).items).toEqual([]);
});

test('a misspelled `within` is refused, not ignored', async () => {
  const { postern, issue } = createTestPostern();
  const { record } = await issue({ types: all });
  await postern.endpoints.create({ id: 'a', access: 'public' });
  const wrong = { wihtin: {} } as never;
  const calls = [
    postern.tokens.create({ name: 'x', types: all }, wrong),
    postern.tokens.update(record.id, { name: 'y' }, wrong),
    postern.tokens.rotate(record.id, wrong),
    postern.tokens.revoke(record.id, wrong),
    postern.tokens.delete(record.id, wrong),
    postern.endpoints.create({ id: 'b', access: 'public' }, wrong),
    postern.endpoints.update('a', { access: 'private' }, wrong),
    postern.endpoints.delete('a', wrong),
  ];
  for (const call of calls) {
    const { code, message } = await refusal(call);
    expect(code).toBe('option_unknown');
    expect(message).toMatch(/did you mean .?within/i);
  }
  expect((await postern.tokens.list()).items).toHaveLength(1);
});

test.each([undefined, null, 'tx', 1])(
  'a transaction that is %s is refused: the call would write by itself',
  async (given) => {
    const { postern, issue } = createTestPostern();
    const { record } = await issue({ types: all });
    const revoked = postern.tokens.revoke(record.id, { within: given as never });
    expect(await refusal(revoked)).toMatchObject({ code: 'input_invalid', path: 'within' });
    expect((await postern.tokens.get(record.id))?.revokedAt).toBeNull();
  },
);

test('a property of `Object.prototype` is no transaction', async () => {
  const { postern, issue } = createTestPostern();
  const { record } = await issue({ types: all });
  Object.defineProperty(Object.prototype, 'within', { value: {}, configurable: true, enumerable: false });
  try {
    await postern.tokens.revoke(record.id, {});
  } finally {
    delete (Object.prototype as { within?: unknown }).within;
  }
  expect((await postern.tokens.get(record.id))?.revokedAt).not.toBeNull();
});

test('methods may still be given to `map`', async () => {
  const { postern, issue } = createTestPostern();
  const made = [await issue({ types: all }), await issue({ types: all })];
  await Promise.all(made.map(({ record }) => record.id).map(postern.tokens.delete as (id: string) => Promise<void>));
  expect((await postern.tokens.list()).items).toEqual([]);
});
