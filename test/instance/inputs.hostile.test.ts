import { createHash } from 'node:crypto';
import type { Principal } from 'postern';
import { memoryRateLimiter } from 'postern/limits';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { gateOf } from '../support/gate.js';
import { refusal, thrown, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;

async function someone() {
  const made = createTestPostern();
  const { token, record } = await made.postern.tokens.create({ name: 'holder', owner: 'ada', types });
  const outcome = await made.postern.authenticate(token);
  if (!outcome.ok) throw new Error(outcome.reason);
  return { ...made, token, record, principal: outcome.principal };
}

describe('as() with a hostile principal', () => {
  it.each([
    ['nothing', () => null],
    ['a text', () => 'ada'],
    ['a list', (principal: Principal) => [principal]],
    ['an object that inherits from a principal', (principal: Principal) => Object.create(principal)],
    ['a list of organizations', (principal: Principal) => ({ ...principal, organization: ['default'] })],
    ['all organizations', (principal: Principal) => ({ ...principal, organization: '*' })],
    [
      'an object with a toString as organization',
      (principal: Principal) => ({ ...principal, organization: { toString: () => 'default' } }),
    ],
    ['no owner', (principal: Principal) => ({ ...principal, owner: undefined })],
  ])('refuses %s', async (_, make) => {
    const { postern, principal } = await someone();
    expect(thrown(() => postern.as(make(principal) as never)).code).toBe('input_invalid');
  });

  it('reads a getter once, and uses the value that it checked', async () => {
    const { postern } = await someone();
    let asked = 0;
    const shifty = {
      owner: null,
      types,
      get organization() {
        return asked++ === 0 ? 'acme' : 'other';
      },
    };
    const mine = postern.as(shifty);
    expect((await mine.tokens.create({ name: 'x', types })).record.organization).toBe('acme');
    expect((await refusal(mine.tokens.create({ name: 'x', types, organization: 'other' }))).code).toBe(
      'organization_forbidden',
    );
  });

  it('grants no more than is held for types that change between reads', async () => {
    const { postern, principal } = await someone();
    const mine = postern.as(principal);
    for (const shifty of [
      alternating({ scopes: ['models:read'] }, { scopes: ['*'] }),
      alternating({ scopes: ['*'] }, { scopes: ['models:read'] }),
    ]) {
      const record = await mine.tokens.create({ name: 'x', types: shifty as never }).then(
        (issued) => issued.record.types,
        (error) => error.code,
      );
      expect([{ developer: { scopes: ['models:read'] } }, 'scope_missing']).toContainEqual(record);
    }
    const scopes = new Proxy(['models:read'] as ['models:read'], {
      get: (target, key) => (key === Symbol.iterator ? () => ['*'].values() : Reflect.get(target, key)),
    });
    expect((await refusal(mine.tokens.create({ name: 'x', types: { developer: { scopes } } }))).code).toBe(
      'scope_missing',
    );
  });
});

/** An object whose `developer` alternates between two values. */
function alternating(first: unknown, second: unknown): object {
  let asked = 0;
  return Object.defineProperty({}, 'developer', {
    enumerable: true,
    get: () => (asked++ % 2 === 0 ? first : second),
  });
}

describe('a hostile call', () => {
  it('with a requirement changed since the last call is judged by the change, unless it was prepared', async () => {
    const { postern, token } = await someone();
    const requirement: Record<string, unknown> = { scope: 'models:read' };
    const prepared = gateOf(postern).prepare(requirement as never);
    const decide = async (needed: unknown) => verdict(await postern.authorize({ token, requirement: needed as never }));
    expect(await decide(requirement)).toBe('allowed');
    requirement.scope = 'iam:write';
    expect(await decide(requirement)).toBe('scope_missing');
    expect(await decide(prepared)).toBe('allowed');
    expect(Object.isFrozen(prepared)).toBe(true);
  });

  it('with an invalid zone is external', async () => {
    const { postern } = await someone();
    await postern.endpoints.create({ id: 'inner', access: 'private' });
    const requirement = { endpoint: 'inner' };
    for (const zone of ['Internal', 'internal ', ['internal'], { toString: () => 'internal' }, true, 1, null]) {
      expect(verdict(await postern.authorize({ requirement, zone: zone as never }))).toBe('endpoint_private');
    }
  });

  it('with a look-alike of a token, an organization or an endpoint is denied', async () => {
    const { postern, token } = await someone();
    await postern.endpoints.create({ id: 'cafe', access: 'public', organization: 'caf\u00e9' });
    const attempt = async (endpoint: string, organization: string) =>
      verdict(await postern.authorize({ requirement: { endpoint, organization } }));
    expect(await attempt('cafe', 'caf\u00e9')).toBe('allowed');
    for (const [endpoint, organization] of [
      ['cafe', 'cafe\u0301'],
      ['cafe', 'Caf\u00e9'],
      ['cafe', 'caf\u00e9\u200b'],
      ['c\u0430fe', 'caf\u00e9'],
      ['cafe\n', 'caf\u00e9'],
      ['cafe\0', 'caf\u00e9'],
      ['CAFE', 'caf\u00e9'],
    ] as const) {
      expect([endpoint, organization, await attempt(endpoint, organization)]).toEqual([
        endpoint,
        organization,
        'endpoint_unknown',
      ]);
    }
    for (const other of [
      `${token}\n`,
      ` ${token}`,
      token.toUpperCase(),
      token.replace('_', '\uff3f'),
      `${token}\u200b`,
      `\ufeff${token}`,
    ]) {
      expect(verdict(await postern.authorize({ token: other, requirement: { authenticated: true } }))).toBe(
        'token_unknown',
      );
    }
  });

  it('an imported digest in upper case is the same as in lower case', async () => {
    const { postern } = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });
    const old = `old_${'a1'.repeat(16)}`;
    const digest = createHash('sha256').update(old).digest('hex');
    const record = await postern.tokens.import({ name: 'x', types, digest: digest.toUpperCase() });
    expect(record.hint).toBe(`sha256:${digest.slice(0, 8)}…`);
    expect((await postern.authenticate(old)).ok).toBe(true);
    expect((await refusal(postern.tokens.import({ name: 'x', types, digest }))).code).toBe('token_exists');
  });
});

describe('a rate limit', () => {
  it('of 5 lets through 5 of 20 concurrent calls with both secrets of a rotation', async () => {
    const { postern } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const issued = await postern.tokens.create({ name: 'x', types, rateLimit: { points: 5, duration: '1h' } });
    const rotated = await postern.tokens.rotate(issued.record.id, { grace: '1h' });
    const decisions = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        postern.authorize({
          token: index % 2 === 0 ? issued.token : rotated.token,
          requirement: { scope: 'models:read' },
        }),
      ),
    );
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
    expect(new Set(decisions.filter(({ allowed }) => !allowed).map(verdict))).toEqual(new Set(['rate_limited']));
  });
});
