import { createTestPostern } from 'postern/testing';
import { expect, test } from 'vitest';
import { refusal } from '../support/outcomes.js';

const granting = (...endpoints: readonly string[]) => ({ name: 'x', types: { user: { endpoints } } });

async function world(...endpoints: readonly string[]) {
  const made = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });
  for (const id of endpoints) await made.postern.endpoints.create({ id, access: 'protected' });
  const before = { one: made.store.count('findEndpoint'), many: made.store.count('findEndpoints') };
  const reads = () => [made.store.count('findEndpoint') - before.one, made.store.count('findEndpoints') - before.many];
  return { ...made, reads };
}

test('the endpoints of a token are read in one call of the store, and bound in their order', async () => {
  const names = Array.from({ length: 100 }, (_, number) => `e-${number}`);
  const { postern, reads } = await world(...names);
  const asked = names.toReversed();
  const { record } = await postern.tokens.create(granting(...asked));
  expect(reads()).toEqual([0, 1]);
  expect(record.types).toEqual({ user: { endpoints: asked } });
});

test('a single endpoint is read by its name', async () => {
  const { postern, reads } = await world('chat');
  await postern.tokens.create(granting('chat'));
  expect(reads()).toEqual([1, 0]);
});

test('tokens of one import that grant the same endpoints read them once', async () => {
  const { postern, reads } = await world('a', 'b', 'c');
  const inputs = Array.from({ length: 20 }, (_, number) => ({
    ...granting('a', 'b', 'c'),
    digest: String(number).padStart(64, '0'),
  }));
  const results = await postern.tokens.import(inputs);
  expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(reads()).toEqual([0, 1]);
});

test('the first name that is wrong is the one in the error', async () => {
  const { postern } = await world('a', 'b');
  const refused = (...endpoints: readonly string[]) => refusal(postern.tokens.create(granting(...endpoints)));
  expect(await refused('a', 'no', 'b', 'neither')).toMatchObject({
    code: 'endpoint_unknown',
    path: 'types.user.endpoints.1',
    message: expect.stringContaining('"no"'),
  });
  expect(await refused('a', 'Not A Name', 'no')).toMatchObject({ path: 'types.user.endpoints.1' });
});

test('a principal learns nothing of an endpoint that it does not hold, whatever it asks for beside it', async () => {
  const { postern, reads } = await world('mine', 'too', 'theirs');
  const { token } = await postern.tokens.create(granting('mine', 'too'));
  const outcome = await postern.authenticate(token);
  if (!outcome.ok) throw new Error(outcome.reason);
  const limited = postern.as(outcome.principal);
  for (const other of ['theirs', 'absent']) {
    const [one = 0, many = 0] = reads();
    const error = await refusal(limited.tokens.create(granting(other, 'mine')));
    expect(error).toMatchObject({ code: 'endpoint_not_granted', path: 'types' });
    // That of `mine` alone.
    expect(reads()).toEqual([one + 1, many]);
  }
});

test('a failure of the store is unavailable, and is not remembered', async () => {
  const { postern, store } = await world('a', 'b');
  store.fail('findEndpoints', 'reject');
  expect((await refusal(postern.tokens.create(granting('a', 'b')))).code).toBe('unavailable');
  store.mend();
  expect((await postern.tokens.create(granting('a', 'b'))).record.types).toEqual({ user: { endpoints: ['a', 'b'] } });
});

test('an endpoint that is created after a refusal is found', async () => {
  const { postern } = await world('a');
  expect((await refusal(postern.tokens.create(granting('a', 'b')))).code).toBe('endpoint_unknown');
  await postern.endpoints.create({ id: 'b', access: 'protected' });
  expect((await postern.tokens.create(granting('a', 'b'))).record.types).toEqual({ user: { endpoints: ['a', 'b'] } });
});
