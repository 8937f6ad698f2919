import { describe, expect, it } from 'vitest';
import { START } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';
import { keyServer } from './support/key-server.js';
import { AUDIENCE, base64url, CLAIMS, crafted, ISSUER, issuerKey, signed } from './support/tokens.js';
import { key, setUp, weak } from './support/trusting.js';

const NOW = START / 1000;

describe('a token', () => {
  const cases: [string, () => Promise<string> | string][] = [
    ['signed with another key', async () => signed(await issuerKey('ES256', key.kid))],
    ['signed with a key for encryption', () => signed(weak)],
    ['with a kid that is a path', () => signed(key, {}, { kid: '../../dev/null' })],
    ['with a kid that is a statement', () => signed(key, {}, { kid: "' or 1=1 --" })],
    ['with an algorithm of another key', async () => signed(await issuerKey('RS256', key.kid))],
    ['with an algorithm that is not in the list', async () => signed(await issuerKey('RS512', 'x'))],
    ['by HMAC with the public key as the secret', () => hmacWith(JSON.stringify(key.jwk))],
    ['by HMAC with an empty secret', () => hmacWith('')],
    ['with alg none', () => crafted({ alg: 'none', typ: 'at+jwt' })],
    ['with the jwk of a key in its header', async () => signed(await issuerKey('ES256', 'own'), {}, { jwk: key.jwk })],
    [
      'with the address of a key in its header',
      async () => signed(await issuerKey('ES256'), {}, { jku: 'https://evil.example' }),
    ],
    ['with a certificate chain in its header', async () => signed(await issuerKey('ES256'), {}, { x5c: ['MIIB'] })],
    ['with crit', async () => crafted({ alg: 'ES256', crit: ['exp'], exp: 1 })],
    ['of another issuer', () => signed(key, { iss: 'https://evil.example' })],
    ['of a list of issuers', () => signed(key, { iss: [ISSUER] })],
    ['for another audience', () => signed(key, { aud: 'https://other.example' })],
    ['for no audience', () => signed(key, { aud: undefined })],
    ['without an end', () => signed(key, { exp: undefined })],
    ['issued in the future', () => signed(key, { iat: NOW + 6 })],
    ['not valid yet', () => signed(key, { nbf: NOW + 6 })],
    ['without a subject', () => signed(key, { sub: undefined })],
    ['forged and expired', async () => signed(await issuerKey('ES256', key.kid), { exp: NOW - 60 })],
    ['of the form of an ID token', () => signed(key, { nonce: 'n' }, { typ: 'JWT' })],
    ['of the form of an ID token, with at_hash', () => signed(key, { at_hash: 'h' }, { typ: undefined })],
    ['of the form of an ID token of Keycloak', () => signed(key, { typ: 'ID' }, { typ: 'JWT' })],
    ['of the form of a refresh token of Keycloak', () => signed(key, { typ: 'Refresh' }, { typ: 'JWT' })],
    ['of the form of an ID token of Cognito', () => signed(key, { token_use: 'id' }, { typ: undefined })],
    ['of the form of a logout token', () => signed(key, {}, { typ: 'logout+jwt' })],
    ['of the form of an old logout token', () => signed(key, { events: {} }, { typ: 'JWT' })],
    ['of the form of a proof of possession', () => signed(key, {}, { typ: 'dpop+jwt' })],
    ['bound to a certificate', () => signed(key, { cnf: { 'x5t#S256': 'x' } })],
    ['bound in an unknown way', () => signed(key, { cnf: 7 })],
    ['bound to a key, without a proof', () => signed(key, { cnf: { jkt: 'A'.repeat(43) } })],
    ['with a claim twice', () => crafted({ alg: 'ES256', kid: key.kid }, `{"iss":"${ISSUER}","iss":"${ISSUER}"}`)],
    ['encrypted', () => `${base64url({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ];

  it.each(cases)('%s is refused', async (_, make) => {
    expect(await setUp().reasonOf(await make())).toBe('token_unknown');
  });

  it.each([
    ['padding', (token: string) => `${token}==`],
    ['a line end', (token: string) => `${token}\n`],
    ['a space inside', (token: string) => `${token.slice(0, -3)} ${token.slice(-3)}`],
    [
      'unused bits',
      (token: string) => token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
    ],
    ['the other base64 alphabet', (token: string) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ])('otherwise good is refused with %s', async (_, spoil) => {
    // The signature needs a character of each alphabet, or the last alias would be the token itself.
    let token = await signed(key);
    while (!/[-_]/.test(token)) token = await signed(key);
    const { reasonOf } = setUp();
    expect(await reasonOf(token)).toBe('allowed');
    expect(await reasonOf(spoil(token))).not.toBe('allowed');
  });

  it('with missing claims is refused, also if a polluted prototype has them', async () => {
    const { reasonOf } = setUp();
    const token = await signed(key, { aud: undefined });
    const reason = await polluted({ aud: AUDIENCE }, () => reasonOf(token));
    expect(reason).toBe('token_unknown');
  });

  it('that is malformed does not reach a key server', async () => {
    const server = await keyServer({ '/jwks': { keys: [key.jwk] } });
    const { reasonOf } = setUp({ jwks: `${server.origin}/jwks` });
    for (const [, make] of cases.slice(6, 21)) await reasonOf(await make());
    expect(server.count('/jwks')).toBe(0);
  });

  async function hmacWith(secret: string): Promise<string> {
    const { createHmac } = await import('node:crypto');
    const signedPart = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${base64url(CLAIMS)}`;
    return `${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`;
  }
});
