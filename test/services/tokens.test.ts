import { describe, expect, test } from 'vitest';
import { instance, refusal, START, verdict } from '../support/instance.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const can = { scope: 'models:read' } as const;

describe('create', () => {
  test('returns the secret once, and a record without it', async () => {
    const { postern } = instance();
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
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{22}$/),
      name: 'ci',
      description: 'nightly build',
      types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:write'] } },
      organization: 'mybentocloud',
      owner: 'user',
      ownership: 'personal',
      hint: `${token.slice(0, 8)}…`,
      createdAt: new Date(START),
      updatedAt: new Date(START),
      expiresAt: new Date(START + 90 * 86_400_000),
      revokedAt: null,
      lastUsedAt: null,
      metadata: { team: 'nlp', nested: { list: [1, null, true] } },
    });
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });

  test('what is left out has its default', async () => {
    const { postern } = instance({ organization: 'home', tokenPrefix: 'acme' });
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

  test('two tokens have nothing in common', async () => {
    const { postern } = instance();
    const made = await Promise.all(Array.from({ length: 100 }, () => postern.tokens.create({ name: 'x', types })));
    expect(new Set(made.map(({ token }) => token)).size).toBe(100);
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(100);
  });

  test('an expiry may be a date, and ends the token at that very instant', async () => {
    const { postern, clock } = instance();
    const { token } = await postern.tokens.create({ name: 'x', types, expiresAt: new Date(START + 10) });
    clock.advance(9);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('allowed');
    clock.advance(1);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('token_expired');
  });
});

const user = (endpoints: unknown) => ({ types: { user: { endpoints } } });
const developer = (scopes: unknown) => ({ types: { developer: { scopes } } });

