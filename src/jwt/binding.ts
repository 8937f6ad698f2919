import type { AuthenticatorHost, Confirmation, Vouched } from '../ports/authenticator.js';
import { proofVerifier } from './dpop.js';

/** What proofs of possession are checked against. */
export interface BindingContext {
  readonly host: AuthenticatorHost;
  /** The whole access token, which a proof names by its hash (RFC 9449 section 4.3). */
  readonly token: string;
  /** The origins that a proof may name. */
  readonly origins: readonly string[];
}

/** How a token proves its key, and which one that is. */
interface Binding {
  readonly prove: Vouched['prove'];
  readonly confirmation: Confirmation | null;
}

const UNBOUND: Binding = Object.freeze({ prove: null, confirmation: null });

/** A SHA-256 thumbprint, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * What a token's `cnf` (RFC 7800) asks of the calls that it comes with: `{ jkt }`, and nothing else, is a key that each of them
 * proves (RFC 9449 section 6.1). `'refused'`: it is bound in a way that is not known here.
 */
export function bindingOf(cnf: unknown, { host, token, origins }: BindingContext): Binding | 'refused' {
  if (cnf === undefined) return UNBOUND;
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).join() !== 'jkt') return 'refused';
  const { jkt } = cnf as { readonly jkt: unknown };
  if (typeof jkt !== 'string' || !THUMBPRINT.test(jkt)) return 'refused';
  return { prove: proofVerifier({ jkt, token, origins, store: host.store }), confirmation: { jkt } };
}
