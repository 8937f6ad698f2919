/** Signed tokens: derived from an API token offline, exchanged for one, or issued by an identity provider. */

export type { HopClaims } from '../gateway/hop/hop-claims.js';
export type { HopRequest } from '../gateway/hop/hop-request.js';
export { type HopForOptions, type Hops, type HopsOptions, hops } from '../gateway/hop/hops.js';
export { type HopIdentity, type VerifyHopOptions, verifyHop } from '../gateway/hop/verify-hop.js';
export { type AccessTokens, accessTokens } from '../jwt/access-tokens.js';
export type { SignatureAlgorithm } from '../jwt/algorithms.js';
export { claimedScopes } from '../jwt/claimed-scopes.js';
export { type DeriveOptions, derive } from '../jwt/derive.js';
export { type DpopProofOptions, dpopProof } from '../jwt/dpop.js';
export type { ExchangedToken, ExchangeOptions } from '../jwt/exchange.js';
export type { IssuerAnswer, IssuerLookup, KeySource } from '../jwt/issuers.js';
export {
  generateKeys,
  type PrivateJwk,
  type PublishedJwk,
  type PublishedKeySet,
  type SigningAlgorithm,
} from '../jwt/keys.js';
export type { JsonWebKeySet } from '../jwt/local-keys.js';
export type { TrustedPrincipal } from '../jwt/mapped-principal.js';
export type { AccessTokensOptions, DpopOptions } from '../jwt/options.js';
export type { KeyServerOptions } from '../jwt/remote-keys.js';
export { metadataUrl, type ResourceMetadataOptions, resourceMetadata } from '../jwt/resource-metadata.js';
export type { RotatedKeys, RotateOptions } from '../jwt/signing-keys.js';
export { type TrustedClaims, type TrustedIssuerOptions, trustedIssuer } from '../jwt/trusted-issuer.js';
export type { VerifierOptions } from '../jwt/verifier.js';
export type { AttachableAuthenticator } from '../ports/authenticator.js';
