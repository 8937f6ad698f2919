import { endpointAccess, scopeAccess } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';

const tokenTypes = {
  reader: scopeAccess({ reports: { read: [], write: ['read'] } }),
  caller: endpointAccess(),
};

describe('createTestPostern', () => {
  it('makes a token of scopes in one line', async () => {
    const { postern, token } = createTestPostern();
    const bearer = await token({ scopes: ['models:write'] });
    expectTypeOf(bearer).toEqualTypeOf<string>();
    expect(await postern.authorize({ token: bearer, requirement: { scope: 'models:read' } })).toMatchObject({
      allowed: true,
    });
    expect(await postern.authorize({ token: bearer, requirement: { scope: 'iam:read' } })).toMatchObject({
      reason: 'scope_missing',
    });
  });

  it('makes a token of endpoints, and registers those that are missing as protected ones', async () => {
    const { postern, token } = createTestPostern();
    await postern.endpoints.create({ id: 'status', access: 'private' });
    const bearer = await token({ endpoints: ['summarizer', 'status'] });
    expect(await postern.authorize({ token: bearer, requirement: { endpoint: 'summarizer' } })).toMatchObject({
      allowed: true,
    });
    expect(await postern.endpoints.get('summarizer')).toMatchObject({ access: 'protected' });
    expect(await postern.endpoints.get('status')).toMatchObject({ access: 'private' });
    const all = await token({ endpoints: '*', scopes: ['*'] });
    expect(await postern.authorize({ token: all, requirement: { endpoint: 'summarizer' } })).toMatchObject({
      allowed: true,
    });
    expect(await postern.authorize({ token: all, requirement: { scope: 'iam:write' } })).toMatchObject({
      allowed: true,
    });
  });

  it('takes everything else that a token has, in its organization', async () => {
    const { postern, issue } = createTestPostern({ organization: 'acme' });
    const { token, record } = await issue({ endpoints: ['a'], organization: 'umbrella', owner: 'ada', name: 'mine' });
    expect(record).toMatchObject({ organization: 'umbrella', owner: 'ada', name: 'mine' });
    expect(await postern.endpoints.get('a', { organization: 'umbrella' })).not.toBeNull();
    expect(await postern.endpoints.get('a')).toBeNull();
    expect((await postern.authenticate(token)).ok).toBe(true);
    expect((await issue({ types: { developer: { scopes: ['*'] } } })).record.organization).toBe('acme');
  });

  it('refuses what postern refuses', async () => {
    const { token } = createTestPostern();
    await expect(token()).rejects.toMatchObject({ code: 'types_missing' });
    // @ts-expect-error no such scope
    await expect(token({ scopes: ['model:read'] })).rejects.toMatchObject({ code: 'scope_unknown' });
    // @ts-expect-error no such field
    await expect(token({ scopes: ['*'], colour: 'red' })).rejects.toMatchObject({ code: 'option_unknown' });
    expect(() => createTestPostern({ colour: 'red' } as never)).toThrow(
      expect.objectContaining({ code: 'option_unknown' }),
    );
  });

  it('has a clock that stands still until it is moved', async () => {
    const { postern, clock, token } = createTestPostern();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    const bearer = await token({ scopes: ['*'], expiresIn: '1h' });
    clock.advance('59m');
    clock.advance('59999ms');
    expect((await postern.authenticate(bearer)).ok).toBe(true);
    clock.advance('1ms');
    expect(await postern.authenticate(bearer)).toEqual({ ok: false, reason: 'token_expired' });
    clock.set(new Date('2026-01-01T00:00:00Z'));
    expect(await postern.authenticate(bearer)).toEqual({ ok: false, reason: 'token_expired' });
    expect(() => clock.advance('soon' as never)).toThrow(expect.objectContaining({ code: 'input_invalid' }));
    expect(createTestPostern({ now: new Date(5) }).clock.now()).toBe(5);
  });

  it('takes token types of its own, and knows their scopes', async () => {
    const { postern, token } = createTestPostern({ tokenTypes, organization: 'acme', tokenPrefix: 'acme' });
    const bearer = await token({ scopes: ['reports:write'], endpoints: ['summarizer'] });
    expect(bearer).toMatch(/^acme_/);
    expect(await postern.authorize({ token: bearer, requirement: { scope: 'reports:read' } })).toMatchObject({
      allowed: true,
    });
    // @ts-expect-error a scope of the default types
    await expect(token({ scopes: ['models:read'] })).rejects.toMatchObject({ code: 'scope_unknown' });
    const scopesOnly = createTestPostern({ tokenTypes: { reader: tokenTypes.reader } });
    await expect(scopesOnly.token({ endpoints: '*' })).rejects.toMatchObject({ code: 'type_unknown' });
  });

  it('shares nothing with another one', async () => {
    const [one, other] = [createTestPostern(), createTestPostern()];
    const bearer = await one.token({ scopes: ['*'] });
    expect(await other.postern.authenticate(bearer)).toEqual({ ok: false, reason: 'token_unknown' });
  });
});
