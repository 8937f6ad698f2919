import type { AuthenticatorHost, Vouched } from '../ports/authenticator.js';
import { proofVerifier } from './dpop.js';

/** What proofs of possession are checked against. */
export interface BindingContext {
  readonly host: AuthenticatorHost;
  /** The whole access token, which a proof names by its hash (RFC 9449 section 4.3). */
  readonly token: string;
  /** The origins that a proof may name. */
  readonly origins: readonly string[];
}

type Prove = NonNullable<Vouched['prove']>;

/** A SHA-256 thumbprint, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * What a token's `cnf` (RFC 7800) asks of the calls that it comes with: `{ jkt }`, and nothing else, is a key that each of them
 * proves (RFC 9449 section 6.1). `null`: it is bound to nothing. `'refused'`: it is bound in a way that is not known here.
 */
export function bindingOf(cnf: unknown, { host, token, origins }: BindingContext): Prove | null | 'refused' {
  if (cnf === undefined) return null;
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).join() !== 'jkt') return 'refused';
  const { jkt } = cnf as { readonly jkt: unknown };
  if (typeof jkt !== 'string' || !THUMBPRINT.test(jkt)) return 'refused';
  return proofVerifier({ jkt, token, origins, store: host.store });
}
