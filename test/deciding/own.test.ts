import { own } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { verdict } from '../support/outcomes.js';

/** Two organizations with endpoints of the same names, and a token in each that reaches all endpoints of its own. */
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
  test("is found only in the caller's organization", async () => {
    const { postern, tokens } = await world();
    const ask = async (token: string | undefined, endpoint: string) =>
      verdict(await postern.authorize({ token, requirement: { endpoint, organization: own } }));
    expect(await ask(tokens.b, 'only-b')).toBe('allowed');
    expect(await ask(tokens.a, 'only-b')).toBe('endpoint_unknown');
    expect(await ask(tokens.b, 'hidden')).toBe('endpoint_private');
    // The organization of the instance has none of these endpoints.
    expect(verdict(await postern.authorize({ token: tokens.b, requirement: { endpoint: 'only-b' } }))).toBe(
      'endpoint_unknown',
    );
  });

  test('needs a credential even if it is public, because the credential names the organization', async () => {
    const { postern, tokens } = await world();
    const requirement = { endpoint: 'open', organization: own } as const;
    expect(verdict(await postern.authorize({ requirement }))).toBe('token_missing');
    const decision = await postern.authorize({ token: tokens.a, requirement });
    expect(decision).toMatchObject({ allowed: true, principal: { organization: 'a' } });
    expect(verdict(await postern.authorize({ token: tokens.b, requirement }))).toBe('allowed');
  });

  test('is not told about with an ended token, which is refused first', async () => {
    const { postern, tokens } = await world();
    const token = tokens.b as string;
    await postern.tokens.revokeSecret(token);
    for (const endpoint of ['only-b', 'hidden', 'nowhere']) {
      const decision = await postern.authorize({ token, requirement: { endpoint, organization: own } });
      expect(verdict(decision)).toBe('token_revoked');
    }
  });

  test('is answered without a promise once warm, and explained in the same steps', async () => {
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

test("a scope in the caller's own organization is allowed like a scope without an organization", async () => {
  const { postern, tokens } = await world();
  const requirement = { scope: 'models:read', organization: own } as const;
  expect(verdict(await postern.authorize({ token: tokens.b, requirement }))).toBe('allowed');
});
