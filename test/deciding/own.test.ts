import { own } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { verdict } from '../support/outcomes.js';

/** Two organizations, each with endpoints of the same names, and a token that reaches all of its own. */
async function world() {
  const made = createTestPostern();
  const tokens: Record<string, string> = {};
  for (const organization of ['a', 'b']) {
    await made.postern.endpoints.create({
      id: 'open',
      access: organization === 'a' ? 'public' : 'protected',
      organization,
    });
    await made.postern.endpoints.create({ id: 'hidden', access: 'private', organization });
    const types = { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } } as const;
    tokens[organization] = (await made.postern.tokens.create({ name: 'x', types, organization })).token;
  }
  await made.postern.endpoints.create({ id: 'only-b', access: 'protected', organization: 'b' });
  return { ...made, tokens };
}

describe("an endpoint of the caller's own organization", () => {
  test('is found in the organization of whoever calls, and in no other', async () => {
    const { postern, tokens } = await world();
    const ask = async (token: string | undefined, endpoint: string) =>
      verdict(await postern.authorize({ token, requirement: { endpoint, organization: own } }));
    expect(await ask(tokens.b, 'only-b')).toBe('allowed');
    expect(await ask(tokens.a, 'only-b')).toBe('endpoint_unknown');
    expect(await ask(tokens.b, 'hidden')).toBe('endpoint_private');
    // The instance's own organization has none of them.
    expect(verdict(await postern.authorize({ token: tokens.b, requirement: { endpoint: 'only-b' } }))).toBe(
      'endpoint_unknown',
    );
  });

  test('needs a credential even where it is public: without one nobody knows whose it is', async () => {
    const { postern, tokens } = await world();
    const requirement = { endpoint: 'open', organization: own } as const;
    expect(verdict(await postern.authorize({ requirement }))).toBe('token_missing');
    const decision = await postern.authorize({ token: tokens.a, requirement });
    expect(decision).toMatchObject({ allowed: true, principal: { organization: 'a' } });
    expect(verdict(await postern.authorize({ token: tokens.b, requirement }))).toBe('allowed');
  });

  test('of a token that has ended is told before anything of the endpoint', async () => {
    const { postern, tokens } = await world();
    const token = tokens.b as string;
    await postern.tokens.revokeSecret(token);
    for (const endpoint of ['only-b', 'hidden', 'nowhere']) {
      const decision = await postern.authorize({ token, requirement: { endpoint, organization: own } });
      expect(verdict(decision)).toBe('token_revoked');
    }
  });

  test('is answered without a promise once it is warm, and explained by the same steps', async () => {
    const { postern, tokens } = await world();
    const attempt = { token: tokens.b, requirement: { endpoint: 'only-b', organization: own } } as const;
    expect(postern.tryAuthorize(attempt)).toBeNull();
    await postern.authorize(attempt);
    expect(postern.tryAuthorize(attempt)?.allowed).toBe(true);
    const { steps } = await postern.explain(attempt);
    expect(steps.map(({ check }) => check)).toEqual([
      'credential',
      'known',
      'revoked',
      'expired',
      'endpoint',
      'access',
      'organization',
      'grant',
    ]);
  });
});

test('with a scope it says what leaving the organization out means', async () => {
  const { postern, tokens } = await world();
  const requirement = { scope: 'models:read', organization: own } as const;
  expect(verdict(await postern.authorize({ token: tokens.b, requirement }))).toBe('allowed');
});
