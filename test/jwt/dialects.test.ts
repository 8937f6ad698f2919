import { type IssuerLookup, type TrustedIssuerOptions, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';
import { AUDIENCE, ISSUER, type IssuerKey, issuerKey, signed } from './support/tokens.js';

let key: IssuerKey;
let other: IssuerKey;
beforeAll(async () => {
  [key, other] = await Promise.all([issuerKey('ES256'), issuerKey('ES256', 'other')]);
});

function trusting(options: Partial<TrustedIssuerOptions> = {}) {
  const authenticator = trustedIssuer({
    issuer: ISSUER,
    audience: AUDIENCE,
    ...(options.jwks === undefined && options.fetch === undefined && { jwks: { keys: [key.jwk] } }),
    principal: ({ sub, iss }) => ({ owner: `${sub} of ${iss}`, types: { developer: { scopes: ['models:read'] } } }),
    ...options,
  });
  const world = createTestPostern({ authenticators: [authenticator] });
  const reasonOf = async (token: string) => {
    const decision = await world.postern.authorize({ token, requirement: { scope: 'models:read' } });
    return decision.allowed ? 'allowed' : decision.reason;
  };
  return { ...world, reasonOf };
}

/** A key server behind a fake `fetch`, with the requested addresses. */
function keysAt(sets: Readonly<Record<string, object>>) {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return sets[url] === undefined ? new Response('', { status: 404 }) : new Response(JSON.stringify(sets[url]));
  };
  return { asked, fetch };
}

describe('an access token of Amazon Cognito', () => {
  const cognito = { aud: undefined, client_id: 'my-client', token_use: 'access' };
  const options = { audience: 'my-client', audienceClaim: 'client_id' };
  const jwtType = { typ: undefined };

  it('is accepted if audienceClaim names its claim', async () => {
    expect(await trusting(options).reasonOf(await signed(key, cognito, jwtType))).toBe('allowed');
  });

  it('is refused without audienceClaim', async () => {
    expect(await trusting({ audience: 'my-client' }).reasonOf(await signed(key, cognito, jwtType))).toBe(
      'token_unknown',
    );
  });

  it.each([
    ['for another client', { client_id: 'their-client' }],
    ['without a client', { client_id: undefined }],
    ['for this client and the audience of another API', { aud: 'https://other.example' }],
    ['in the form of an ID token', { token_use: 'id' }],
  ])('is refused %s', async (_, claims) => {
    expect(await trusting(options).reasonOf(await signed(key, { ...cognito, ...claims }, jwtType))).toBe(
      'token_unknown',
    );
  });
});

describe('a nonce', () => {
  it('is accepted in an access token of Keycloak of the type Bearer', async () => {
    const token = await signed(key, { typ: 'Bearer', nonce: 'n' }, { typ: 'JWT' });
    expect(await trusting().reasonOf(token)).toBe('allowed');
  });

  it.each([
    ['of Keycloak', { typ: 'ID', nonce: 'n' }],
    ['without a type', { nonce: 'n' }],
    ['with the hash of an access token', { typ: 'Bearer', nonce: 'n', at_hash: 'h' }],
  ])('is refused in an ID token %s', async (_, claims) => {
    expect(await trusting().reasonOf(await signed(key, claims, { typ: 'JWT' }))).toBe('token_unknown');
  });
});

describe('a key server over http', () => {
  const jwks = 'http://keys.auth.svc.cluster.local/jwks';

  it('is refused at construction, with the option in the message', () => {
    const { code, message } = thrown(() => trusting({ jwks }));
    expect(code).toBe('option_invalid');
    expect(message).toContain('allowInsecureKeys');
  });

  it('is asked with allowInsecureKeys', async () => {
    const { fetch } = keysAt({ [jwks]: { keys: [key.jwk] } });
    expect(await trusting({ jwks, fetch, allowInsecureKeys: true }).reasonOf(await signed(key))).toBe('allowed');
  });

  it('may be named by the metadata of an issuer with allowInsecureKeys only', async () => {
    const metadata = { [`${ISSUER}/.well-known/openid-configuration`]: { issuer: ISSUER, jwks_uri: jwks } };
    const { fetch } = keysAt({ ...metadata, [jwks]: { keys: [key.jwk] } });
    expect(await trusting({ fetch }).reasonOf(await signed(key))).toBe('unavailable');
    expect(await trusting({ fetch, allowInsecureKeys: true }).reasonOf(await signed(key))).toBe('allowed');
  });
});

