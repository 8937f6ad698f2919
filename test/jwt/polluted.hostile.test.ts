import { exportJWK, generateKeyPair } from 'jose';
import { derive, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { expect, test } from 'vitest';
import { verdict } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';
import { issueBoth, issuerWorld } from './support/access.js';
import { AUDIENCE, ISSUER, issuerKey, signed as signedBy } from './support/tokens.js';

/** Optional properties that are read on the way to a decision over a signed token. */
const NAMES = (
  'methods method cnf prove proof parent jwk kid typ required named identifying counted recheck restriction ' +
  'organization uid endpoints scopes stored expiresAt trustedUntil holder trace allowJwk token malformed zone signed ' +
  'account revoked limits aud sub exp nbf iat crit key_ops d alg value id expiryTolerance access jwt target issues grants ' +
  'owner publicKey allowed reason spend'
).split(' ');
const VALUES = [true, false, null, 0, Number.POSITIVE_INFINITY, '*', 'GET', [], {}, () => true];
const NEEDED = [{ scope: 'models:read' }, { scope: 'models:write' }, { endpoint: 'summarizer' }] as const;

test('a polluted Object.prototype lets no signed token in, cached or new', {
  timeout: 60_000,
}, async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const { d, ...dpopKey } = await exportJWK(privateKey);
  const idp = await issuerKey('ES256');
  const types = { developer: { scopes: ['models:read'] } };
  const people = trustedIssuer({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [idp.jwk] },
    principal: ({ sub }) => ({ owner: sub, types }),
  });
  const { store, clock, signed } = issuerWorld();
  const create = () => createTestPostern({ store, clock, authenticators: [signed, people] }).postern;
  const warm = create();
  const { token } = await issueBoth({ postern: warm });
  const tokens: [string, string][] = [
    ['for GET', await derive(token, { methods: ['GET'], clock: clock.now })],
    ['for one scope', await derive(token, { scopes: ['models:read'], clock: clock.now })],
    ['for nothing', await derive(token, { endpoints: ['nothing'], clock: clock.now })],
    ['expired', await derive(token, { expiresIn: '1s', clock: () => clock.now() - 5_000 })],
    ['bound to a key', (await signed.exchange(warm, token, { dpopKey })).accessToken],
    ['exchanged', (await signed.exchange(warm, token, { scopes: ['models:read'] })).accessToken],
    ['foreign', await signedBy(idp)],
    ['for another audience', await signedBy(idp, { aud: 'others' })],
    ['without an end', await signedBy(idp, { exp: undefined })],
    ['without a subject', await signedBy(idp, { sub: undefined })],
    ['bound to a certificate', await signedBy(idp, { cnf: { 'x5t#S256': 'x' } })],
  ];
  async function answers(postern: typeof warm): Promise<string[]> {
    const all: string[] = [];
    for (const [name, each] of tokens) {
      for (const requirement of NEEDED) {
        const decision = await postern.authorize({ token: each, method: 'POST', requirement });
        all.push(`${name}, ${JSON.stringify(requirement)}: ${verdict(decision)}`);
      }
    }
    return all;
  }
  const clean = await answers(warm);
  expect(clean.filter((each) => each.endsWith(': allowed'))).toEqual([
    'for one scope, {"scope":"models:read"}: allowed',
    'exchanged, {"scope":"models:read"}: allowed',
    'foreign, {"scope":"models:read"}: allowed',
  ]);
  const wrong: string[] = [];
  for (const name of NAMES) {
    for (const value of VALUES) {
      for (const postern of [warm, create()]) {
        const found = await polluted({ [name]: value }, () => answers(postern)).catch((error) => [`throws ${error}`]);
        // Calls may fail, but only as denials.
        const strange = found.filter((each) => !clean.includes(each) && !/unavailable|internal_error/.test(each));
        if (strange.length > 0) wrong.push(`${name} = ${String(value)}: ${strange[0]}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});
