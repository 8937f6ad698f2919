import { createPostern, memoryStore, scopeAccess } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, thrown } from '../support/outcomes.js';

const store = memoryStore();

describe('createPostern refuses', () => {
  test.each([
    ['no options', undefined, 'option_invalid', undefined, 'createPostern'],
    ['null', null, 'option_invalid', undefined, 'createPostern'],
    ['no store', {}, 'option_invalid', 'store', 'memoryStore()'],
    ['an object that is not a store', { store: {} }, 'option_invalid', 'store', 'it lacks findTokenByDigest'],
    [
      'a store without one of the methods',
      { store: { ...store, recordUsage: undefined } },
      'option_invalid',
      'store',
      'it lacks recordUsage',
    ],
    [
      'an unknown option',
      { store, tokenTtl: 5 },
      'option_unknown',
      'tokenTtl',
      'tokenTtl of createPostern: is unknown',
    ],
    [
      'an unknown cache option',
      { store, cache: { size: 5 } },
      'option_unknown',
      'cache.size',
      'cache.size of createPostern: is unknown',
    ],
    ['an empty organization', { store, organization: '' }, 'option_invalid', 'organization', '1 to 100'],
    [
      'a prefix of upper case',
      { store, tokenPrefix: 'ACME' },
      'option_invalid',
      'tokenPrefix',
      'use 2 to 16 lower-case',
    ],
    [
      'a prefix with the separator',
      { store, tokenPrefix: 'a_b' },
      'option_invalid',
      'tokenPrefix',
      'use 2 to 16 lower-case',
    ],
    ['a prefix of one letter', { store, tokenPrefix: 'a' }, 'option_invalid', 'tokenPrefix', 'use 2 to 16 lower-case'],
    ['an empty object of token types', { store, tokenTypes: {} }, 'option_invalid', 'tokenTypes', 'names no type'],
    [
      'an invalid token type',
      { store, tokenTypes: { user: {} } },
      'option_invalid',
      'tokenTypes.user',
      'was not made by',
    ],
    ['cache: true', { store, cache: true }, 'option_invalid', 'cache', 'or false'],
    ['an invalid ttl', { store, cache: { ttl: 'soon' } }, 'option_invalid', 'cache.ttl', 'duration'],
    ['a cache of zero tokens', { store, cache: { maxTokens: 0 } }, 'option_invalid', 'cache.maxTokens', ''],
    ['a clock that is not a function', { store, clock: 5 }, 'option_invalid', 'clock', 'epoch milliseconds'],
    ['random that is not a function', { store, random: 5 }, 'option_invalid', 'random', 'bytes'],
    ['onEvent that is not a function', { store, onEvent: {} }, 'option_invalid', 'onEvent', 'function'],
    [
      'a pattern that is a text',
      { store, importedTokens: [{ pattern: '^a$' }] },
      'option_invalid',
      'importedTokens.0.pattern',
      'regular expression',
    ],
    [
      'a switch that would turn hashing off',
      { store, disableKeyHashing: true },
      'option_unknown',
      'disableKeyHashing',
      '',
    ],
  ])('%s', (_, options, code, path, words) => {
    const error = thrown(() => createPostern(options as never));
    expect(error).toMatchObject({ code, path });
    expect(error.message).toContain(words);
  });

  test('options of undefined are like missing ones', () => {
    expect(() =>
      createPostern({
        store,
        pepper: undefined,
        cache: undefined,
        clock: undefined,
        organization: undefined,
        tokenTypes: undefined,
      }),
    ).not.toThrow();
  });

  test('options are neither changed nor read again after construction', async () => {
    const tokenTypes = { t: scopeAccess({ m: { read: [] } }) };
    const options = { store: memoryStore(), organization: 'home', tokenTypes, cache: { ttl: '30s' as const } };
    const copy = structuredClone({ ...options, store: null });
    const postern = createPostern(options);
    expect(structuredClone({ ...options, store: null })).toEqual(copy);
    Object.assign(options, { organization: 'changed', tokenTypes: {} });
    const { record } = await postern.tokens.create({ name: 'x', types: { t: { scopes: ['m:read'] } } });
    expect(record.organization).toBe('home');
  });

  test('options may be frozen, and the instance is frozen', () => {
    const postern = createPostern(Object.freeze({ store, cache: Object.freeze({}) }));
    expect(Object.isFrozen(postern)).toBe(true);
  });
});

test.each([
  [
    () => createTestPostern({ audit: '400d' as never }),
    /^audit of createPostern: is of the wrong kind: give an object$/,
  ],
  [() => createTestPostern({ cache: { maxTokens: -1 } }), /^cache\.maxTokens of createPostern: /],
])('a message says what to give, not only what came: %s', (make, message) => {
  expect(thrown(make).message).toMatch(message);
  expect(thrown(make).message).not.toContain('Invalid input');
});

test('a call without a field that it needs names the field', async () => {
  const { postern } = createTestPostern();
  expect((await refusal(postern.tokens.create({ name: 'x' } as never))).message).toBe(
    'types of tokens.create: is missing: give a value',
  );
});
