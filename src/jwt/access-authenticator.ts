import { GRANTS, type VouchedWithGrants } from '../base/vouched.js';
import { isEndpointGrant, type StoredGrants } from '../domain/grants.js';
import type { Authenticator, AuthenticatorHost, Refusal, VouchedTypes } from '../ports/authenticator.js';
import { readAccessClaims } from './access-claims.js';
import { bindingOf } from './binding.js';
import { readCompact } from './compact.js';
import { SIGNING_ALGORITHMS } from './keys.js';
import {
  CLOCK_TOLERANCE,
  checkClaims,
  expiryOf,
  isForAudience,
  type RegisteredClaims,
  type VerificationKeys,
  verifySignature,
} from './verify.js';

/** `typ` of an access token (RFC 9068 section 2.1), as `readCompact` gives it. */
export const ACCESS_TOKEN_TYP = 'at+jwt';

/** How the API token behind an access token is checked. */
export type Parents = 'required' | 'if-known' | 'unchecked';

export interface AccessTokenRules {
  readonly issuer: string;
  /** A token must be for one of these. */
  readonly audience: readonly string[];
  readonly keys: VerificationKeys;
  /** How long a verified signature is trusted, in milliseconds. */
  readonly trustedFor: number;
  readonly parents: Parents;
  /** The origins that a proof of possession may name. */
  readonly origins: readonly string[];
}

/** Verifies access tokens of one issuer (RFC 9068 section 4). */
export class AccessAuthenticator implements Authenticator {
  readonly #host: AuthenticatorHost;
  readonly #rules: AccessTokenRules;

  constructor(host: AuthenticatorHost, rules: AccessTokenRules) {
    this.#host = host;
    this.#rules = rules;
  }

  accepts(token: string): boolean {
    const jws = readCompact(token);
    if (jws === null || jws.typ !== ACCESS_TOKEN_TYP) return false;
    // One issuer may have several authenticators, one for each audience.
    return jws.payload.iss === this.#rules.issuer && isForAudience(jws.payload.aud, this.#rules.audience);
  }

  async authenticate(token: string, now: number): Promise<VouchedWithGrants | Refusal> {
    const { issuer, audience, keys, trustedFor, parents, origins } = this.#rules;
    const jws = readCompact(token);
    if (jws === null || jws.typ !== ACCESS_TOKEN_TYP || jws.kid === null) return 'token_unknown';
    const algorithms: readonly string[] = SIGNING_ALGORITHMS;
    if (!algorithms.includes(jws.header.alg)) return 'token_unknown';
    const refusal = checkClaims(jws.payload, { issuer, audience, now, tolerance: CLOCK_TOLERANCE });
    // Only a token that the issuer signed is said to have expired.
    if (refusal !== null && refusal !== 'token_expired') return refusal;
    const isSigned = verifySignature(jws, keys);
    if (isSigned !== true && !(await isSigned)) return 'token_unknown';
    if (refusal !== null) return refusal;
    const claims = readAccessClaims(jws.payload, { named: parents !== 'required' });
    if (claims === null) return 'token_unknown';
    const binding = bindingOf(claims.cnf, { host: this.#host, token, origins });
    if (binding === 'refused') return 'token_unknown';
    const { tokenId, kid, owner, ownership, organization, grants, methods } = claims;
    return {
      [GRANTS]: grants,
      types: wordsOf(grants),
      tokenId,
      owner,
      ownership,
      organization,
      endsAt: new Date(expiryOf(jws.payload as unknown as RegisteredClaims)),
      trustedFor: `${trustedFor}ms`,
      parent:
        parents === 'unchecked' ? null : { tokenId, ...(kid !== null && { kid }), required: parents === 'required' },
      methods,
      prove: binding.prove,
      confirmation: binding.confirmation,
    };
  }
}

function wordsOf(grants: StoredGrants): VouchedTypes {
  const types = Object.entries(grants).map(([type, grant]) => {
    const named = isEndpointGrant(grant) && grant.endpoints !== '*';
    return [type, named ? { endpoints: grant.endpoints.map(({ id }) => id) } : grant] as const;
  });
  return Object.fromEntries(types) as VouchedTypes;
}
