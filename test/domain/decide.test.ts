import { describe, expect, test } from 'vitest';
import { decideGrant, decideLife, decideWithoutCredential } from '../../src/domain/decide.js';
import type { EndpointPolicy } from '../../src/domain/endpoint.js';
import { compileGrants } from '../../src/domain/grants.js';
import { VerifiedPrincipal } from '../../src/domain/principal.js';
import { compileRequirement } from '../../src/domain/requirement.js';
import { bentocloudTokenTypes, compileCatalog } from '../../src/domain/token-types.js';
import { Trace } from '../../src/domain/trace.js';
import { START, verdict } from '../support/outcomes.js';

const catalog = compileCatalog(bentocloudTokenTypes);
const requirement = (value: unknown) => compileRequirement(value, catalog, 'acme');
const endpoint = (access: EndpointPolicy['access'], uid = 'uid-1', organization = 'acme'): EndpointPolicy => ({
  id: 'summarizer',
  organization,
  access,
  uid,
});
const principal = (stored: unknown, organization = 'acme') =>
  new VerifiedPrincipal({
    tokenId: 't1',
    owner: null,
    ownership: 'personal',
    organization,
    grants: compileGrants(stored, catalog),
    endsAt: Number.POSITIVE_INFINITY,
    mayIssue: Number.POSITIVE_INFINITY,
  });
const needsEndpoint = requirement({ endpoint: 'summarizer' });

describe('before a credential is looked at', () => {
  test.each([
    ['public', 'external', 'allowed'],
    ['public', 'internal', 'allowed'],
    ['protected', 'external', null],
    ['protected', 'internal', null],
    ['private', 'external', 'endpoint_private'],
    ['private', 'internal', 'allowed'],
  ] as const)('%s, from the %s zone: %s', (access, zone, expected) => {
    const decision = decideWithoutCredential(needsEndpoint, endpoint(access), zone);
    expect(decision && verdict(decision)).toBe(expected);
    if (decision?.allowed) expect(decision.principal).toBeNull();
  });

  test('an endpoint that is not registered is unknown in every zone', () => {
    for (const zone of ['internal', 'external'] as const) {
      expect(decideWithoutCredential(needsEndpoint, null, zone)).toEqual({
        allowed: false,
        reason: 'endpoint_unknown',
      });
    }
  });

  test('a public requirement needs nothing; a scope and "authenticated" need a credential', () => {
    expect(decideWithoutCredential(requirement({ public: true }), null, 'external')).toEqual({
      allowed: true,
      principal: null,
    });
    expect(decideWithoutCredential(requirement({ scope: 'models:read' }), null, 'internal')).toBeNull();
    expect(decideWithoutCredential(requirement({ authenticated: true }), null, 'internal')).toBeNull();
  });
});

describe('the life of a credential', () => {
  const life = { revoked: false, secretEndsAt: Number.POSITIVE_INFINITY, expiresAt: Number.POSITIVE_INFINITY };

  test.each([
    ['a millisecond before its expiry it is alive', { expiresAt: START + 1 }, null],
    ['at its expiry it is expired', { expiresAt: START }, 'token_expired'],
    ['after its expiry it is expired', { expiresAt: START - 1 }, 'token_expired'],
    ['without an expiry it is alive', {}, null],
    ['with an expiry at the epoch it is expired', { expiresAt: 0 }, 'token_expired'],
    ['a millisecond before the end of its grace it is alive', { secretEndsAt: START + 1 }, null],
    ['at the end of its grace it is revoked', { secretEndsAt: START }, 'token_revoked'],
    ['a revoked one is revoked', { revoked: true }, 'token_revoked'],
    ['a revoked and expired one is revoked', { revoked: true, expiresAt: START - 1 }, 'token_revoked'],
    ['a replaced and expired one is revoked', { secretEndsAt: START - 1, expiresAt: START - 1 }, 'token_revoked'],
  ] as const)('%s', (_, part, expected) => {
    expect(decideLife({ ...life, ...part }, START)).toBe(expected);
  });
});

