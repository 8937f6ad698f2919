import { createHash, createHmac } from 'node:crypto';
import { type createPostern, memoryStore } from 'postern';
import type { StoredSecret } from 'postern/store';
import { controlledStore, createTestPostern, type TestPosternOptions } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, thrown } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const sha256 = (text: string) => createHash('sha256').update(text, 'ascii').digest();
const KEY = 'an old key of 32 characters, or so';
const NEXT = new Uint8Array(32).fill(9);

/** The token, and the secret as the store got it. */
async function keptBy(options: TestPosternOptions): Promise<{ token: string; secret: StoredSecret }> {
  const store = controlledStore();
  const insert = store.insertTokens;
  let secret: StoredSecret | undefined;
  store.insertTokens = (tokens) => {
    secret = tokens[0]?.secret;
    return insert(tokens);
  };
  const { token } = await createTestPostern({ ...options, store }).postern.tokens.create({ name: 'x', types });
  return { token, secret: secret as StoredSecret };
}

describe('the stored digest of a secret', () => {
  test('is its SHA-256 without a pepper', async () => {
    const { token, secret } = await keptBy({});
    expect(secret).toMatchObject({ digest: sha256(token).toString('hex'), pepper: null, endsAt: null });
  });

  test('is the HMAC-SHA-256 of its SHA-256 with a pepper', async () => {
    const text = await keptBy({ pepper: KEY });
    expect(text.secret.digest).toBe(createHmac('sha256', KEY).update(sha256(text.token)).digest('hex'));
    const bytes = await keptBy({
      pepper: [
        { id: 'k2', key: NEXT },
        { id: 'k1', key: KEY },
      ],
    });
    expect(bytes.secret).toMatchObject({
      digest: createHmac('sha256', NEXT).update(sha256(bytes.token)).digest('hex'),
      pepper: 'k2',
    });
  });
});

describe('a pepper', () => {
  const over = (store: ReturnType<typeof memoryStore>, pepper?: Parameters<typeof createPostern>[0]['pepper']) =>
    createTestPostern({ store: controlledStore(store), ...(pepper !== undefined && { pepper }) }).postern;
  const works = async (postern: ReturnType<typeof over>, token: string) => (await postern.authenticate(token)).ok;

  test('makes tokens of the same store unknown without it, and with another', async () => {
    const store = memoryStore();
    const { token } = await over(store, KEY).tokens.create({ name: 'x', types });
    expect(await works(over(store, KEY), token)).toBe(true);
    expect(await works(over(store), token)).toBe(false);
    expect(await works(over(store, NEXT), token)).toBe(false);
  });

  test('can be rotated: the first of a list writes, all verify, and a removed one no longer does', async () => {
    const store = memoryStore();
    const before = (await over(store, [{ id: 'a', key: KEY }]).tokens.create({ name: 'x', types })).token;
    const both = over(store, [
      { id: 'b', key: NEXT },
      { id: 'a', key: KEY },
    ]);
    const after = (await both.tokens.create({ name: 'x', types })).token;
    expect([await works(both, before), await works(both, after)]).toEqual([true, true]);
    const only = over(store, [{ id: 'b', key: NEXT }]);
    expect([await works(only, before), await works(only, after)]).toEqual([false, true]);
  });

  test('list that ends with null accepts tokens made without a pepper', async () => {
    const store = memoryStore();
    const plain = await over(store).tokens.create({ name: 'x', types });
    const strict = over(store, [{ id: 'a', key: KEY }]);
    const lenient = over(store, [
      { id: 'a', key: KEY },
      { id: 'none', key: null },
    ]);
    expect([await works(strict, plain.token), await works(lenient, plain.token)]).toEqual([false, true]);
    const rotated = await lenient.tokens.rotate(plain.record.id);
    expect(await works(strict, rotated.token)).toBe(true);
  });

  test('of bytes is copied, so wiping them has no effect', async () => {
    const store = memoryStore();
    const key = new Uint8Array(32).fill(5);
    const postern = over(store, key);
    const { token } = await postern.tokens.create({ name: 'x', types });
    key.fill(0);
    expect(await works(postern, token)).toBe(true);
    expect(await works(over(store, new Uint8Array(32).fill(5)), token)).toBe(true);
  });

  test.each([
    ['of a short text', 'short', 'pepper.0.key', 'at least 16 bytes'],
    ['of an empty text', '', 'pepper.0.key', 'at least 16 bytes'],
    ['of 15 bytes', new Uint8Array(15), 'pepper.0.key', 'at least 16 bytes'],
    ['of a text beyond ASCII', 'é'.repeat(32), 'pepper.0.key', 'ASCII'],
    ['of null that would write', [{ id: 'a', key: null }], 'pepper.0.key', 'put a key before it'],
    [
      'list with one id twice',
      [
        { id: 'a', key: KEY },
        { id: 'a', key: NEXT },
      ],
      'pepper.1.id',
      'twice',
    ],
    ['with an empty id', [{ id: '', key: KEY }], 'pepper.0.id', 'visible ASCII'],
    ['that is a number', 5, 'pepper', 'bytes or text'],
    ['that is a list of bare keys', [KEY], 'pepper.0', ''],
  ])('%s is refused', (_, pepper, path, words) => {
    const error = thrown(() => createTestPostern({ pepper: pepper as never }).postern);
    expect(error.code).toBe('option_invalid');
    expect(error.path?.startsWith(path)).toBe(true);
    expect(error.message).toContain(words);
  });
});