/** Each is refused by `create`, with this code and path, in a sentence that has these words; and nothing is written. */
const BAD_FIELDS: readonly (readonly [string, object, string, string | undefined, string])[] = [
  ['an empty name', { name: '' }, 'input_invalid', 'name', '1 to 200 characters'],
  ['a name of 201 characters', { name: 'x'.repeat(201) }, 'input_invalid', 'name', '1 to 200 characters'],
  ['a name of spaces', { name: '   ' }, 'input_invalid', 'name', 'can be seen'],
  ['a name with NUL', { name: 'a\0' }, 'input_invalid', 'name', 'NUL'],
  ['a name with half of a character', { name: 'a\ud800' }, 'input_invalid', 'name', 'lone surrogates'],
  ['a name that is no text', { name: 5 }, 'input_invalid', 'name', 'give a text'],
  ['no name', { name: undefined }, 'input_invalid', 'name', 'give a text'],
  ['a long description', { description: 'x'.repeat(2001) }, 'input_invalid', 'description', '0 to 2000'],
  ['no types', { types: undefined }, 'types_missing', 'types', 'at least one of user, developer'],
  ['types that are null', { types: null }, 'types_missing', 'types', 'at least one'],
  ['no type', { types: {} }, 'types_missing', 'types', 'at least one'],
  ['a type that is undefined', { types: { user: undefined } }, 'types_missing', 'types', 'at least one'],
  ['types that are a list', { types: ['user'] }, 'input_invalid', 'types', 'give an object'],
  ['types that are a text', { types: 'user' }, 'input_invalid', 'types', 'give an object'],
  ['an unknown type', { types: { robot: { scopes: ['*'] } } }, 'type_unknown', 'types.robot', 'use user, developer'],
  [
    'an inherited name for a type',
    { types: { constructor: { scopes: ['*'] } } },
    'type_unknown',
    'types.constructor',
    'no token type',
  ],
  [
    'a __proto__ type',
    { types: JSON.parse('{"__proto__":{"scopes":["*"]}}') },
    'type_unknown',
    'types.__proto__',
    'no token type',
  ],
  [
    'an unknown scope',
    developer(['models:read', 'model:read']),
    'scope_unknown',
    'types.developer.scopes.1',
    'no scope here: use one of',
  ],
  ['a scope that is no text', developer([5]), 'scope_unknown', 'types.developer.scopes.0', 'no scope here'],
  ['an empty list of scopes', developer([]), 'input_invalid', 'types.developer.scopes', 'list of 1 to'],
  ["scopes: '*'", developer('*'), 'input_invalid', 'types.developer.scopes', 'list of 1 to'],
  ['too many scopes', developer(Array(1001).fill('*')), 'input_invalid', 'types.developer.scopes', '1 to 1000'],
  [
    'endpoints on a scope type',
    { types: { developer: { endpoints: '*' } } },
    'option_unknown',
    'types.developer.endpoints',
    'it takes scopes',
  ],
  [
    'scopes beside endpoints',
    { types: { user: { endpoints: '*', scopes: ['*'] } } },
    'option_unknown',
    'types.user.scopes',
    'it takes endpoints',
  ],
  ['an empty list of endpoints', user([]), 'input_invalid', 'types.user.endpoints', "or '*' for all"],
  ['no list of endpoints', user('summarizer'), 'input_invalid', 'types.user.endpoints', "or '*' for all"],
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
  ['a star in a list', user(['*']), 'endpoint_unknown', 'types.user.endpoints.0', 'not registered'],
  ['an expiry that is now', { expiresAt: new Date(START) }, 'expiry_past', 'expiresAt', 'not in the future'],
  ['an expiry at the epoch', { expiresAt: new Date(0) }, 'expiry_past', 'expiresAt', 'not in the future'],
  ['an expiry in no time', { expiresIn: '0s' }, 'expiry_past', 'expiresIn', 'not in the future'],
  ['an expiry that is no duration', { expiresIn: '1 month' }, 'input_invalid', 'expiresIn', "such as '30s'"],
  [
    'an expiry that is infinite',
    { expiresIn: Number.POSITIVE_INFINITY },
    'input_invalid',
    'expiresIn',
    "such as '30s'",
  ],
  ['an expiry that is no date', { expiresAt: new Date(Number.NaN) }, 'input_invalid', 'expiresAt', 'Date'],
  ['an expiry as a number', { expiresAt: START + 1 }, 'input_invalid', 'expiresAt', 'give a Date'],
  [
    'two expiries',
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
  ['metadata that is a Date', { metadata: new Date(START) }, 'input_invalid', 'metadata', 'object of JSON values'],
  ['metadata with a function', { metadata: { a: () => 1 } }, 'input_invalid', 'metadata', 'object of JSON values'],
  ['metadata with NaN', { metadata: { a: Number.NaN } }, 'input_invalid', 'metadata', 'object of JSON values'],
  ['metadata with a bigint', { metadata: { a: 1n } }, 'input_invalid', 'metadata', 'object of JSON values'],
  ['metadata that is too large', { metadata: { a: 'x'.repeat(16_384) } }, 'input_invalid', 'metadata', '16384 bytes'],
  [
    'metadata that is too large in bytes',
    { metadata: { a: '日'.repeat(6_000) } },
    'input_invalid',
    'metadata',
    '16384 bytes',
  ],
  ['an unknown field', { scope: 'models:read' }, 'option_unknown', 'scope', 'check its spelling'],
  ['an id of its own', { id: 'mine' }, 'option_unknown', 'id', 'check its spelling'],
];

describe('bad input to create', () => {
  test.each(BAD_FIELDS)('%s', async (_, fields, code, path, words) => {
    const { postern, store, events } = instance();
    await postern.endpoints.create({ id: 'elsewhere', access: 'protected', organization: 'other' });
    events.length = 0;
    const error = await refusal(postern.tokens.create({ name: 'x', types, ...fields } as never));
    expect(error).toMatchObject({ code, path });
    expect(error.message).toContain(words);
    expect(store.count('insertToken')).toBe(0);
    expect(events).toEqual([]);
  });

  test.each([[undefined], [null], ['x'], [[]], [5]])('%j in place of an object', async (input) => {
    const { postern, store } = instance();
    expect(await refusal(postern.tokens.create(input as never))).toMatchObject({
      code: 'input_invalid',
      path: undefined,
    });
    expect(store.count()).toBe(0);
  });

  test('metadata that refers to itself', async () => {
    const metadata: Record<string, unknown> = {};
    metadata.self = metadata;
    const { postern } = instance();
    expect((await refusal(postern.tokens.create({ name: 'x', types, metadata } as never))).code).toBe('input_invalid');
  });

  test('a name of 200 characters beyond the basic plane is 200 characters', async () => {
    const { postern } = instance();
    expect((await postern.tokens.create({ name: '😀'.repeat(200), types })).record.name).toHaveLength(400);
    expect((await refusal(postern.tokens.create({ name: '😀'.repeat(201), types }))).path).toBe('name');
  });

  test('a random option that is not random enough is refused, and nothing is written', async () => {
    for (const random of [() => new Uint8Array(4), () => 'x'.repeat(32) as never]) {
      const { postern, store } = instance({ random });
      expect(await refusal(postern.tokens.create({ name: 'x', types }))).toMatchObject({
        code: 'option_invalid',
        path: 'random',
      });
      expect(store.count('insertToken')).toBe(0);
    }
  });

  test('a random option that repeats itself is found out, and the first token stands', async () => {
    const { postern } = instance({ random: (length) => new Uint8Array(length).fill(1) });
    const { token } = await postern.tokens.create({ name: 'first', types });
    expect((await refusal(postern.tokens.create({ name: 'second', types }))).code).toBe('conflict');
    expect((await postern.tokens.list()).items.map(({ name }) => name)).toEqual(['first']);
    expect((await postern.authenticate(token)).ok).toBe(true);
  });
});

describe('get and list', () => {
  test('an id that is none is not there, and costs no read', async () => {
    const { postern, store } = instance();
    for (const id of ['', '../x', 'a b', 'x'.repeat(65), '%', "'; --", 5, null, undefined, {}]) {
      expect(await postern.tokens.get(id as never)).toBeNull();
    }
    expect(store.count()).toBe(0);
    expect(await postern.tokens.get('0000000000000000000000')).toBeNull();
  });

  test('newest first, page by page, each token once, whatever is made meanwhile', async () => {
    const { postern, clock } = instance();
    const make = async (name: string) => (await postern.tokens.create({ name, types })).record.name;
    const names: string[] = [];
    for (let i = 0; i < 7; i++) {
      names.unshift(await make(`t${i}`));
      if (i % 2) clock.advance(1);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: readonly { name: string }[]; nextCursor: string | null } = await postern.tokens.list({
        limit: 2,
        cursor,
      });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
      clock.advance(1);
      await make('later');
    } while (cursor !== null);
    expect(seen.toSorted()).toEqual(names.toSorted());
    expect(seen.map((name) => Math.floor(Number(name.slice(1)) / 2))).toEqual([3, 2, 2, 1, 1, 0, 0]);
  });

  test('by organization, owner, type and text', async () => {
    const { postern } = instance();
    await postern.tokens.create({ name: 'Alpha_1', owner: 'ada', types });
    await postern.tokens.create({ name: 'beta', description: '100% ALPHA', types: { user: { endpoints: '*' } } });
    await postern.tokens.create({ name: 'gamma', organization: 'other', owner: 'ada', types });
    const names = async (query: object) => (await postern.tokens.list(query)).items.map(({ name }) => name).toSorted();
    expect(await names({})).toEqual(['Alpha_1', 'beta']);
    expect(await names({ organization: 'other' })).toEqual(['gamma']);
    expect(await names({ organization: '*' })).toEqual(['Alpha_1', 'beta', 'gamma']);
    expect(await names({ organization: '*', owner: 'ada' })).toEqual(['Alpha_1', 'gamma']);
    expect(await names({ type: 'user' })).toEqual(['beta']);
    expect(await names({ search: 'alpha' })).toEqual(['Alpha_1', 'beta']);
    expect(await names({ search: 'a_1' })).toEqual(['Alpha_1']);
    expect(await names({ search: '%' })).toEqual(['beta']);
    expect(await names({ search: '' })).toEqual(['Alpha_1', 'beta']);
  });

  test.each([
    [{ limit: 0 }, 'input_invalid', 'limit'],
    [{ limit: 1001 }, 'input_invalid', 'limit'],
    [{ limit: 1.5 }, 'input_invalid', 'limit'],
    [{ limit: '5' }, 'input_invalid', 'limit'],
    [{ cursor: 'x' }, 'input_invalid', 'cursor'],
    [{ cursor: '1-../../' }, 'input_invalid', 'cursor'],
    [{ cursor: 5 }, 'input_invalid', 'cursor'],
    [{ organization: '' }, 'input_invalid', 'organization'],
    [{ owner: '' }, 'input_invalid', 'owner'],
    [{ search: 'x'.repeat(201) }, 'input_invalid', 'search'],
    [{ org: 'x' }, 'option_unknown', 'org'],
  ])('%j is refused', async (query, code, path) => {
    expect(await refusal(instance().postern.tokens.list(query as never))).toMatchObject({ code, path });
  });
});

