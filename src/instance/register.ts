import type { Principal } from '../domain/principal.js';
import type { Requirement } from '../domain/requirement.js';
import type { AnyTokenTypes, ScopeOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from './create-postern.js';

/**
 * An application registers its instance here once. Framework-wide types (`req.principal`, Fastify's `config.requirement`) then
 * know its token types and scopes.
 *
 * @example
 * declare module 'postern' { interface Register { postern: typeof postern } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it
export interface Register {}

/** The token types of the registered instance; any types if none is registered. */
export type RegisteredTypes = Register extends { readonly postern: Postern<infer T> } ? T : TokenTypes;

/** A principal, with the token types of the registered instance. */
export type RegisteredPrincipal = Principal<RegisteredTypes>;

/** A requirement, with the scopes of the registered instance. */
export type RegisteredRequirement = Requirement<RegisteredTypes>;

/** The token types of an instance; `never` for any other type. */
type TypesOf<P> = P extends Postern<infer T> ? (T extends TokenTypes ? T : never) : never;

/**
 * Every scope that an instance knows.
 *
 * @example
 * type Scope = ScopesOf<typeof postern>;   // 'models:read' | 'models:write' | …
 */
export type ScopesOf<P extends Postern<AnyTokenTypes>> = ScopeOf<TypesOf<P>>;

/**
 * A principal of an instance.
 *
 * @example
 * function greet(principal: PrincipalOf<typeof postern>) {}
 */
export type PrincipalOf<P extends Postern<AnyTokenTypes>> = Principal<TypesOf<P>>;
