import { bentocloudTokenTypes, type Catalog, compileCatalog } from '../../domain/token-types.js';
import type { StoredToken } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { CliError } from '../failure.js';
import type { Config } from './load-config.js';

/** The newest tokens that are looked at. */
const SAMPLE = 100;

/** The types by which a command without a configuration judges. */
const defaults = () => compileCatalog(bentocloudTokenTypes);

/**
 * Refuses a store whose newest tokens have other token types than the command knows: it would judge them by the wrong ones. The
 * application's configuration is always believed.
 *
 * @throws CliError
 */
export async function assertKnownTypes(store: Store, config: Config | null): Promise<void> {
  if (config !== null) return;
  const tokens = await store.listTokens({ organization: null, limit: SAMPLE });
  refuse(unknownGrants(tokens.map(grantsOf), defaults()));
}

/** The same for one token. */
export function assertKnownGrants(types: object, config: Config | null): void {
  if (config === null) refuse(unknownGrants([types], defaults()));
}

/** The types and scopes in grants that a catalog does not have: `editor`, `developer: widgets:read`. */
export function unknownGrants(all: readonly object[], { types }: Catalog): readonly string[] {
  const unknown = new Set<string>();
  for (const grants of all) {
    for (const [name, grant] of Object.entries(grants) as [string, { readonly scopes?: readonly string[] }][]) {
      const type = types.get(name);
      if (type === undefined || (type.form === 'scope_access') !== Array.isArray(grant?.scopes)) unknown.add(name);
      else if (type.form === 'scope_access') {
        for (const scope of grant.scopes ?? []) if (!type.expansions.has(scope)) unknown.add(`${name}: ${scope}`);
      }
    }
  }
  return [...unknown];
}

/** A damaged record has no grants: other commands name it. */
export function grantsOf({ types }: StoredToken): object {
  try {
    const grants: unknown = JSON.parse(types);
    return typeof grants === 'object' && grants !== null ? grants : {};
  } catch {
    return {};
  }
}

function refuse(unknown: readonly string[]): void {
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).join(', ') + (unknown.length > 5 ? ', …' : '');
  throw new CliError(
    `the store holds tokens of an application with its own token types (${names}), which the command does not know. Export the options of its createPostern from postern.config.ts, or name their file with --config`,
  );
}
