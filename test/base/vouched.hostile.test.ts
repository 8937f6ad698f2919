import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GRANTS, VouchedReader } from '../../src/base/vouched.js';
import { compileCatalog, endpointAccess, scopeAccess } from '../../src/domain/token-types.js';
import { mutationsOf } from '../support/mutations.js';
import { polluted } from '../support/polluted.js';

const catalog = compileCatalog({
  user: endpointAccess(),
  developer: scopeAccess({ models: { read: [], write: ['read'] } }),
});
const settings = { catalog, organization: 'default', cache: { ttl: 60_000 } };
const reader = new VouchedReader(settings as ConstructorParameters<typeof VouchedReader>[0]);
const HASH = 'h'.repeat(32);
const NOW = 1_700_000_000_000;

const ANSWER = {
  types: { developer: { scopes: ['models:read'] }, user: { endpoints: ['summarizer'] } },
  owner: 'zoe',
  ownership: 'organization',
  organization: 'acme',
  endsAt: new Date(NOW + 60_000),
  trustedFor: '5m',
  tokenId: 'ext_1',
  parent: { tokenId: 'p1', kid: 'qUYy3kfJEJLvfq0DOOVuoNArrP3G9i2omK_olLdlwLM', required: true },
  methods: ['GET', 'HEAD'],
  prove: null,
  confirmation: null,
};
const OWN = { ...ANSWER, [GRANTS]: { user: { endpoints: [{ id: 'summarizer', uid: 'u1' }] } } };

const ODD = [
  null,
  undefined,
  '',
  0,
  1,
  -1,
  true,
  false,
  [],
  {},
  [undefined],
  ['GET', 1],
  Array(1),
  'x',
  'a b',
  '\0',
  '\ud800',
  'personal',
  'x'.repeat(65),
  'x'.repeat(101),
  'x'.repeat(200),
  'x'.repeat(201),
  '*',
  '5m',
  '5',
  '-1s',
  '9999999999999d',
  'p1\n',
  'qUYy3kfJEJLvfq0DOOVuoNArrP3G9i2omK_olLdlwLM\n',
  new Date(NOW),
  new Date(Number.NaN),
  { getTime: () => NOW },
  NOW,
  () => true,
  { tokenId: 'p1', required: false },
  { tokenId: 'p1' },
  { jkt: 'x'.repeat(43) },
  '1h',
]; // prettier-ignore

/** The facts, or the words of the refusal. */
async function read(answer: unknown): Promise<unknown> {
  try {
    return await reader.read(answer, HASH, NOW);
  } catch (error) {
    return String(error);
  }
}

/**
 * The oracle: an answer that has `mayIssue` is always read by the schema. A fault of `mayIssue` itself never shows, because its value
 * is good and an earlier fault is the one that is told.
 */
async function bySchema(answer: object): Promise<unknown> {
  const facts = await read({ ...answer, mayIssue: '1s' });
  if (typeof facts !== 'object' || facts === null) return facts;
  const { principal } = facts as { principal: { mayIssue: number } };
  expect(principal.mayIssue).toBe(1_000);
  return { ...facts, principal: { ...principal, mayIssue: 0 } };
}

describe.each([
  ['an answer in words', ANSWER],
  ['an answer of our own authenticators', OWN],
])('%s, read by hand', (_, answer) => {
  test('gives the facts that the schema gives', async () => {
    expect(await read(answer)).toEqual(await bySchema(answer));
    expect(await read(answer)).toMatchObject({
      principal: { owner: 'zoe', organization: 'acme', ownership: 'organization', tokenId: 'ext_1', mayIssue: 0 },
      expiresAt: NOW + 60_000,
      trustedUntil: NOW + 300_000,
      parent: ANSWER.parent,
      methods: ['GET', 'HEAD'],
    });
  });

  test('gives the facts or the words of the schema, for each odd value in each place', async () => {
    for (const key of [...Object.keys(answer), 'x', '__proto__']) {
      for (const value of ODD) {
        const odd = { ...answer };
        Object.defineProperty(odd, key, { value, enumerable: true });
        expect(await read(odd), `${key}: ${String(value)}`).toEqual(await bySchema(odd));
      }
    }
  });

  test('gives the facts or the words of the schema, for random changes', async () => {
    await fc.assert(
      fc.asyncProperty(mutationsOf(answer, ODD), async (odd) => {
        expect(await read(odd)).toEqual(await bySchema(odd));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is not changed by its authenticator afterwards', async () => {
    const methods = ['GET'];
    const facts = await read({ ...answer, methods });
    methods.push('DELETE');
    expect(facts).toMatchObject({ methods: ['GET'] });
  });

  test.each([Number.NaN, NOW + 86_400_000])(
    'does not end later because its Date was set to %s while it was read',
    async (time) => {
      const endsAt = new Date(NOW + 60_000);
      const reading = read({ ...answer, endsAt });
      endsAt.setTime(time);
      expect(await reading).toMatchObject({ expiresAt: NOW + 60_000, principal: { endsAt: NOW + 60_000 } });
    },
  );

  test('takes nothing from a polluted prototype', async () => {
    const { owner, methods, ...bare } = answer;
    const found = await polluted({ owner: 'eve', methods: ['GET'] }, async () => [
      await read(bare),
      await read({ ...bare, owner }),
    ]);
    expect(found).toEqual([expect.stringContaining('owner'), expect.objectContaining({ methods: null })]);
  });
});
