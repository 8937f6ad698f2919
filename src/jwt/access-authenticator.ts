import { BoundedMap } from '../base/bounded-map.js';
import { GRANTS, type VouchedWithGrants } from '../base/vouched.js';
import { isEndpointGrant, type StoredGrants } from '../domain/grants.js';
import type { Authenticator, AuthenticatorHost, Refusal, VouchedTypes } from '../ports/authenticator.js';
import { grantsIn, readAccessClaims } from './access-claims.js';
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

/** The grants of a token, in both forms of an answer. */
interface ReadGrants {
  readonly stored: StoredGrants;
  readonly words: VouchedTypes;
}

/** The most different grants that are remembered. */
const MOST_GRANTS = 1_000;

/** Verifies access tokens of one issuer (RFC 9068 section 4). */
export class AccessAuthenticator implements Authenticator {
  readonly #host: AuthenticatorHost;
  readonly #rules: AccessTokenRules;
  /** By the text of their details, because most tokens of a holder have the same grants. Only signed details get here. */
  readonly #grants = new BoundedMap<string, ReadGrants>(MOST_GRANTS);

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
    const claims = readAccessClaims(jws.payload);
    const grants = claims && this.#grantsIn(claims.details);
    if (claims === null || grants === null) return 'token_unknown';
    const binding = bindingOf(claims.cnf, { host: this.#host, token, origins });
    if (binding === 'refused') return 'token_unknown';
    const { tokenId, kid, owner, ownership, organization, methods } = claims;
    return {
      [GRANTS]: grants.stored,
      types: grants.words,
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

  #grantsIn(details: readonly unknown[]): ReadGrants | null {
    const text = JSON.stringify(details);
    const known = this.#grants.get(text);
    if (known !== undefined) return known;
    const stored = grantsIn(details, { named: this.#rules.parents !== 'required' });
    if (stored === null) return null;
    const read = { stored, words: wordsOf(stored) };
    this.#grants.set(text, read);
    return read;
  }
}

function wordsOf(grants: StoredGrants): VouchedTypes {
  const types = Object.entries(grants).map(([type, grant]) => {
    const named = isEndpointGrant(grant) && grant.endpoints !== '*';
    return [type, named ? { endpoints: grant.endpoints.map(({ id }) => id) } : grant] as const;
  });
  return Object.fromEntries(types) as VouchedTypes;
}
