import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const can = { scope: 'models:read' } as const;

describe('create', () => {
  test('returns the secret once, and a record without it', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'summarizer', access: 'protected', organization: 'mybentocloud' });
    const { token, record } = await postern.tokens.create({
      name: 'ci',
      description: 'nightly build',
      types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } },
      organization: 'mybentocloud',
      owner: 'user',
      ownership: 'personal',
      expiresIn: '90d',
      metadata: { team: 'nlp', nested: { list: [1, null, true] } },
    });
    expect(token).toMatch(/^pst_[0-9A-Za-z]{49}$/);
    expect(record).toMatchObject({
      id: expect.stringMatching(/^[0-9A-Za-z]{22}$/),
      name: 'ci',
      description: 'nightly build',
      types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } },
      organization: 'mybentocloud',
      owner: 'user',
      ownership: 'personal',
      hint: `${token.slice(0, 8)}…${token.slice(-4)}`,
      createdAt: new Date(START),
      updatedAt: new Date(START),
      expiresAt: new Date(START + 90 * 86_400_000),
      revokedAt: null,
      lastUsedAt: null,
      metadata: { team: 'nlp', nested: { list: [1, null, true] } },
    });
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });

  test('gives each missing field its default', async () => {
    const { postern } = createTestPostern({ organization: 'home', tokenPrefix: 'acme' });
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect(token.startsWith('acme_')).toBe(true);
    expect(record).toMatchObject({
      organization: 'home',
      owner: null,
      ownership: 'personal',
      description: '',
      expiresAt: null,
      metadata: {},
    });
  });

  test('makes 100 different secrets and ids', async () => {
    const { postern } = createTestPostern();
    const made = await Promise.all(Array.from({ length: 100 }, () => postern.tokens.create({ name: 'x', types })));
    expect(new Set(made.map(({ token }) => token)).size).toBe(100);
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(100);
  });

  test('takes a date as expiry, and the token ends at that millisecond', async () => {
    const { postern, clock } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types, expiresAt: new Date(START + 10) });
    clock.advance(9);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('allowed');
    clock.advance(1);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('token_expired');
  });
});

const user = (endpoints: unknown) => ({ types: { user: { endpoints } } });
const developer = (scopes: unknown) => ({ types: { developer: { scopes } } });

