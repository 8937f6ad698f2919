import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, verdict, withWrongChecksum } from '../support/outcomes.js';

/** A well-formed token of another store. */
const UNKNOWN = await createTestPostern()
  .postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } })
  .then(({ token }) => token);

describe('explain', () => {
  test('has a remedy that makes the call allowed, and any part of it does not', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    await postern.endpoints.create({ id: 'b', access: 'protected' });
    const types = { user: { endpoints: ['a'] }, developer: { scopes: ['iam:read'] } } as const;
    const { token, record } = await postern.tokens.create({ name: 'x', types });

    const scopes: Attempt = {
      token,
      requirement: { scope: ['models:read', 'models:write', 'bentos:read', 'iam:read'] },
    };
    const { remedy } = await postern.explain(scopes);
    expect(remedy?.types).toEqual({ developer: { scopes: ['models:write', 'bentos:read'] } });
    expect(remedy?.message).toBe('Grant the token models:write, bentos:read (type developer).');
    for (const left of [['models:write'], ['bentos:read']] as const) {
      await postern.tokens.update(record.id, { types: { ...types, developer: { scopes: ['iam:read', ...left] } } });
      expect(verdict(await postern.authorize(scopes))).toBe('scope_missing');
    }
    await postern.tokens.update(record.id, {
      types: { ...types, developer: { scopes: ['iam:read', 'models:write', 'bentos:read'] } },
    });
    expect(verdict(await postern.authorize(scopes))).toBe('allowed');

    const endpoint: Attempt = { token, requirement: { endpoint: 'b' } };
    expect((await postern.explain(endpoint)).remedy?.types).toEqual({ user: { endpoints: ['b'] } });
    await postern.tokens.update(record.id, { types: { ...types, user: { endpoints: ['a', 'b'] } } });
    expect(verdict(await postern.authorize(endpoint))).toBe('allowed');
  });

  test('says that a granted endpoint was deleted and its name used again', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    await postern.endpoints.delete('a');
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { steps, remedy } = await postern.explain({ token, requirement: { endpoint: 'a' } });
    expect(steps.at(-1)?.detail).toContain('was granted an earlier endpoint "a", which was deleted');
    expect(remedy?.types).toEqual({ user: { endpoints: ['a'] } });
  });

  test('has no remedy if no grant would help', async () => {
    const { postern, clock } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected', organization: 'other' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } }, expiresIn: '1h' });
    for (const requirement of [
      { endpoint: 'a', organization: 'other' },
      { scope: 'models:read', organization: 'other' },
      { endpoint: 'nowhere' },
    ] as const) {
      expect(await postern.explain({ token, requirement })).not.toHaveProperty('remedy');
    }
    expect(await postern.explain({ token, requirement: { authenticated: true } })).not.toHaveProperty('remedy');
    clock.advance(3_600_000);
    expect(await postern.explain({ token, requirement: { scope: 'models:read' } })).not.toHaveProperty('remedy');
  });

  test('keeps its decision if the store fails while it looks for a remedy', async () => {
    const { postern, store } = createTestPostern({ cache: false });
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } });
    let reads = 0;
    store.answer('findTokenByDigest', (real) => {
      if (++reads > 1) throw new Error('gone');
      return real;
    });
    expect(await postern.explain({ token, requirement: { scope: 'models:read' } })).toMatchObject({
      decision: { reason: 'scope_missing' },
    });
  });

  test('shows no secret in its steps', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['iam:read'] } } });
    for (const each of [token, withWrongChecksum(token), UNKNOWN]) {
      const text = JSON.stringify(await postern.explain({ token: each, requirement: { scope: 'models:read' } }));
      expect(text).not.toContain(each.slice(8));
    }
  });
});
