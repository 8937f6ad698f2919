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

/** What the store was given to keep. */
async function keptBy(options: TestPosternOptions): Promise<{ token: string; secret: StoredSecret }> {
  const store = controlledStore();
  const insert = store.insertToken;
  let secret: StoredSecret | undefined;
  store.insertToken = (...args) => {
    secret = args[1];
    return insert(...args);
  };
  const { token } = await createTestPostern({ ...options, store }).postern.tokens.create({ name: 'x', types });
  return { token, secret: secret as StoredSecret };
}

describe('what is stored of a secret', () => {
  test('without a pepper: its SHA-256', async () => {
    const { token, secret } = await keptBy({});
    expect(secret).toMatchObject({ digest: sha256(token).toString('hex'), pepper: null, endsAt: null });
  });

  test('with one: the HMAC-SHA-256 of that', async () => {
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

  test('a dump of the store can not be verified without it, nor with another', async () => {
    const store = memoryStore();
    const { token } = await over(store, KEY).tokens.create({ name: 'x', types });
    expect(await works(over(store, KEY), token)).toBe(true);
    expect(await works(over(store), token)).toBe(false);
    expect(await works(over(store, NEXT), token)).toBe(false);
  });

  test('is rotated: the first writes, all verify, one that was taken out no longer does', async () => {
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

  test('null, listed last, lets the tokens go on that were made without one', async () => {
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

  test('the key is copied: who wipes its bytes does not change it', async () => {
    const store = memoryStore();
    const key = new Uint8Array(32).fill(5);
    const postern = over(store, key);
    const { token } = await postern.tokens.create({ name: 'x', types });
    key.fill(0);
    expect(await works(postern, token)).toBe(true);
    expect(await works(over(store, new Uint8Array(32).fill(5)), token)).toBe(true);
  });

  test.each([
    ['a short text', 'short', 'pepper.0.key', 'at least 16 bytes'],
    ['no text', '', 'pepper.0.key', 'at least 16 bytes'],
    ['short bytes', new Uint8Array(15), 'pepper.0.key', 'at least 16 bytes'],
    ['a text beyond ASCII', 'é'.repeat(32), 'pepper.0.key', 'ASCII'],
    ['null that writes', [{ id: 'a', key: null }], 'pepper.0.key', 'put a key before it'],
    [
      'one id twice',
      [
        { id: 'a', key: KEY },
        { id: 'a', key: NEXT },
      ],
      'pepper.1.id',
      'twice',
    ],
    ['an empty id', [{ id: '', key: KEY }], 'pepper.0.id', 'visible ASCII'],
    ['a number', 5, 'pepper', 'bytes or text'],
    ['a list of keys', [KEY], 'pepper.0', ''],
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

  test('under a pepper, and rotated into an own token', async () => {
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

  test('a form that is not announced gets no further than the form check', async () => {
    const { postern, store } = createTestPostern();
    expect(await refusal(postern.tokens.import({ name: 'old', types, digest }))).toMatchObject({
      code: 'option_invalid',
      path: 'importedTokens',
    });
    expect((await postern.authenticate(`7|${SECRET}`)).ok).toBe(false);
    expect(store.count()).toBe(0);
  });

  test('twice the same digest', async () => {
    const { postern } = createTestPostern({ importedTokens: [laravel] });
    await postern.tokens.import({ name: 'old', types, digest });
    expect(await refusal(postern.tokens.import({ name: 'again', types, digest }))).toMatchObject({
      code: 'token_exists',
      path: 'digest',
    });
    expect((await postern.tokens.list()).items).toHaveLength(1);
  });

  test.each([['short'], ['g'.repeat(64)], [`${digest}00`], [undefined], [5]])(
    'the digest %j is refused',
    async (bad) => {
      const { postern } = createTestPostern({ importedTokens: [laravel] });
      expect(await refusal(postern.tokens.import({ name: 'old', types, digest: bad as never }))).toMatchObject({
        code: 'input_invalid',
        path: 'digest',
      });
    },
  );

  test.each(['g', 'y', 'gy', 'i'])('the flag %s makes no call differ from the one before', async (flags) => {
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
  ])('a pattern %s is refused', (_, pattern, words) => {
    const error = thrown(() => createTestPostern({ importedTokens: [{ pattern }] }).postern);
    expect(error).toMatchObject({ code: 'option_invalid', path: 'importedTokens.0.pattern' });
    expect(error.message).toContain(words);
  });

  test('one that is anchored in some of its branches only takes whole tokens all the same', async () => {
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

  test('no pattern is run over a long text, nor over what is not ASCII', async () => {
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

  test('a secret function that returns no part of the token, or throws, allows nothing', async () => {
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