describe('an issuer for each tenant', () => {
  const tenant = (name: string) => `https://${name}.login.example`;
  const metadataOf = (name: string, keys: object) => ({
    [`${tenant(name)}/.well-known/openid-configuration`]: { issuer: tenant(name), jwks_uri: `${tenant(name)}/jwks` },
    [`${tenant(name)}/jwks`]: { keys: [keys] },
  });
  const ofOurs: IssuerLookup = (iss) => /^https:\/\/(acme|umbrella)\.login\.example$/.test(iss);

  it('has its tokens verified with its own keys', async () => {
    const { fetch } = keysAt({ ...metadataOf('acme', key.jwk), ...metadataOf('umbrella', other.jwk) });
    const { reasonOf, postern } = trusting({ issuer: ofOurs, fetch });
    const token = await signed(key, { iss: tenant('acme') });
    expect(await reasonOf(token)).toBe('allowed');
    expect(await postern.authenticate(token)).toMatchObject({ principal: { owner: `ci of ${tenant('acme')}` } });
    expect(await reasonOf(await signed(other, { iss: tenant('umbrella') }))).toBe('allowed');
    expect(await reasonOf(await signed(key, { iss: tenant('umbrella') }))).toBe('token_unknown');
    expect(await reasonOf(await signed(other, { iss: tenant('acme') }))).toBe('token_unknown');
  });

  it('that the function does not know makes a token unknown without a request', async () => {
    const { fetch, asked } = keysAt(metadataOf('evil', key.jwk));
    const { reasonOf } = trusting({ issuer: ofOurs, fetch });
    expect(await reasonOf(await signed(key, { iss: tenant('evil') }))).toBe('token_unknown');
    expect(asked).toEqual([]);
  });

  it('is looked up once in maxAge for concurrent tokens, and anew after that', async () => {
    let ours = true;
    const seen: string[] = [];
    const lookUp: IssuerLookup = async (iss) => {
      seen.push(iss);
      return ours && { jwks: { keys: [key.jwk] } };
    };
    const { reasonOf, clock } = trusting({ issuer: lookUp, fetch: keysAt({}).fetch, maxAge: '1m' });
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => signed(key, { sub, iss: tenant('acme') })));
    expect(await Promise.all(tokens.map(reasonOf))).toEqual(['allowed', 'allowed', 'allowed']);
    expect(seen).toEqual([tenant('acme')]);
    ours = false;
    clock.advance('1m');
    expect(await reasonOf(tokens[0] as string)).toBe('token_unknown');
    expect(seen.length).toBe(2);
  });

  it('shares one key set if jwks is given', async () => {
    const { reasonOf } = trusting({ issuer: ofOurs, jwks: { keys: [key.jwk] } });
    expect(await reasonOf(await signed(key, { iss: tenant('acme') }))).toBe('allowed');
    expect(await reasonOf(await signed(other, { iss: tenant('acme') }))).toBe('token_unknown');
  });

  it.each<[string, IssuerLookup]>([
    [
      'throws',
      () => {
        throw new Error('the database is gone');
      },
    ],
    ['returns something else', () => 'yes' as never],
    ['returns invalid keys', () => ({ jwks: { keys: [] } })],
    ['trusts an issuer that is not a URL', () => true],
  ])('whose function %s makes tokens unavailable', async (_, issuer) => {
    const { reasonOf } = trusting({ issuer, fetch: keysAt({}).fetch });
    expect(await reasonOf(await signed(key, { iss: 'urn:acme' }))).toBe('unavailable');
  });

  it('is not looked up for an iss that is empty, too long or not a text', async () => {
    const seen: string[] = [];
    const { reasonOf } = trusting({ issuer: (iss) => seen.push(iss) > 0, fetch: keysAt({}).fetch });
    for (const iss of ['', 'x'.repeat(1_001), 7, [ISSUER], null]) {
      expect(await reasonOf(await signed(key, { iss }))).toBe('token_unknown');
    }
    expect(seen).toEqual([]);
  });
});