describe('the grant', () => {
  const all = { user: { endpoints: '*' }, developer: { scopes: ['*'] } };

  test.each([
    ['a grant of its uid', { user: { endpoints: [{ id: 'summarizer', uid: 'uid-1' }] } }, 'acme', 'allowed'],
    [
      'a grant of its name with another uid',
      { user: { endpoints: [{ id: 'summarizer', uid: 'uid-0' }] } },
      'acme',
      'endpoint_not_granted',
    ],
    ['a grant of another name with its uid', { user: { endpoints: [{ id: 'x', uid: 'uid-1' }] } }, 'acme', 'allowed'],
    ['every endpoint', { user: { endpoints: '*' } }, 'acme', 'allowed'],
    ['every scope and no endpoint', { developer: { scopes: ['*'] } }, 'acme', 'endpoint_not_granted'],
    ['everything, in another organization', all, 'other', 'endpoint_not_granted'],
  ])('an endpoint, for a token with %s', (_, stored, organization, expected) => {
    expect(verdict(decideGrant(principal(stored, organization), needsEndpoint, endpoint('protected')))).toBe(expected);
  });

  test.each([
    ['the same scope', ['models:read'], 'models:read', 'allowed'],
    ['a scope that includes it', ['models:write'], 'models:read', 'allowed'],
    ['a lesser scope', ['models:read'], 'models:write', 'scope_missing'],
    ["its resource's wildcard", ['models:*'], 'models:write', 'allowed'],
    ['everything', ['*'], 'models:write', 'allowed'],
    ["another resource's wildcard", ['iam:*'], 'models:write', 'scope_missing'],
    ['one of the two needed scopes', ['models:read'], ['models:read', 'iam:read'], 'scope_missing'],
    ['both needed scopes', ['models:read', 'iam:write'], ['models:read', 'iam:read'], 'allowed'],
  ])('a scope, for a token with %s', (_, scopes, scope, expected) => {
    const decision = decideGrant(principal({ developer: { scopes } }), requirement({ scope }), null);
    expect(verdict(decision)).toBe(expected);
    if (!decision.allowed) expect(decision.scopes).toEqual([scope].flat());
  });

  test("a scope without an organization means the principal's own; a named organization must be the same", () => {
    const other = principal(all, 'other');
    expect(verdict(decideGrant(other, requirement({ scope: 'models:read' }), null))).toBe('allowed');
    expect(verdict(decideGrant(other, requirement({ scope: 'models:read', organization: 'acme' }), null))).toBe(
      'scope_missing',
    );
    expect(
      verdict(decideGrant(principal(all), requirement({ scope: 'models:read', organization: 'acme' }), null)),
    ).toBe('allowed');
  });

  test('organizations are compared by code unit: no case folding, no Unicode normalisation', () => {
    const composed = principal(all, 'caf\u00e9');
    expect(
      verdict(decideGrant(composed, requirement({ scope: 'models:read', organization: 'cafe\u0301' }), null)),
    ).toBe('scope_missing');
    expect(verdict(decideGrant(composed, requirement({ scope: 'models:read', organization: 'Caf\u00e9' }), null))).toBe(
      'scope_missing',
    );
  });

  test('an object in the shape of a principal is a fault, not an allow', () => {
    const real = principal(all);
    for (const forged of [{ ...real }, Object.create(real), JSON.parse(JSON.stringify(real))]) {
      expect(verdict(decideGrant(forged, needsEndpoint, endpoint('protected')))).toBe('internal_error');
    }
  });
});

test('names in the steps are escaped, so that no text is hidden or reordered on a terminal', () => {
  const trace = new Trace();
  decideWithoutCredential(requirement({ endpoint: 'a\u202eb\u001b[2J' }), null, 'external', trace);
  expect(trace.steps[0]?.detail).toBe('no endpoint "a\\u{202e}b\\u{1b}[2J" is registered in organization "acme"');
});