/** Each is refused by `create` with this code and path, and a message with these words. Nothing is written. */
const BAD_FIELDS: readonly (readonly [string, object, string, string | undefined, string])[] = [
  ['an empty name', { name: '' }, 'input_invalid', 'name', '1 to 200 characters'],
  ['a name of 201 characters', { name: 'x'.repeat(201) }, 'input_invalid', 'name', '1 to 200 characters'],
  ['a name of spaces', { name: '   ' }, 'input_invalid', 'name', 'visible characters'],
  ['a name with NUL', { name: 'a\0' }, 'input_invalid', 'name', 'NUL'],
  ['a name with half a surrogate pair', { name: 'a\ud800' }, 'input_invalid', 'name', 'lone surrogates'],
  ['a number as name', { name: 5 }, 'input_invalid', 'name', 'give a text'],
  ['no name', { name: undefined }, 'input_invalid', 'name', 'give a text'],
  ['a description of 2,001 characters', { description: 'x'.repeat(2001) }, 'input_invalid', 'description', '0 to 2000'],
  ['no types', { types: undefined }, 'types_missing', 'types', 'at least one of user, developer'],
  ['types that are null', { types: null }, 'types_missing', 'types', 'at least one'],
  ['no type', { types: {} }, 'types_missing', 'types', 'at least one'],
  ['a type of undefined', { types: { user: undefined } }, 'types_missing', 'types', 'at least one'],
  ['a list as types', { types: ['user'] }, 'input_invalid', 'types', 'give an object'],
  ['a text as types', { types: 'user' }, 'input_invalid', 'types', 'give an object'],
  ['an unknown type', { types: { robot: { scopes: ['*'] } } }, 'type_unknown', 'types.robot', 'use user, developer'],
  [
    'an inherited property as type',
    { types: { constructor: { scopes: ['*'] } } },
    'type_unknown',
    'types.constructor',
    'is not a known token type',
  ],
  [
    'a __proto__ type',
    { types: JSON.parse('{"__proto__":{"scopes":["*"]}}') },
    'type_unknown',
    'types.__proto__',
    'is not a known token type',
  ],
  [
    'an unknown scope',
    developer(['models:read', 'model:read']),
    'scope_unknown',
    'types.developer.scopes.1',
    'is not a known scope: use one of',
  ],
  ['a number as scope', developer([5]), 'scope_unknown', 'types.developer.scopes.0', 'is not a known scope'],
  ['an empty list of scopes', developer([]), 'input_invalid', 'types.developer.scopes', 'list of 1 to'],
  ['a text as scopes', developer('*'), 'input_invalid', 'types.developer.scopes', 'list of 1 to'],
  ['too many scopes', developer(Array(1001).fill('*')), 'input_invalid', 'types.developer.scopes', '1 to 1000'],
  [
    'endpoints on a scope type',
    { types: { developer: { endpoints: '*' } } },
    'option_unknown',
    'types.developer.endpoints',
    'this type takes scopes',
  ],
  [
    'scopes beside endpoints',
    { types: { user: { endpoints: '*', scopes: ['*'] } } },
    'option_unknown',
    'types.user.scopes',
    'this type takes endpoints',
  ],
  ['an empty list of endpoints', user([]), 'input_invalid', 'types.user.endpoints', "or '*' for all"],
  ['endpoints that are not a list', user('summarizer'), 'input_invalid', 'types.user.endpoints', "or '*' for all"],
  [
    'an endpoint that is not registered',
    user(['nowhere']),
    'endpoint_unknown',
    'types.user.endpoints.0',
    'create the endpoint first',
  ],
  [
    'an endpoint of another organization',
    user(['elsewhere']),
    'endpoint_unknown',
    'types.user.endpoints.0',
    'not registered',
  ],
  ["'*' in a list of endpoints", user(['*']), 'endpoint_unknown', 'types.user.endpoints.0', 'not registered'],
  ['an expiry that is now', { expiresAt: new Date(START) }, 'expiry_past', 'expiresAt', 'not in the future'],
  ['an expiry at the epoch', { expiresAt: new Date(0) }, 'expiry_past', 'expiresAt', 'not in the future'],
  ['an expiry in zero seconds', { expiresIn: '0s' }, 'expiry_past', 'expiresIn', 'not in the future'],
  ['an expiry that is not a duration', { expiresIn: '1 month' }, 'input_invalid', 'expiresIn', "such as '90d'"],
  ['an infinite expiry', { expiresIn: Number.POSITIVE_INFINITY }, 'input_invalid', 'expiresIn', "such as '90d'"],
  ['an invalid date as expiry', { expiresAt: new Date(Number.NaN) }, 'input_invalid', 'expiresAt', 'Date'],
  ['a number as expiry', { expiresAt: START + 1 }, 'input_invalid', 'expiresAt', 'give a Date'],
  [
    'an expiresIn beside an expiresAt',
    { expiresIn: '1h', expiresAt: new Date(START + 5) },
    'input_invalid',
    'expiresIn',
    'give one of them',
  ],
  ['an empty owner', { owner: '' }, 'input_invalid', 'owner', '1 to 200'],
  ['an empty organization', { organization: '' }, 'input_invalid', 'organization', 'name an organization'],
  ["the organization '*'", { organization: '*' }, 'input_invalid', 'organization', 'name an organization'],
  ['another ownership', { ownership: 'shared' }, 'input_invalid', 'ownership', "'personal' or 'organization'"],
  ['metadata that is a list', { metadata: [] }, 'input_invalid', 'metadata', 'object of JSON values'],
  ['metadata that is a Date', { metadata: new Date(START) }, 'input_invalid', 'metadata', 'no plain object'],
  ['metadata with a function', { metadata: { a: () => 1 } }, 'input_invalid', 'metadata.a', '(function)'],
  ['metadata with NaN', { metadata: { a: Number.NaN } }, 'input_invalid', 'metadata.a', '(NaN)'],
  ['metadata with a bigint', { metadata: { a: 1n } }, 'input_invalid', 'metadata.a', '(bigint)'],
  ['metadata that is a Map', { metadata: new Map([['a', 1]]) }, 'input_invalid', 'metadata', 'no plain object'],
  ['metadata with a Set', { metadata: { a: [new Set()] } }, 'input_invalid', 'metadata.a.0', 'no plain object'],
  ['metadata with a Date', { metadata: { a: new Date(START) } }, 'input_invalid', 'metadata.a', 'no plain object'],
  ['metadata of a class', { metadata: { a: new URL('https://a') } }, 'input_invalid', 'metadata.a', 'no plain object'],
  ['metadata with a symbol', { metadata: { [Symbol('a')]: 1 } }, 'input_invalid', 'metadata', 'no plain object'],
  ['metadata with a hole', { metadata: { a: new Array(1) } }, 'input_invalid', 'metadata.a.0', '(undefined)'],
  ['metadata that is a promise', { metadata: Promise.resolve({ a: 1 }) }, 'input_invalid', 'metadata', 'a promise'],
  ['metadata that is too large', { metadata: { a: 'x'.repeat(16_384) } }, 'input_invalid', 'metadata', '16384 bytes'],
  [
    'metadata with too many characters',
    { metadata: { a: 'x'.repeat(16_384) } },
    'input_invalid',
    'metadata',
    '16384 bytes',
  ],
  ['metadata with too many bytes', { metadata: { a: '日'.repeat(6_000) } }, 'input_invalid', 'metadata', '16384 bytes'],
  ['an unknown field', { scope: 'models:read' }, 'option_unknown', 'scope', 'check its spelling'],
  ['an id', { id: 'mine' }, 'option_unknown', 'id', 'check its spelling'],
];

