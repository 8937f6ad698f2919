import { createHash } from 'node:crypto';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const secretOf = (number: number) => `old_${String(number).padStart(32, 'x')}`;
const digestOf = (number: number) => createHash('sha256').update(secretOf(number)).digest('hex');
const aKey = (number: number) => ({ name: `key ${number}`, types, digest: digestOf(number), owner: `owner ${number}` });
const world = () => createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });

const inWords = (results: readonly PromiseSettledResult<{ readonly name: string }>[]) =>
  results.map((each) => (each.status === 'fulfilled' ? each.value.name : each.reason.code));

describe('an import of many', () => {
  test('has a result for each input in its order, and one that is refused stops no other', async () => {
    const { postern } = world();
    await postern.tokens.import(aKey(1));
    const inputs = [
      aKey(0),
      aKey(1),
      { ...aKey(2), digest: 'short' },
      { ...aKey(3), types: { developer: { scopes: ['no'] } } },
      { ...aKey(4), expiresAt: new Date(0) },
      { ...aKey(5), types: { user: { endpoints: ['nowhere'] } } },
      { ...aKey(6), within: {} },
      { ...aKey(7), digest: digestOf(0).toUpperCase() },
      null,
      aKey(8),
    ];
    expect(inWords(await postern.tokens.import(inputs as never[]))).toEqual([
      'key 0',
      'token_exists',
      'input_invalid',
      'scope_unknown',
      'expiry_past',
      'endpoint_unknown',
      'option_unknown',
      'token_exists',
      'input_invalid',
      'key 8',
    ]);
    expect((await postern.tokens.list()).items.map(({ name }) => name).sort()).toEqual(['key 0', 'key 1', 'key 8']);
    expect(await postern.tokens.import([])).toEqual([]);
  });

  test('works through more than one batch, with an event and an entry in the audit log for each', async () => {
    const { postern, events, store } = world();
    const results = await postern.tokens.import(Array.from({ length: 250 }, (_, number) => aKey(number)));
    expect(results.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(store.count('insertTokens')).toBe(3);
    const { items } = await postern.audit.list({ type: 'token.imported', limit: 1_000 });
    expect(new Set(items.map(({ subject }) => subject)).size).toBe(250);
    expect(events.filter(({ type }) => type === 'token.imported')).toHaveLength(250);
    expect((await postern.authenticate(secretOf(249))).ok).toBe(true);
  });

  test('reads an endpoint that all of them grant once for each batch', async () => {
    const { postern, store } = world();
    await postern.endpoints.create({ id: 'chat', access: 'protected' });
    const before = store.count('findEndpoint');
    const user = { user: { endpoints: ['chat'] } } as const;
    await postern.tokens.import(Array.from({ length: 50 }, (_, number) => ({ ...aKey(number), types: user })));
    expect(store.count('findEndpoint') - before).toBe(1);
  });

  test('forgets that the tokens were unknown', async () => {
    const { postern } = world();
    expect((await postern.authenticate(secretOf(1))).ok).toBe(false);
    await postern.tokens.import([aKey(1), aKey(2)]);
    expect((await postern.authenticate(secretOf(1))).ok).toBe(true);
  });

  test('rejects as a whole in an outage, and can be repeated', async () => {
    const { postern, store } = world();
    store.fail('insertTokens', 'written');
    expect((await refusal(postern.tokens.import([aKey(1), aKey(2)]))).code).toBe('unavailable');
    store.mend();
    expect(inWords(await postern.tokens.import([aKey(1), aKey(2), aKey(3)]))).toEqual([
      'token_exists',
      'token_exists',
      'key 3',
    ]);
  });

  test('is refused without a form, like that of one', async () => {
    const { postern } = createTestPostern();
    for (const input of [aKey(1), [aKey(1)] as never]) {
      expect(await refusal(postern.tokens.import(input))).toMatchObject({
        code: 'option_invalid',
        path: 'importedTokens',
      });
    }
  });
});

describe('an import of many beside the ending of an owner', () => {
  const ann = (number: number) => ({ ...aKey(number), owner: 'ann' });
  const shared = (number: number) => ({ ...ann(number), ownership: 'organization' as const });

  test('withdraws that owner’s tokens, and leaves the others', async () => {
    const { postern, store } = world();
    const gate = store.hold('insertTokens', 'before');
    const late = postern.tokens.import([aKey(1), ann(2), shared(3), ann(4), aKey(5)]);
    const held = await gate.next();
    gate.end();
    await postern.tokens.revokeOwned({ owner: 'ann' });
    held.release();
    expect(inWords(await late)).toEqual(['key 1', 'conflict', 'key 3', 'conflict', 'key 5']);
    for (const number of [2, 4]) expect((await postern.authenticate(secretOf(number))).ok).toBe(false);
    for (const number of [1, 3, 5]) expect((await postern.authenticate(secretOf(number))).ok).toBe(true);
  });

  test('makes none while the barrier stands', async () => {
    const { postern, store } = world();
    await postern.tokens.create({ name: 'x', types, owner: 'ann' });
    const gate = store.hold('revokeToken', 'before');
    const ending = postern.tokens.revokeOwned({ owner: 'ann' });
    const held = await gate.next();
    gate.end();
    expect(inWords(await postern.tokens.import([ann(1), aKey(2)]))).toEqual(['conflict', 'key 2']);
    held.release();
    expect(await ending).toBe(1);
    expect(inWords(await postern.tokens.import([ann(1)]))).toEqual(['key 1']);
  });

  test('withdraws all of the batch if the barrier can not be looked at again', async () => {
    const { postern, store } = world();
    const gate = store.hold('insertTokens', 'after');
    const late = postern.tokens.import([aKey(1), ann(2)]);
    const held = await gate.next();
    gate.end();
    store.fail('findEntries', 'reject');
    held.release();
    expect((await refusal(late)).code).toBe('unavailable');
    store.mend();
    expect((await postern.tokens.list()).items).toEqual([]);
  });
});
