import type { AuthenticatorHost, Confirmation, Vouched } from '../ports/authenticator.js';
import { proofVerifier } from './dpop.js';

/** Input for the check of proofs of possession. */
export interface BindingContext {
  readonly host: AuthenticatorHost;
  /** The whole access token; a proof names its hash (RFC 9449 section 4.3). */
  readonly token: string;
  /** The origins that a proof may name. */
  readonly origins: readonly string[];
}

/** The check of a token's proofs, and the key that it is bound to. */
interface Binding {
  readonly prove: Vouched['prove'];
  readonly confirmation: Confirmation | null;
}

const UNBOUND: Binding = Object.freeze({ prove: null, confirmation: null });

/** A SHA-256 thumbprint, base64url (RFC 7638). */
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/;

/**
 * Reads a token's `cnf` (RFC 7800). `{ jkt }` alone names a key that each call must prove (RFC 9449 section 6.1). Every other
 * binding is unknown here: `'refused'`.
 */
export function bindingOf(cnf: unknown, { host, token, origins }: BindingContext): Binding | 'refused' {
  if (cnf === undefined) return UNBOUND;
  if (typeof cnf !== 'object' || cnf === null || Object.keys(cnf).join() !== 'jkt') return 'refused';
  const { jkt } = cnf as { readonly jkt: unknown };
  if (typeof jkt !== 'string' || !THUMBPRINT.test(jkt)) return 'refused';
  return { prove: proofVerifier({ jkt, token, origins, store: host.store }), confirmation: { jkt } };
}
