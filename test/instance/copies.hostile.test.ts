import { createPostern, isPosternError, memoryStore, type PosternError } from 'postern';
import { derive } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { VERSION } from '../../src/domain/version.js';

const all = { developer: { scopes: ['*'] } } as const;

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

/** The principal of a derived token, which makes and changes nothing. */
async function restricted() {
  const { postern, token } = createTestPostern({ now: new Date(Date.now() + 60_000) });
  const narrow = await derive(await token({ types: all, owner: 'ann' }), { expiresIn: '5m' });
  const found = await postern.authenticate(narrow);
  if (!found.ok) throw new Error(found.reason);
  return { postern, principal: found.principal };
}

/** Each way to get an object that looks like a principal without running code that has one. */
const COPIES: Record<string, (principal: object) => object> = {
  'a spread copy': (principal) => ({ ...principal }),
  'a spread copy with more in it': (principal) => ({ ...principal, mayIssue: Number.POSITIVE_INFINITY }),
  'Object.assign': (principal) => Object.assign({}, principal),
  structuredClone: (principal) => structuredClone(principal),
  'what inherits from one': (principal) => Object.create(principal),
  'what inherits from one and has its fields': (principal) =>
    Object.create(principal, Object.getOwnPropertyDescriptors(principal)),
  'an object of its class, made without it': (principal) =>
    Object.assign(Object.create(Object.getPrototypeOf(principal)), principal),
  'JSON, as of a body or a store': (principal) =>
    JSON.parse(JSON.stringify(principal), (key, value) => (key === 'endsAt' ? new Date(value) : value)),
  'a proxy': (principal) => new Proxy(principal, {}),
};

describe('a copy of a principal has lost its restrictions, and is refused', () => {
  it.each(Object.entries(COPIES))('%s', async (_, copy) => {
    const { postern, principal } = await restricted();
    const made = copy(principal);
    expect(thrown(() => postern.as(made as typeof principal))).toMatchObject({ code: 'input_invalid' });
  });

  it('the principal itself still makes nothing', async () => {
    const { postern, principal } = await restricted();
    await expect(postern.as(principal).tokens.create({ name: 'x', types: all })).rejects.toMatchObject({
      code: 'issuance_forbidden',
    });
  });

  // The keys of JSON are strings: none is the symbol that is looked for, whatever it is called.
  it.each(['postern/0', 'Symbol(postern/0)', '@@postern/0', '__proto__', 'verified-principal', 'internals'])(
    'JSON with the key %s is neither principal, instance nor error',
    async (key) => {
      const { postern } = createTestPostern();
      const value = JSON.parse(
        `{"${key}":{"grants":{},"mayIssue":1},"name":"PosternError","code":"unavailable","message":"","grants":{},
          "organization":"default","owner":null,"types":{"developer":{"scopes":["*"]}}}`,
      );
      expect(thrown(() => postern.as(value))).toMatchObject({ code: 'input_invalid' });
      expect(isPosternError(value)).toBe(false);
    },
  );

  it('a row of the store that looks like a principal is a row', async () => {
    const store = memoryStore();
    const postern = createPostern({ store, onEvent: () => {} });
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['iam:read'] } },
    });
    const stored = await store.findToken(record.id);
    const forged = { ...stored, mayIssue: Number.POSITIVE_INFINITY, 'verified-principal': true, principal: stored };
    const other = createPostern({
      store: { ...store, findTokenByDigest: async () => ({ token: forged, secret: forged }) as never },
      onEvent: () => {},
    });
    const decision = await other.authorize({ token, requirement: { scope: 'models:write' } });
    expect(decision.allowed).toBe(false);
  });

  it('a polluted Object.prototype makes no principal', async () => {
    const { postern } = createTestPostern();
    const names = { 'verified-principal': {}, compiled: {}, mayIssue: Number.POSITIVE_INFINITY, grants: {} };
    const properties = Object.entries(names).map(([name, value]) => [name, { value, configurable: true }]);
    Object.defineProperties(Object.prototype, Object.fromEntries(properties));
    try {
      const session = postern.as({
        organization: 'default',
        owner: null,
        types: { developer: { scopes: ['iam:read'] } },
      });
      await expect(session.tokens.create({ name: 'x', types: all })).rejects.toMatchObject({ code: 'scope_missing' });
    } finally {
      for (const name of Object.keys(names)) delete (Object.prototype as Record<string, unknown>)[name];
    }
  });
});

describe('what is no instance of this version', () => {
  it('an instance of another major version is named with both versions', async () => {
    const other = Object.defineProperty({ tryAuthorize() {} }, Symbol.for('postern/version'), { value: '7.1.0' });
    const { guard } = await import('postern/express');
    const error = thrown(() => guard(other as never, { public: true })) as PosternError;
    expect(error.code).toBe('input_invalid');
    expect(error.message).toContain(`is of postern 7.1.0, and this is a copy of postern ${VERSION}`);
  });

  it('a copy of an instance is refused', async () => {
    const { postern } = createTestPostern();
    const { guard } = await import('postern/express');
    expect(thrown(() => guard({ ...postern }, { public: true }))).toMatchObject({ code: 'input_invalid' });
    expect(thrown(() => guard(Object.create(postern), { public: true }))).toMatchObject({ code: 'input_invalid' });
  });
});

it('the version in the source is that of the package', () => {
  expect(VERSION).toBe(manifest.version);
});
