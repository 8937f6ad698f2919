import type { Postern } from 'postern';
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
  for (const call of callsWith(postern, record.id, { wihtin: {} })) {
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

class Transaction {
  readonly #client = {};
  query() {
    return this.#client;
  }
}

test.each([
  ['an object of a class', new Transaction()],
  ['a function', Object.assign(() => {}, { raw: () => {} })],
])('a transaction in place of the options, %s, is refused: the call would be done outside of it', async (_, tx) => {
  const { postern, issue } = createTestPostern();
  const { record } = await issue({ types: all });
  const endpoint = await postern.endpoints.create({ id: 'a', access: 'public' });
  for (const call of callsWith(postern, record.id, tx)) expect((await refusal(call)).code).toBe('input_invalid');
  expect((await postern.tokens.list()).items).toEqual([record]);
  expect((await postern.endpoints.list()).items).toEqual([endpoint]);
});

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

test('a method that can not join a transaction refuses one, and does nothing', async () => {
  const { postern, issue } = createTestPostern();
  const { record } = await issue({ owner: 'ann', types: all });
  const within = { within: {} };
  const refused = { code: 'input_invalid', path: 'within' };
  await expect((postern.tokens.revokeOwned as Method)({ owner: 'ann' }, within)).rejects.toMatchObject(refused);
  await expect((postern.tokens.pruneExpired as Method)({ olderThan: '1d' }, within)).rejects.toMatchObject(refused);
  await expect((postern.tokens.resetLimits as Method)(record.id, within)).rejects.toMatchObject(refused);
  expect(await postern.tokens.get(record.id)).toMatchObject({ revokedAt: null });
});

type Method = (...given: unknown[]) => Promise<unknown>;

/** Every method that takes `within`, with these options. */
function callsWith(postern: Postern, id: string, given: object): Promise<unknown>[] {
  const options = given as never;
  return [
    postern.tokens.create({ name: 'x', types: all }, options),
    postern.tokens.update(id, { name: 'y' }, options),
    postern.tokens.rotate(id, options),
    postern.tokens.revoke(id, options),
    postern.tokens.delete(id, options),
    postern.endpoints.create({ id: 'b', access: 'public' }, options),
    postern.endpoints.update('a', { access: 'private' }, options),
    postern.endpoints.delete('a', options),
  ];
}
