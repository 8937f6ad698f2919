import { PosternError } from '../domain/errors.js';
import { compileGrants, type Grants } from '../domain/grants.js';
import { NO_RULES, parseRules, type TokenRules } from '../domain/limits.js';
import { type Ownership, VerifiedPrincipal } from '../domain/principal.js';
import type { Metadata, TokenRecord } from '../domain/token-record.js';
import type { Catalog } from '../domain/token-types.js';
import type { SecretFacts, StoredToken, TokenFacts } from '../ports/records.js';
import { BoundedMap } from './bounded-map.js';

/** The most different grants that are kept compiled. */
const INTERNED = 10_000;

/**
 * Reads stored tokens without trusting them. A damaged column makes its token unreadable: that is a fault, never an allow. Equal
 * grants become one object, so that many tokens share a few.
 */
export class TokenReader {
  readonly #catalog: Catalog;
  readonly #grants = new BoundedMap<string, Grants>(INTERNED);
  readonly #rules = new BoundedMap<string, TokenRules>(INTERNED);
  readonly #names = new BoundedMap<string, string>(INTERNED);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** @throws PosternError `record_unreadable` */
  grants(token: TokenFacts): Grants {
    const known = this.#grants.get(token.types);
    if (known !== undefined) return known;
    try {
      const grants = compileGrants(JSON.parse(token.types), this.#catalog);
      this.#grants.set(token.types, grants);
      return grants;
    } catch (error) {
      throw unreadable(token, 'types', error);
    }
  }

  /**
   * The principal of a token. A secret that a rotation has replaced may still call, but may not make anything.
   *
   * @param secret the secret that was presented; `null`: none in particular
   * @throws PosternError `record_unreadable`
   */
  principal(token: TokenFacts, secret: SecretFacts | null): VerifiedPrincipal {
    const issues = this.rules(token).mayIssue && (secret === null || secret.endsAt === null);
    return new VerifiedPrincipal({
      tokenId: text(token, 'id'),
      owner: token.owner === null ? null : this.#interned(text(token, 'owner')),
      ownership: ownership(token),
      organization: this.#interned(text(token, 'organization')),
      grants: this.grants(token),
      endsAt: Math.min(expiryOf(token), secret === null ? Number.POSITIVE_INFINITY : secretEndOf(token, secret)),
      mayIssue: issues ? Number.POSITIVE_INFINITY : 0,
    });
  }

  /** @throws PosternError `record_unreadable` */
  record(token: StoredToken): TokenRecord {
    const { rateLimit, quota, mayIssue } = this.rules(token);
    return {
      id: text(token, 'id'),
      name: text(token, 'name'),
      description: text(token, 'description'),
      types: this.grants(token).types,
      organization: text(token, 'organization'),
      owner: token.owner === null ? null : text(token, 'owner'),
      ownership: ownership(token),
      hint: text(token, 'hint'),
      createdAt: new Date(instant(token, 'createdAt')),
      updatedAt: new Date(instant(token, 'updatedAt')),
      expiresAt: dateOrNull(token, 'expiresAt'),
      revokedAt: dateOrNull(token, 'revokedAt'),
      lastUsedAt: dateOrNull(token, 'lastUsedAt'),
      metadata: metadata(token),
      rateLimit,
      quota,
      mayIssue,
    };
  }

  /** @throws PosternError `record_unreadable` */
  rules(token: TokenFacts): TokenRules {
    if (token.limits === null) return NO_RULES;
    const known = this.#rules.get(token.limits);
    if (known !== undefined) return known;
    try {
      const rules = parseRules(token.limits);
      this.#rules.set(token.limits, rules);
      return rules;
    } catch (error) {
      throw unreadable(token, 'limits', error);
    }
  }

  #interned(value: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    this.#names.set(value, value);
    return value;
  }
}

/** A token's expiry in epoch milliseconds; `Infinity`: never. @throws PosternError `record_unreadable` */
export function expiryOf(token: TokenFacts): number {
  return token.expiresAt === null ? Number.POSITIVE_INFINITY : instant(token, 'expiresAt');
}

/** Whether a token is revoked, even at a time ahead of our clock. @throws PosternError `record_unreadable` */
export function isRevoked(token: TokenFacts): boolean {
  if (token.revokedAt !== null) instant(token, 'revokedAt');
  return token.revokedAt !== null;
}

/** A secret's end in epoch milliseconds; `Infinity`: with its token. @throws PosternError `record_unreadable` */
export function secretEndOf(token: TokenFacts, secret: SecretFacts): number {
  if (secret.endsAt === null) return Number.POSITIVE_INFINITY;
  if (!Number.isFinite(secret.endsAt)) throw unreadable(token, 'secret');
  return secret.endsAt;
}

type TextField = 'id' | 'name' | 'description' | 'organization' | 'owner' | 'hint';
type TimeField = 'createdAt' | 'updatedAt' | 'expiresAt' | 'revokedAt' | 'lastUsedAt';

function text<Field extends TextField>(token: TokenFacts & Pick<StoredToken, Field>, field: Field): string {
  const value: unknown = token[field];
  if (typeof value !== 'string') throw unreadable(token, field);
  return value;
}

/** The limits of a `Date`, in milliseconds from the epoch. */
const LAST_INSTANT = 8.64e15;

function instant<Field extends TimeField>(token: TokenFacts & Pick<StoredToken, Field>, field: Field): number {
  const value: unknown = token[field];
  // `undefined` and `null` are refused: a lost expiry must not become "never", or the epoch.
  if (typeof value !== 'number' || !(Math.abs(value) <= LAST_INSTANT)) throw unreadable(token, field);
  return value;
}

function dateOrNull(token: StoredToken, field: TimeField): Date | null {
  return token[field] === null ? null : new Date(instant(token, field));
}

function ownership(token: TokenFacts): Ownership {
  if (token.ownership !== 'personal' && token.ownership !== 'organization') throw unreadable(token, 'ownership');
  return token.ownership;
}

function metadata(token: StoredToken): Metadata {
  try {
    const value: unknown = JSON.parse(token.metadata);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Metadata;
  } catch (error) {
    throw unreadable(token, 'metadata', error);
  }
  throw unreadable(token, 'metadata');
}

function unreadable(token: TokenFacts, field: string, cause?: unknown): PosternError {
  const id = typeof token.id === 'string' ? token.id : '(no id)';
  return new PosternError(
    'record_unreadable',
    'is damaged and can not be read: repair it in the store, or delete the token',
    { path: field, input: `token ${id}`, cause },
  );
}
