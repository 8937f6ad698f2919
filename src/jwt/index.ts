/** Signed tokens: made offline from an API token, exchanged for one, or issued by an identity provider. */

export type { Authenticator } from '../ports/authenticator.js';
export { type AccessTokens, accessTokens } from './access-tokens.js';
export type { SignatureAlgorithm } from './algorithms.js';
export { claimedScopes } from './claimed-scopes.js';
export { type DeriveOptions, derive } from './derive.js';
export { type DpopProofOptions, dpopProof } from './dpop.js';
export type { ExchangedToken, ExchangeOptions } from './exchange.js';
export {
  generateKeys,
  type PrivateJwk,
  type PublishedJwk,
  type PublishedKeySet,
  type SigningAlgorithm,
} from './keys.js';
export type { JsonWebKeySet } from './local-keys.js';
export type { TrustedPrincipal } from './mapped-principal.js';
export type { AccessTokensOptions, DpopOptions } from './options.js';
export type { KeyServerOptions } from './remote-keys.js';
export { metadataUrl, type ResourceMetadataOptions, resourceMetadata } from './resource-metadata.js';
export type { RotatedKeys, RotateOptions } from './signing-keys.js';
export { type TrustedClaims, type TrustedIssuerOptions, trustedIssuer } from './trusted-issuer.js';
export type { VerifierOptions } from './verifier.js';
