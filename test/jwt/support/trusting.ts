import type { PosternEvent } from 'postern';
import { type TrustedIssuerOptions, trustedIssuer } from 'postern/jwt';
import { createTestPostern, testClock } from 'postern/testing';
import { claimedScopes } from '../../../src/jwt/claimed-scopes.js';
import { AUDIENCE, ISSUER, issuerKey } from './tokens.js';

/** The keys of the trusted issuer: two that sign, and one for encryption. */
export const [key, rsa, weak] = await Promise.all([issuerKey('ES256'), issuerKey('RS256'), issuerKey('EdDSA', 'enc')]);

/** The scopes of the token without those of the provider itself. */
export const mapping: TrustedIssuerOptions['principal'] = (claims) => {
  const scopes = claimedScopes(claims, ['models:read', 'models:write']);
  return scopes.length === 0 ? null : { owner: claims.sub, types: { developer: { scopes } } };
};

/** An instance that trusts the issuer, with its clock and events. */
export function setUp(options: Partial<TrustedIssuerOptions> = {}) {
  const clock = testClock();
  const events: PosternEvent[] = [];
  const issuer = trustedIssuer({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [key.jwk, rsa.jwk, { ...weak.jwk, use: 'enc' }] },
    principal: mapping,
    ...options,
  });
  const { postern } = createTestPostern({
    clock,
    onEvent: (event) => events.push(event),
    authenticators: [issuer],
  });
  const reasonOf = async (token: string) => {
    const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
    return decision.allowed ? 'allowed' : decision.reason;
  };
  return { postern, clock, events, reasonOf };
}