describe('imported tokens', () => {
  const SECRET = 'A'.repeat(40);
  const laravel = { pattern: /^(\d+)\|([A-Za-z0-9]{40})$/, secret: (match: RegExpExecArray) => match[2] };
  const digest = sha256(SECRET).toString('hex');

  test('work in their own form, by the digest of their secret', async () => {
    const { postern } = createTestPostern({ importedTokens: [laravel] });
    const record = await postern.tokens.import({ name: 'old', types, digest: digest.toUpperCase() });
    expect(record.hint).toBe(`sha256:${digest.slice(0, 8)}…`);
    expect(await postern.authenticate(`7|${SECRET}`)).toMatchObject({ ok: true, principal: { tokenId: record.id } });
    for (const text of [SECRET, `7|${'B'.repeat(40)}`, `|${SECRET}`, ` 7|${SECRET}`, `7|${SECRET}\n`]) {
      expect(await postern.authenticate(text)).toEqual({ ok: false, reason: 'token_unknown' });
    }
  });

  test('work under a pepper, and are refused once rotated', async () => {
    const store = memoryStore();
    const { postern } = createTestPostern({ store, pepper: KEY, importedTokens: [laravel] });
    const record = await postern.tokens.import({ name: 'old', types, digest });
    expect((await postern.authenticate(`7|${SECRET}`)).ok).toBe(true);
    expect((await createTestPostern({ store, importedTokens: [laravel] }).postern.authenticate(`7|${SECRET}`)).ok).toBe(
      false,
    );
    const { token } = await postern.tokens.rotate(record.id);
    expect(token).toMatch(/^pst_/);
    expect([(await postern.authenticate(token)).ok, (await postern.authenticate(`7|${SECRET}`)).ok]).toEqual([
      true,
      false,
    ]);
  });

  test('of an unconfigured form are refused without a read', async () => {
    const { postern, store } = createTestPostern();
    expect(await refusal(postern.tokens.import({ name: 'old', types, digest }))).toMatchObject({
      code: 'option_invalid',
      path: 'importedTokens',
    });
    expect((await postern.authenticate(`7|${SECRET}`)).ok).toBe(false);
    expect(store.count()).toBe(0);
  });

  test('are refused if their digest exists', async () => {
    const { postern } = createTestPostern({ importedTokens: [laravel] });
    await postern.tokens.import({ name: 'old', types, digest });
    expect(await refusal(postern.tokens.import({ name: 'again', types, digest }))).toMatchObject({
      code: 'token_exists',
      path: 'digest',
    });
    expect((await postern.tokens.list()).items).toHaveLength(1);
  });

  test.each([['short'], ['g'.repeat(64)], [`${digest}00`], [undefined], [5]])(
    'are refused with the digest %j',
    async (bad) => {
      const { postern } = createTestPostern({ importedTokens: [laravel] });
      expect(await refusal(postern.tokens.import({ name: 'old', types, digest: bad as never }))).toMatchObject({
        code: 'input_invalid',
        path: 'digest',
      });
    },
  );

  test.each(['g', 'y', 'gy', 'i'])('give each call the same answer under the flag %s', async (flags) => {
    const { postern } = createTestPostern({
      importedTokens: [{ ...laravel, pattern: new RegExp(laravel.pattern.source, flags) }],
      cache: false,
    });
    await postern.tokens.import({ name: 'old', types, digest });
    for (let i = 0; i < 4; i++) expect((await postern.authenticate(`7|${SECRET}`)).ok).toBe(true);
  });

  test.each([
    ['not anchored at its start', /old_\w+$/, 'anchored'],
    ['not anchored at its end', /^old_\w+/, 'anchored'],
    ['anchored at each line', /^old_\w+$/m, 'flag m'],
  ])('are refused at construction with a pattern %s', (_, pattern, words) => {
    const error = thrown(() => createTestPostern({ importedTokens: [{ pattern }] }).postern);
    expect(error).toMatchObject({ code: 'option_invalid', path: 'importedTokens.0.pattern' });
    expect(error.message).toContain(words);
  });

  test('must match as a whole, also for a pattern with partly anchored branches', async () => {
    const secret = () => 'b'.repeat(32);
    const { postern } = createTestPostern({
      importedTokens: [
        { pattern: /^x_|b{32}$/, secret },
        { pattern: /^y_b{32}\$/, secret },
      ],
    });
    await postern.tokens.import({ name: 'old', types, digest: sha256('b'.repeat(32)).toString('hex') });
    for (const text of [`anything-${'b'.repeat(32)}`, `x_${'b'.repeat(32)}`, `y_${'b'.repeat(32)}$more`]) {
      expect(await postern.authenticate(text)).toEqual({ ok: false, reason: 'token_unknown' });
    }
  });

  test('are not matched against a text that is long or not ASCII', async () => {
    const seen: string[] = [];
    const pattern = /^(a+)+$/;
    const exec = RegExp.prototype.exec;
    const { postern, store } = createTestPostern({ importedTokens: [{ pattern }] });
    try {
      RegExp.prototype.exec = function (this: RegExp, text: string) {
        if (this.source === pattern.source) seen.push(text);
        return exec.call(this, text);
      };
      for (const text of [`${'a'.repeat(513)}!`, 'é'.repeat(20), 'a a', 'a\n', 'a'.repeat(8192)]) {
        expect(await postern.authenticate(text)).toEqual({ ok: false, reason: 'token_unknown' });
      }
    } finally {
      RegExp.prototype.exec = exec;
    }
    expect(seen).toEqual([]);
    expect(store.count()).toBe(0);
  });

  test('are denied if the secret function throws or returns no part of the token', async () => {
    for (const [secret, reason] of [
      [() => 'something else', 'token_unknown'],
      [() => '', 'token_unknown'],
      [() => undefined, 'token_unknown'],
      [
        () => {
          throw new Error('x');
        },
        'internal_error',
      ],
    ] as const) {
      const { postern } = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/, secret }] });
      await postern.tokens.import({ name: 'old', types, digest: sha256('something else').toString('hex') });
      expect(await postern.authenticate(`old_${'a'.repeat(32)}`)).toEqual({ ok: false, reason });
    }
  });
});
