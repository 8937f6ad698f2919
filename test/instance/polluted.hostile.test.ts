import type { Postern } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { verdict } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const everything = { scopes: ['*'] };

/** Keys that code of this kind reads, with an attacker's values. */
const POLLUTION: readonly (readonly [string, unknown])[] = [
  ['zone', 'internal'],
  ['token', 'stolen'],
  ['malformed', true],
  ['fault', new Error('x')],
  ['requirement', { public: true }],
  ['public', true],
  ['authenticated', true],
  ['organization', 'evil'],
  ['owner', 'evil'],
  ['ownership', 'organization'],
  ['endpoint', 'open'],
  ['scope', 'models:read'],
  ['endpoints', '*'],
  ['scopes', ['*']],
  ['allowed', true],
  ['principal', {}],
  ['reason', 'evil'],
  ['access', 'public'],
  ['form', 'endpoint_access'],
  ['types', { developer: everything }],
  ['developer', everything],
  ['user', { endpoints: '*' }],
  ['tokenId', 'evil'],
  ['expiresAt', new Date(8e15)],
  ['expiresIn', '1d'],
  ['revokedAt', null],
  ['grace', '1d'],
  ['ttl', 0],
  ['maxTokens', 1],
  ['secret', () => 'x'],
  ['key', null],
  ['name', 'evil'],
  ['description', 'evil'],
  ['metadata', { evil: true }],
];

/** The reasons of many decisions of one instance. */
async function decisions(postern: Postern, tokens: readonly string[]): Promise<string[]> {
  const said: string[] = [];
  for (const token of [undefined, ...tokens]) {
    for (const requirement of [
      { endpoint: 'open' },
      { endpoint: 'protected' },
      { endpoint: 'inner' },
      { endpoint: 'nowhere' },
      { scope: 'models:read' },
      { scope: 'models:write', organization: 'default' },
      { scope: ['models:read', 'iam:read'] },
      { authenticated: true },
      null,
    ]) {
      const attempt: object = token === undefined ? { requirement } : { token, requirement };
      const decision = await postern.authorize(attempt);
      const warm = postern.tryAuthorize(attempt);
      const explained = (await postern.explain(attempt)).decision;
      said.push([decision, warm ?? decision, explained].map((each) => (each.allowed ? 'allowed' : each.reason)).join());
    }
    said.push(verdict(await postern.authorize(token === undefined ? ({} as object) : { token })));
  }
  return said;
}

async function world() {
  const { postern } = createTestPostern();
  await postern.endpoints.create({ id: 'open', access: 'public' });
  await postern.endpoints.create({ id: 'protected', access: 'protected' });
  await postern.endpoints.create({ id: 'inner', access: 'private' });
  const made = [
    await postern.tokens.create({ name: 'x', types }),
    await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['protected'] } } }),
    await postern.tokens.create({ name: 'x', types, organization: 'other' }),
    await postern.tokens.create({ name: 'x', types }),
  ];
  await postern.tokens.revoke((made[3] as (typeof made)[0]).record.id);
  return { postern: postern as Postern, tokens: made.map(({ token }) => token) };
}

describe('with a polluted Object.prototype', () => {
  test.each(POLLUTION)('no decision changes for the key %s, cold or warm', async (key, value) => {
    const clean = await world();
    const expected = await decisions(clean.postern, clean.tokens);
    const cold = await world();
    const during = await polluted({ [key]: value }, () => decisions(cold.postern, cold.tokens));
    const again = await polluted({ [key]: value }, () => decisions(clean.postern, clean.tokens));
    expect(during).toEqual(expected);
    expect(again).toEqual(expected);
  });

  test.each(POLLUTION)('create, update and rotate do the same for the key %s', async (key, value) => {
    const outcome = async () => {
      const { postern, clock } = createTestPostern({ random: counting() });
      const { record } = await postern.tokens.create({ name: 'x', types });
      const endpoint = await postern.endpoints.create({ id: 'a', access: 'protected' });
      clock.advance(10);
      const updated = await postern.tokens.update(record.id, { name: 'y' });
      const prolonged = await postern.tokens.update(record.id, { expiresAt: null });
      const rotated = await postern.tokens.rotate(record.id);
      const shown = { record, endpoint, updated, prolonged, rotated: rotated.record };
      return Object.entries(shown).map(([name, each]) => [
        name,
        ...Object.entries(each).map(([field, held]) => `${field}=${JSON.stringify(held)}`),
      ]);
    };
    const expected = await outcome();
    expect(await polluted({ [key]: value }, outcome)).toEqual(expected);
  });

  test('a principal can still not create beyond its own grants', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', owner: 'ada', types });
    const outcome = await postern.authenticate(token);
    if (!outcome.ok) throw new Error(outcome.reason);
    const { principal } = outcome;
    for (const [key, value] of POLLUTION) {
      const codes = await polluted({ [key]: value }, async () => {
        const mine = postern.as(principal);
        const code = (work: Promise<unknown>) =>
          work.then(
            () => 'done',
            (error) => error.code,
          );
        return [
          await code(mine.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:write'] } } })),
          await code(mine.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } })),
          await code(mine.tokens.create({ name: 'x', types: {} })),
        ];
      });
      expect([key, ...codes]).toEqual([key, 'scope_missing', 'endpoint_not_granted', 'types_missing']);
    }
  });

  test('a named principal has the grants that it names', async () => {
    const { postern, events } = createTestPostern();
    const record = await polluted(
      { tokenId: 'evil', organization: 'evil', owner: 'evil' },
      async () =>
        (await postern.as({ organization: 'acme', owner: null, types }).tokens.create({ name: 'x', types })).record,
    );
    expect([record.organization, record.owner]).toEqual(['acme', null]);
    expect(events[0]).toMatchObject({ actor: { kind: 'principal', tokenId: '', owner: null } });
  });

  test('a new instance has its own options only', async () => {
    for (const [key, value] of [
      ...POLLUTION,
      ['pepper', 'x'.repeat(32)],
      ['clock', () => 0],
      ['random', () => new Uint8Array(32)],
      ['tokenPrefix', 'evil'],
      ['cache', false],
      ['importedTokens', []],
    ] as const) {
      const token = await polluted({ [key]: value }, async () => {
        const { postern } = createTestPostern({ cache: { ttl: '30s' } });
        return (await postern.tokens.create({ name: 'x', types })).token;
      });
      expect([key, token.slice(0, 4), token.includes('0'.repeat(20))]).toEqual([key, 'pst_', false]);
    }
  });

  test('__proto__ and constructor are ordinary names in metadata, and unknown as scopes', async () => {
    const { postern } = createTestPostern();
    const metadata = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
    const { record } = await postern.tokens.create({ name: 'x', types, metadata });
    expect(Object.keys(record.metadata).toSorted()).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    for (const scope of ['__proto__', 'constructor', '__proto__:read', 'toString:call', 'hasOwnProperty']) {
      await expect(postern.authorize({ requirement: { scope } as never })).rejects.toMatchObject({
        code: 'scope_unknown',
      });
    }
    for (const endpoint of ['__proto__', 'constructor', 'toString']) {
      expect(verdict(await postern.authorize({ requirement: { endpoint } }))).toBe('endpoint_unknown');
    }
  });
});

/** Bytes that differ between calls and are the same in each run. */
function counting(): (length: number) => Uint8Array {
  let call = 0;
  return (length) => {
    call++;
    return new Uint8Array(length).fill(call);
  };
}
