import { PosternError } from '../../domain/errors.js';
import { type Grants, isEndpointGrant } from '../../domain/grants.js';
import { quote } from '../../domain/text.js';
import type { Catalog } from '../../domain/token-types.js';

/** BentoCloud's words for scopes → our scopes. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  api: ['models:*', 'bentos:*', 'deployments:*'],
  read_organization: ['iam:read'],
  write_organization: ['iam:write'],
  read_cluster: ['cluster:read'],
  write_cluster: ['cluster:write'],
};

/** Token type → scopes. */
export type ScopesByType = Readonly<Record<string, { readonly scopes: readonly string[] }>>;

interface Word {
  readonly type: string;
  readonly scopes: readonly string[];
}

/** Translates between BentoCloud's words and our scopes. */
export interface ScopeWords {
  /** The words that an instance knows. */
  readonly known: readonly string[];
  /** @throws PosternError `scope_unknown` */
  toTypes(words: readonly string[]): ScopesByType;
  /** A scope without a word keeps our name. */
  fromGrants(grants: Grants): readonly string[];
}

/** A word is known if one token type has all its scopes. An application may have other types than BentoCloud's. */
export function scopeWords(catalog: Catalog): ScopeWords {
  const known = new Map<string, Word>();
  for (const [word, scopes] of Object.entries(WORDS)) {
    const found = find(catalog, scopes);
    // Single scopes, because a wildcard would include later scopes, and only its holder may grant it.
    if (found)
      known.set(word, { type: found.type, scopes: scopes.flatMap((scope) => singles(scope, found.expansions)) });
  }
  const names = [...known.keys()];
  return {
    known: names,
    toTypes(words) {
      const types: Record<string, { scopes: string[] }> = Object.create(null);
      for (const [index, word] of words.entries()) {
        const meant = known.get(word) ?? ownName(word, catalog);
        if (meant === null) throw unknownWord(word, names, index);
        const granted = types[meant.type] ?? { scopes: [] };
        types[meant.type] = granted;
        granted.scopes.push(...meant.scopes);
      }
      return { ...types };
    },
    fromGrants(grants) {
      const explicit = new Set(explicitScopes(grants, catalog));
      // A word whose scopes are only included by others (write includes read) is left out.
      const words = [...known].filter(
        ([, { scopes }]) =>
          scopes.every((scope) => grants.scopes.has(scope)) && scopes.some((scope) => explicit.has(scope)),
      );
      const said = new Set(words.flatMap(([, { scopes }]) => scopes));
      return [...words.map(([word]) => word), ...[...explicit].filter((scope) => !said.has(scope))];
    },
  };
}

function find(catalog: Catalog, scopes: readonly string[]) {
  for (const [type, known] of catalog.types) {
    if (known.form !== 'scope_access') continue;
    if (scopes.every((scope) => known.expansions.has(scope))) return { type, expansions: known.expansions };
  }
  return null;
}

function ownName(scope: string, catalog: Catalog): Word | null {
  const found = find(catalog, [scope]);
  return found && { type: found.type, scopes: [scope] };
}

/** Expands a wildcard. A single scope stays itself. */
function singles(scope: string, expansions: ReadonlyMap<string, readonly string[]>): readonly string[] {
  return scope.endsWith('*') ? (expansions.get(scope) ?? []) : [scope];
}

function explicitScopes(grants: Grants, catalog: Catalog): string[] {
  return Object.entries(grants.stored).flatMap(([name, grant]) => {
    const type = catalog.types.get(name);
    if (type?.form !== 'scope_access' || isEndpointGrant(grant)) return [];
    return grant.scopes
      .filter((scope) => type.expansions.has(scope))
      .flatMap((scope) => singles(scope, type.expansions));
  });
}

function unknownWord(word: string, known: readonly string[], index: number): PosternError {
  const words = known.length > 0 ? `use ${known.join(', ')}, or a scope such as models:read` : 'use types';
  return new PosternError('scope_unknown', `${quote(word)} is no scope here: ${words}`, {
    path: `scopes.${index}`,
  });
}