describe('create refuses', () => {
  test.each(BAD_FIELDS)('%s', async (_, fields, code, path, words) => {
    const { postern, store, events } = createTestPostern();
    await postern.endpoints.create({ id: 'elsewhere', access: 'protected', organization: 'other' });
    events.length = 0;
    const error = await refusal(postern.tokens.create({ name: 'x', types, ...fields } as never));
    expect(error).toMatchObject({ code, path });
    expect(error.message).toContain(words);
    expect(store.count('insertTokens')).toBe(0);
    expect(events).toEqual([]);
  });

  test.each([[undefined], [null], ['x'], [[]], [5]])('%j in place of an object', async (input) => {
    const { postern, store } = createTestPostern();
    expect(await refusal(postern.tokens.create(input as never))).toMatchObject({
      code: 'input_invalid',
      path: undefined,
    });
    expect(store.count()).toBe(0);
  });

  test('metadata that refers to itself', async () => {
    const metadata: Record<string, unknown> = {};
    metadata.self = metadata;
    const { postern } = createTestPostern();
    expect((await refusal(postern.tokens.create({ name: 'x', types, metadata } as never))).code).toBe('input_invalid');
  });

  test('no name of 200 characters beyond the basic plane', async () => {
    const { postern } = createTestPostern();
    expect((await postern.tokens.create({ name: '😀'.repeat(200), types })).record.name).toHaveLength(400);
    expect((await refusal(postern.tokens.create({ name: '😀'.repeat(201), types }))).path).toBe('name');
  });

  test('a random option without enough randomness, and nothing is written', async () => {
    for (const random of [() => new Uint8Array(4), () => 'x'.repeat(32) as never]) {
      const { postern, store } = createTestPostern({ random });
      expect(await refusal(postern.tokens.create({ name: 'x', types }))).toMatchObject({
        code: 'option_invalid',
        path: 'random',
      });
      expect(store.count('insertTokens')).toBe(0);
    }
  });

  test('a secret that repeats an earlier one, which keeps working', async () => {
    const { postern } = createTestPostern({ random: (length) => new Uint8Array(length).fill(1) });
    const { token } = await postern.tokens.create({ name: 'first', types });
    expect((await refusal(postern.tokens.create({ name: 'second', types }))).code).toBe('conflict');
    expect((await postern.tokens.list()).items.map(({ name }) => name)).toEqual(['first']);
    expect((await postern.authenticate(token)).ok).toBe(true);
  });
});
