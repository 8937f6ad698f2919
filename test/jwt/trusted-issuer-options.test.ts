import { isPosternError } from 'postern';
import { type TrustedIssuerOptions, trustedIssuer } from 'postern/jwt';
import { describe, expect, it, vi } from 'vitest';
import { START, thrown } from '../support/outcomes.js';
import { AUDIENCE, ISSUER, issuerKey, signed } from './support/tokens.js';
import { key, mapping, rsa, setUp } from './support/trusting.js';

const NOW = START / 1000;
const READ = { scope: 'models:read' } as const;

describe('the principal function of a trusted issuer', () => {
  const broken: [string, unknown, string][] = [
    ['undefined', undefined, 'input_invalid'],
    ['true', true, 'input_invalid'],
    ['a text', 'ci', 'input_invalid'],
    ['no types', { owner: 'ci' }, 'types_missing'],
    ['empty types', { owner: 'ci', types: {} }, 'types_missing'],
    ['an unknown type', { owner: 'ci', types: { admin: { scopes: ['*'] } } }, 'type_unknown'],
    ['an unknown scope', { owner: 'ci', types: { developer: { scopes: ['models:fly'] } } }, 'scope_unknown'],
    ['no scopes', { owner: 'ci', types: { developer: { scopes: [] } } }, 'input_invalid'],
    ['scopes in a text', { owner: 'ci', types: { developer: { scopes: '*' } } }, 'input_invalid'],
    ['a scope of a prototype', { owner: 'ci', types: { developer: { scopes: ['constructor'] } } }, 'scope_unknown'],
    ['an invalid endpoint id', { owner: 'ci', types: { user: { endpoints: ['a b'] } } }, 'endpoint_unknown'],
    ['a uid', { owner: 'ci', types: { user: { endpoints: [{ id: 'a', uid: 'u' }] } } }, 'endpoint_unknown'],
    ['no owner', { types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an empty owner', { owner: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an unknown field', { owner: 'ci', types: { developer: { scopes: ['*'] } }, admin: true }, 'option_unknown'],
    ["organization '*'", { owner: 'ci', organization: '*', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['no organization', { owner: 'ci', organization: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an ownership', { owner: 'ci', ownership: 'mine', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
  ];

  it.each(broken)('that returns %s makes the call unavailable, never allowed', async (_, made, code) => {
    const { events, reasonOf } = setUp({ principal: () => made as never });
    expect(await reasonOf(await signed(key, { sub: 'canary' }))).toBe('unavailable');
    const fault = events.find(({ type }) => type === 'fault') as { error: Error } | undefined;
    const error = isPosternError(fault?.error) ? fault.error : (fault?.error.cause as Error & { code?: string });
    expect(error?.code).toBe(code);
    expect(error?.message).toContain('principal');
    expect(error?.message).not.toContain('canary');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('that %s makes the call unavailable', async (_, principal) => {
    const { postern } = setUp({ principal });
    const decision = await postern.authorize({ token: await signed(key), requirement: READ });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
  });

  it('gets verified claims only', async () => {
    const principal = vi.fn(mapping);
    const { reasonOf } = setUp({ principal });
    await reasonOf(await signed(await issuerKey('ES256', key.kid)));
    await reasonOf(await signed(key, { aud: 'https://other.example' }));
    await reasonOf(await signed(key, { exp: NOW - 60 }));
    expect(principal).not.toHaveBeenCalled();
  });

  it('changes no identity by changing its claims', async () => {
    const { postern } = setUp({
      principal: (claims) => {
        (claims as { sub: string }).sub = 'someone else';
        return mapping(claims);
      },
    });
    const token = await signed(key);
    const first = await postern.authenticate(token);
    const second = await setUp().postern.authenticate(token);
    expect(first.ok && first.principal.tokenId).toBe(second.ok && second.principal.tokenId);
  });
});

describe('trustedIssuer', () => {
  const good = { issuer: ISSUER, audience: AUDIENCE, principal: mapping };
  it.each<[string, object, string | undefined]>([
    ['nothing', {}, 'issuer'],
    ['no issuer', { ...good, issuer: undefined }, 'issuer'],
    ['an empty issuer', { ...good, issuer: '' }, 'issuer'],
    ['an invalid issuer URL without keys', { ...good, issuer: 'login' }, 'issuer'],
    ['an issuer over http without keys', { ...good, issuer: 'http://login.example' }, 'issuer'],
    ['no audience', { ...good, audience: undefined }, 'audience'],
    ['an empty audience', { ...good, audience: '' }, 'audience'],
    ['an empty list of audiences', { ...good, audience: [] }, 'audience'],
    ['no principal', { ...good, principal: undefined }, 'principal'],
    ['a principal that is not a function', { ...good, principal: { owner: 'ci' } }, 'principal'],
    ['no algorithms', { ...good, algorithms: [] }, 'algorithms'],
    ['HS256', { ...good, algorithms: ['RS256', 'HS256'] }, 'algorithms.1'],
    ['the algorithm none', { ...good, algorithms: ['none'] }, 'algorithms.0'],
    ['algorithms in a text', { ...good, algorithms: 'RS256' }, 'algorithms'],
    ['keys over http', { ...good, jwks: 'http://login.example/jwks' }, 'jwks'],
    ['invalid keys', { ...good, jwks: { keys: 'x' } }, 'jwks'],
    ['a set without a usable key', { ...good, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'jwks'],
    ['a tolerance of an hour', { ...good, clockTolerance: '1h' }, 'clockTolerance'],
    ['an invalid typ', { ...good, tokenType: [''] }, undefined],
    ['an empty list of typs', { ...good, tokenType: [] }, 'tokenType'],
  ])('refuses %s', (_, options, path) => {
    const error = thrown(() => trustedIssuer(options as TrustedIssuerOptions));
    expect(error.code).toBe('option_invalid');
    if (path !== undefined) expect(error.path).toBe(path);
  });

  it('refuses unknown options', () => {
    const options = { ...good, audiences: AUDIENCE };
    expect(thrown(() => trustedIssuer(options))).toMatchObject({ code: 'option_unknown', path: 'audiences' });
  });

  it('accepts only the named typs', async () => {
    const { reasonOf } = setUp({ tokenType: 'at+jwt' });
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(await reasonOf(await signed(key, {}, { typ: 'JWT' }))).toBe('token_unknown');
    expect(await reasonOf(await signed(key, {}, { typ: undefined }))).toBe('token_unknown');
  });

  it('accepts only the named algorithms', async () => {
    const { reasonOf } = setUp({ algorithms: ['ES256'] });
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(await reasonOf(await signed(rsa))).toBe('token_unknown');
    expect(await setUp().reasonOf(await signed(rsa))).toBe('allowed');
  });
});

describe('the options of remote keys', () => {
  const issuing = (options: object) =>
    trustedIssuer({
      issuer: 'https://login.example',
      audience: 'https://api.example',
      principal: () => null,
      ...options,
    });

  it.each<[string, object, string]>([
    ['http', { jwks: 'http://keys.example/jwks' }, 'jwks'],
    ['a host that only begins like this machine', { jwks: 'http://127.0.0.1.evil.example/jwks' }, 'jwks'],
    ['a user name', { jwks: 'https://canary@keys.example/jwks' }, 'jwks'],
    ['a user name and a password', { jwks: 'https://user:canary@keys.example/jwks' }, 'jwks'],
    ['a fragment', { jwks: 'https://keys.example/jwks#canary' }, 'jwks'],
    ['an invalid address', { jwks: 'keys' }, 'jwks'],
    ['an issuer over http', { issuer: 'http://login.example' }, 'issuer'],
    ['an issuer with a query', { issuer: 'https://login.example?tenant=1' }, 'issuer'],
    ['a cool-down of zero', { cooldown: 0 }, 'cooldown'],
    ['a cool-down longer than maxAge', { cooldown: '11m' }, 'cooldown'],
    ['an invalid maxAge', { maxAge: 'soon' }, 'maxAge'],
    ['a maxAge without a unit', { maxAge: 600_000 }, 'maxAge'],
    ['a fetch that is not a function', { fetch: 'fetch' }, 'fetch'],
  ])('refuse %s', (_, options, path) => {
    const error = thrown(() => issuing(options));
    expect(error).toMatchObject({ code: 'option_invalid', path });
    expect(error.message).not.toContain('canary');
  });

  it('refuse unknown options', () => {
    expect(thrown(() => issuing({ coolDown: '1m' }))).toMatchObject({ code: 'option_unknown', path: 'coolDown' });
  });

  it.each([
    'http://localhost:1/',
    'http://a.localhost/',
    'http://[::1]:1/',
    'http://127.9.9.9/',
    'https://keys.example/',
  ])('accept %s', (jwks) => {
    expect(() => issuing({ jwks })).not.toThrow();
  });
});