describe('update', () => {
  test('what is given changes, what is left out stays', async () => {
    const { postern, clock } = instance();
    const { token, record } = await postern.tokens.create({
      name: 'x',
      description: 'd',
      types,
      metadata: { a: 1 },
      expiresIn: '1h',
    });
    clock.advance(1000);
    const updated = await postern.tokens.update(record.id, {
      name: 'y',
      types: { developer: { scopes: ['iam:read'] } },
    });
    expect(updated).toEqual({
      ...record,
      name: 'y',
      types: { developer: { scopes: ['iam:read'] } },
      updatedAt: new Date(START + 1000),
    });
    expect(await postern.tokens.get(record.id)).toEqual(updated);
    expect(verdict(await postern.authorize({ token, requirement: can }))).toBe('scope_missing');
    expect(await postern.tokens.update(record.id, { expiresAt: null, description: '', metadata: {} })).toMatchObject({
      expiresAt: null,
      description: '',
      metadata: {},
    });
  });

  test('nothing to change writes nothing', async () => {
    const { postern, store } = instance();
    const { record } = await postern.tokens.create({ name: 'x', types });
    expect(await postern.tokens.update(record.id, {})).toEqual(record);
    expect(await postern.tokens.update(record.id, { name: undefined })).toEqual(record);
    expect(store.count('replaceToken')).toBe(0);
  });

  test.each([
    [{ name: '' }, 'input_invalid', 'name'],
    [{ types: {} }, 'types_missing', 'types'],
    [{ types: null }, 'types_missing', 'types'],
    [{ types: { developer: { scopes: ['x:y'] } } }, 'scope_unknown', 'types.developer.scopes.0'],
    [{ expiresAt: new Date(START) }, 'expiry_past', 'expiresAt'],
    [{ metadata: null }, 'input_invalid', 'metadata'],
    [{ owner: 'eve' }, 'option_unknown', 'owner'],
    [{ organization: 'other' }, 'option_unknown', 'organization'],
    [{ revokedAt: null }, 'option_unknown', 'revokedAt'],
    [{ expiresIn: '1h' }, 'option_unknown', 'expiresIn'],
  ])('%j is refused, and nothing is written', async (changes, code, path) => {
    const { postern, store } = instance();
    const { record } = await postern.tokens.create({ name: 'x', types });
    expect(await refusal(postern.tokens.update(record.id, changes as never))).toMatchObject({ code, path });
    expect(store.count('replaceToken')).toBe(0);
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });

  test('an expired token stays expired; a revoked one stays revoked', async () => {
    const { postern, clock } = instance();
    const { token, record } = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    const revoked = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.revoke(revoked.record.id);
    clock.advance(3_600_000);
    for (const expiresAt of [null, new Date(START + 7_200_000)]) {
      expect((await refusal(postern.tokens.update(record.id, { expiresAt }))).code).toBe('token_expired');
    }
    expect((await postern.tokens.update(record.id, { name: 'renamed' })).name).toBe('renamed');
    await postern.tokens.update(revoked.record.id, { name: 'renamed', expiresAt: null, types });
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_expired' });
    expect(await postern.authenticate(revoked.token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test('a token that is not there', async () => {
    const { postern } = instance();
    for (const id of ['0000000000000000000000', '', 5]) {
      expect(await refusal(postern.tokens.update(id as never, { name: 'x' }))).toMatchObject({
        code: 'token_unknown',
        path: 'id',
      });
    }
  });

  test('two changes at once are both made', async () => {
    const { postern } = instance();
    const { record } = await postern.tokens.create({ name: 'x', types });
    await Promise.all([
      postern.tokens.update(record.id, { name: 'y' }),
      postern.tokens.update(record.id, { description: 'z' }),
    ]);
    expect(await postern.tokens.get(record.id)).toMatchObject({ name: 'y', description: 'z' });
  });

  test('a change that always meets a faster one gives up, and says so', async () => {
    const { postern, store } = instance();
    const { record } = await postern.tokens.create({ name: 'x', types });
    store.answer('findToken', (real) => ({ ...(real as object), version: 0 }));
    expect((await refusal(postern.tokens.update(record.id, { name: 'y' }))).code).toBe('conflict');
    store.mend();
    expect(await postern.tokens.get(record.id)).toEqual(record);
  });
});

describe('rotate', () => {
  test('a new secret for the same record; without grace the old one ends at once', async () => {
    const { postern } = instance();
    const first = await postern.tokens.create({ name: 'x', types });
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    const second = await postern.tokens.rotate(first.record.id);
    expect(second.token).not.toBe(first.token);
    expect(second.record).toEqual({
      ...first.record,
      hint: `${second.token.slice(0, 8)}…`,
      lastUsedAt: second.record.lastUsedAt,
    });
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect(await postern.authenticate(second.token)).toMatchObject({
      ok: true,
      principal: { tokenId: first.record.id },
    });
  });

  test('with a grace, both work until it ends; then the old one is revoked, on the warm path too', async () => {
    const { postern, clock } = instance({ cache: { ttl: '1d' } });
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    clock.advance(3_600_000 - 1);
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    clock.advance(1);
    expect(verdict(postern.tryAuthorize({ token: first.token, requirement: can }) as never)).toBe('token_revoked');
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('the grace never outlasts the expiry that the token had, even when that is moved later', async () => {
    const { postern, clock } = instance();
    const first = await postern.tokens.create({ name: 'x', types, expiresIn: '10m' });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    await postern.tokens.update(first.record.id, { expiresAt: null });
    clock.advance(600_000 - 1);
    expect((await postern.authenticate(first.token)).ok).toBe(true);
    clock.advance(1);
    expect(await postern.authenticate(first.token)).toEqual({ ok: false, reason: 'token_revoked' });
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('a second rotation does not prolong the grace of the first', async () => {
    const { postern, clock } = instance();
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1m' });
    await postern.tokens.rotate(first.record.id, { grace: '1h' });
    clock.advance(60_000);
    expect((await postern.authenticate(first.token)).ok).toBe(false);
    expect((await postern.authenticate(second.token)).ok).toBe(true);
  });

  test('never revives: revoked, expired and unknown tokens are refused, and stay as they are', async () => {
    const { postern, clock, store } = instance();
    const revoked = await postern.tokens.create({ name: 'x', types });
    const expired = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    await postern.tokens.revoke(revoked.record.id);
    clock.advance(3_600_000);
    const before = store.count('replaceToken');
    expect((await refusal(postern.tokens.rotate(revoked.record.id, { grace: '1h' }))).code).toBe('token_revoked');
    expect((await refusal(postern.tokens.rotate(expired.record.id, { grace: '1h' }))).code).toBe('token_expired');
    expect((await refusal(postern.tokens.rotate('0000000000000000000000'))).code).toBe('token_unknown');
    expect(store.count('replaceToken')).toBe(before);
    expect(await postern.authenticate(expired.token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test('does not prolong the life of the token', async () => {
    const { postern, clock } = instance();
    const first = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    const second = await postern.tokens.rotate(first.record.id);
    clock.advance(3_600_000);
    expect(await postern.authenticate(second.token)).toEqual({ ok: false, reason: 'token_expired' });
  });

  test('two at once: exactly one wins, the other is told, and only the winner has a secret', async () => {
    const { postern } = instance();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const outcomes = await Promise.allSettled([postern.tokens.rotate(record.id), postern.tokens.rotate(record.id)]);
    const won = outcomes.filter((each) => each.status === 'fulfilled');
    const lost = outcomes.filter((each) => each.status === 'rejected');
    expect([won.length, lost.length]).toEqual([1, 1]);
    expect(lost[0]?.reason).toMatchObject({ code: 'conflict' });
    expect((await postern.authenticate(won[0]?.value.token)).ok).toBe(true);
    expect((await postern.authenticate(token)).ok).toBe(false);
  });

  test('against a revocation at once: the token is revoked in the end', async () => {
    const { postern, store } = instance();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('replaceToken', 'before');
    const rotation = postern.tokens.rotate(record.id, { grace: '1h' });
    const held = await gate.next();
    gate.end();
    await postern.tokens.revoke(record.id);
    held.release();
    expect((await refusal(rotation)).code).toBe('conflict');
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test.each([
    [{ grace: '1y' }, 'input_invalid', 'grace'],
    [{ grace: -1 }, 'input_invalid', 'grace'],
    [{ grace: null }, 'input_invalid', 'grace'],
    [null, 'input_invalid', undefined],
    [{ gracePeriod: '1h' }, 'option_unknown', 'gracePeriod'],
  ])('%j is refused', async (options, code, path) => {
    const { postern } = instance();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect(await refusal(postern.tokens.rotate(record.id, options as never))).toMatchObject({ code, path });
    expect((await postern.authenticate(token)).ok).toBe(true);
  });
});

describe('revoke and delete', () => {
  test('a revoked token is listed and no longer works; revoking again changes nothing', async () => {
    const { postern, clock } = instance();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect((await postern.authenticate(token)).ok).toBe(true);
    await postern.tokens.revoke(record.id);
    expect(postern.tryAuthorize({ token, requirement: can })).not.toMatchObject({ allowed: true });
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    clock.advance(5);
    await postern.tokens.revoke(record.id);
    expect(await postern.tokens.get(record.id)).toMatchObject({ revokedAt: new Date(START) });
    expect((await postern.tokens.list()).items).toHaveLength(1);
  });

  test('a deleted token is gone, with every secret it had', async () => {
    const { postern } = instance();
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    await postern.tokens.delete(first.record.id);
    await postern.tokens.delete(first.record.id);
    expect(await postern.tokens.get(first.record.id)).toBeNull();
    for (const token of [first.token, second.token]) {
      expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_unknown' });
    }
  });

  test('both are idempotent on what was never there', async () => {
    const { postern, events } = instance();
    for (const id of ['0000000000000000000000', '', '../x', 5, null]) {
      await postern.tokens.revoke(id as never);
      await postern.tokens.delete(id as never);
    }
    expect(events).toEqual([]);
  });

  test("a leaver's personal tokens end: not those of the organization, of others, of another organization", async () => {
    const { postern } = instance();
    const make = async (fields: object) => (await postern.tokens.create({ name: 'x', types, ...fields })).token;
    const personal = await Promise.all(Array.from({ length: 250 }, () => make({ owner: 'ada' })));
    const others = [
      await make({ owner: 'ada', ownership: 'organization' }),
      await make({ owner: 'bob' }),
      await make({ owner: 'ada', organization: 'other' }),
      await make({}),
    ];
    expect(await postern.tokens.revokeOwned({ owner: 'ada' })).toBe(250);
    expect(await postern.tokens.revokeOwned({ owner: 'ada' })).toBe(0);
    for (const token of personal) expect((await postern.authenticate(token)).ok).toBe(false);
    for (const token of others) expect((await postern.authenticate(token)).ok).toBe(true);
    expect((await refusal(postern.tokens.revokeOwned({} as never))).path).toBe('owner');
    expect((await refusal(postern.tokens.revokeOwned({ owner: 'a', organization: '*' }))).path).toBe('organization');
  });

  test('pruneExpired deletes what expired long enough ago, and nothing else', async () => {
    const { postern, clock } = instance();
    for (let i = 0; i < 205; i++)
      await postern.tokens.create({ name: 'old', types, expiresIn: '1h', organization: i % 2 ? 'a' : 'b' });
    await postern.tokens.create({ name: 'young', types, expiresIn: '2h' });
    await postern.tokens.create({ name: 'never', types });
    clock.advance(2 * 3_600_000);
    expect(await postern.tokens.pruneExpired({ olderThan: '61m' })).toBe(0);
    expect(await postern.tokens.pruneExpired({ olderThan: '1h' })).toBe(205);
    expect(await postern.tokens.pruneExpired()).toBe(1);
    expect((await postern.tokens.list({ organization: '*' })).items.map(({ name }) => name)).toEqual(['never']);
    expect((await refusal(postern.tokens.pruneExpired({ olderThan: 'x' } as never))).path).toBe('olderThan');
  });
});

describe('endpoints a token reaches', () => {
  test('an endpoint deleted and made again is another one', async () => {
    const { postern } = instance();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const named = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    const every = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    const ask = async (token: string) => verdict(await postern.authorize({ token, requirement: { endpoint: 'a' } }));
    expect([await ask(named.token), await ask(every.token)]).toEqual(['allowed', 'allowed']);
    await postern.endpoints.delete('a');
    expect([await ask(named.token), await ask(every.token)]).toEqual(['endpoint_unknown', 'endpoint_unknown']);
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    expect([await ask(named.token), await ask(every.token)]).toEqual(['endpoint_not_granted', 'allowed']);
    await postern.tokens.update(named.record.id, { types: { user: { endpoints: ['a'] } } });
    expect(await ask(named.token)).toBe('allowed');
  });

  test("'*' reaches those made later, of its own organization only", async () => {
    const { postern } = instance();
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    await postern.endpoints.create({ id: 'later', access: 'protected' });
    await postern.endpoints.create({ id: 'later', access: 'protected', organization: 'other' });
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'later' } }))).toBe('allowed');
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'later', organization: 'other' } }))).toBe(
      'endpoint_not_granted',
    );
  });
});

test('a store that fails makes every change reject as unavailable; a closed instance as closed', async () => {
  const { postern, store } = instance();
  const { record } = await postern.tokens.create({ name: 'x', types });
  const work = [
    () => postern.tokens.create({ name: 'x', types }),
    () => postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } }),
    () => postern.tokens.get(record.id),
    () => postern.tokens.list(),
    () => postern.tokens.update(record.id, { name: 'y' }),
    () => postern.tokens.rotate(record.id),
    () => postern.tokens.revoke(record.id),
    () => postern.tokens.delete(record.id),
    () => postern.tokens.revokeOwned({ owner: 'ada' }),
    () => postern.tokens.pruneExpired(),
    () => postern.endpoints.create({ id: 'a', access: 'public' }),
    () => postern.endpoints.get('a'),
    () => postern.endpoints.list(),
    () => postern.endpoints.update('a', { access: 'public' }),
    () => postern.endpoints.delete('a'),
  ];
  for (const how of ['reject', 'throw'] as const) {
    for (const method of [
      'insertToken',
      'findToken',
      'listTokens',
      'findEndpoint',
      'listEndpoints',
      'insertEndpoint',
      'listExpiredTokens',
    ] as const) {
      store.fail(method, how);
    }
    for (const each of work) expect((await refusal(each())).code).toBe('unavailable');
    store.mend();
  }
  await postern.close();
  await postern.close();
  expect(store.count('close')).toBe(1);
  for (const each of work) expect((await refusal(each())).code).toBe('closed');
});
