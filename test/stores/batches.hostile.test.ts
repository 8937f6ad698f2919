import { createHash, randomBytes } from 'node:crypto';
import { createPostern } from 'postern';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aKey, aSecret, aToken } from '../../src/testing/store-cases/case.js';
import { aNewChange, type Database, openStore } from './databases.js';
import { useDatabases } from './use-databases.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const importedTokens = [{ pattern: /^old_\w{32}$/ }];
const aDigest = () => createHash('sha256').update(randomBytes(16)).digest('hex');
const aNewToken = (id: string, secret = aSecret(id, { key: aKey(id) })) => {
  return { token: aToken(id), secret, change: aNewChange('token.imported', id) };
};

/** Every control character but NUL, and all that means something in JSON or SQL. */
const CONTROLS = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code + 1)).join('');
const TEXTS = [
  CONTROLS,
  '\x7f\x80\x9f\u2028\u2029\ufeff\uffff\ud83d\ude00',
  `\\u0000 \\x00 \\0 \\' \\" '' " \` -- /* ; $1 :id #id ? %s {} [] \\`,
  '\\ud800 \\udc00 \\\\u0000',
  "'); DROP TABLE postern_tokens; --",
];

describe.each(await useDatabases())('batches under attack ($kind)', ({ kind, aDatabase }) => {
  let database: Database;
  let store: ReturnType<typeof openStore>;
  beforeAll(async () => {
    database = await aDatabase();
    store = openStore(database);
    await store.findToken('x');
  });
  afterAll(() => store.close?.());

  it('keeps every text as it came', async () => {
    const postern = createPostern({ store, importedTokens });
    const inputs = TEXTS.map((text, index) => ({
      name: `n${index}`,
      description: text,
      types,
      owner: `ann ${text.slice(0, 100)}`,
      metadata: { [text]: text, deep: [{ text }], big: 2 ** 53 - 1, real: 1.5e300, tiny: 5e-324, no: null, nan: -0 },
      digest: aDigest(),
    }));
    const results = await postern.tokens.import(inputs as never[]);
    for (const [index, result] of (results as PromiseSettledResult<{ id: string }>[]).entries()) {
      expect(result.status, JSON.stringify(result)).toBe('fulfilled');
      const { id } = (result as PromiseFulfilledResult<{ id: string }>).value;
      const found = await postern.tokens.get(id);
      const { description, owner, metadata } = inputs[index] as (typeof inputs)[number];
      expect(found).toMatchObject({ description, owner });
      expect(JSON.stringify(found?.metadata)).toBe(JSON.stringify(metadata));
    }
  });

  it('takes the largest batches', async () => {
    const ids = Array.from({ length: 100 }, (_, index) => `big${index}`);
    const description = `${'\\"\u0001'.repeat(300)}`;
    const metadata = JSON.stringify({ text: '\\"\u0001'.repeat(1000) });
    const answers = await store.insertTokens(
      ids.map((id) => ({ ...aNewToken(id), token: { ...aToken(id), description, metadata } as never })),
    );
    expect(answers).toEqual(ids.map(() => true));
    const removed = await store.deleteTokens(
      ids.map((id) => ({ id, expectedVersion: null, change: aNewChange('token.pruned', id) })),
    );
    expect(removed).toEqual(ids.map(() => true));
  });

  // Its `max_allowed_packet` is 16 MB.
  if (kind === 'mariadb') {
    it('imports many tokens with the most endpoints', async () => {
      const postern = createPostern({ store, importedTokens });
      const names = Array.from({ length: 1_000 }, (_, index) => `e${index}${'x'.repeat(90)}`);
      await Promise.all(names.map((id) => postern.endpoints.create({ id, access: 'protected' })));
      const inputs = Array.from({ length: 80 }, (_, index) => ({
        name: `m${index}`,
        types: { user: { endpoints: names } },
        digest: aDigest(),
      }));
      const results = (await postern.tokens.import(inputs as never[])) as PromiseSettledResult<unknown>[];
      expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    }, 60_000);
  }

  it('batches of the same names in other orders, at once, in two stores: each name is written once', async () => {
    const other = openStore(database);
    await other.findToken('x');
    for (let round = 0; round < 6; round++) {
      const ids = Array.from({ length: 60 }, (_, index) => `r${round}x${index}`);
      const secrets = ids.map((id) => aSecret(`s${id}`, { key: aKey(`s${id}`) }));
      const shuffled = <T>(list: readonly T[]) =>
        list
          .map((each) => ({ each, at: Math.random() }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each);
      // The same ids, secrets exchanged between them.
      const batch = () => {
        const mixed = shuffled(secrets);
        return shuffled(ids.map((id, index) => aNewToken(id, mixed[index] as never)));
      };
      const batches = Array.from({ length: 4 }, batch);
      const answers = await Promise.all(batches.map((each, index) => (index % 2 ? other : store).insertTokens(each)));
      const written = batches.flatMap((each, at) => each.filter((_, index) => answers[at]?.[index]));
      const wonIds = written.map(({ token }) => token.id);
      expect(new Set(wonIds).size).toBe(wonIds.length);
      for (const { token, secret, change } of written) {
        expect((await store.findTokenByDigest([secret.digest]))?.token.id).toBe(token.id);
        expect((await store.listSecrets(token.id)).length).toBe(1);
        const changes = await store.listChanges({ organization: null, subject: token.id, limit: 10 });
        expect(changes.map(({ id }) => id)).toEqual([change.id]);
      }
      const removals = () =>
        shuffled(wonIds).map((id) => ({ id, expectedVersion: null, change: aNewChange('token.pruned', id) }));
      const [a, b, c, d] = [removals(), removals(), removals(), removals()];
      const gone = await Promise.all([
        store.deleteTokens(a),
        other.deleteTokens(b),
        store.deleteTokens(c),
        other.deleteTokens(d),
      ]);
      const done = [a, b, c, d].flatMap((each, at) => each.filter((_, index) => gone[at]?.[index]).map(({ id }) => id));
      expect([...done].sort()).toEqual([...wonIds].sort());
      for (const id of wonIds) {
        const changes = await store.listChanges({ organization: null, subject: id, limit: 10 });
        expect(changes.map(({ type }) => type).sort()).toEqual(['token.imported', 'token.pruned']);
      }
    }
    await other.close?.();
  }, 60_000);

  it('removals beside revocations and replacements of the same tokens', async () => {
    const other = openStore(database);
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 40 }, (_, index) => `v${round}x${index}`);
      await store.insertTokens(ids.map((id) => aNewToken(id)));
      await Promise.all([
        store.deleteTokens(ids.map((id) => ({ id, expectedVersion: null, change: aNewChange('token.pruned', id) }))),
        ...[...ids].reverse().map((id) => other.revokeToken(id, 5, aNewChange('token.revoked', id))),
        other.deleteTokens(
          [...ids].reverse().map((id) => ({ id, expectedVersion: null, change: aNewChange('token.deleted', id) })),
        ),
      ]);
      for (const id of ids) {
        expect(await store.findToken(id)).toBeNull();
        const all = await store.listChanges({ organization: null, subject: id, limit: 10 });
        expect(all.filter(({ type }) => type === 'token.pruned' || type === 'token.deleted')).toHaveLength(1);
      }
    }
    await other.close?.();
  }, 60_000);

  it(`many chained batches at once (${kind})`, async () => {
    // Batch i shares a digest with each other batch.
    const count = 24;
    const shared = (a: number, b: number) => `c${Math.min(a, b)}y${Math.max(a, b)}`;
    const batches = Array.from({ length: count }, (_, a) =>
      Array.from({ length: count }, (_, b) => b)
        .filter((b) => b !== a)
        .map((b) => aNewToken(`c${a}z${b}`, aSecret(shared(a, b)))),
    );
    const answers = await Promise.allSettled(batches.map((each) => store.insertTokens(each)));
    expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
  }, 60_000);
});
