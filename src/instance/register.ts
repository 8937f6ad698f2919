import type { Principal } from '../domain/principal.js';
import type { Requirement } from '../domain/requirement.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from './create-postern.js';

/**
 * Where an application says once which instance is its own, so that framework-wide types (`req.principal`, Fastify's
 * `config.requirement`) know its token types and scopes:
 *
 * @example
 * declare module 'postern' { interface Register { postern: typeof postern } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be added to
export interface Register {}

/** The token types of the registered instance; any, where none is. */
export type RegisteredTypes = Register extends { readonly postern: Postern<infer T> } ? T : TokenTypes;

/** A principal, with the token types of the registered instance. */
export type RegisteredPrincipal = Principal<RegisteredTypes>;

/** A requirement, with the scopes of the registered instance. */
export type RegisteredRequirement = Requirement<RegisteredTypes>;
