import { bentocloudTokenTypes, compileCatalog } from '../../domain/token-types.js';
import type { StoredToken } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { grantsOf, unknownGrants } from '../config/known-types.js';
import type { Config } from '../config/load-config.js';
import { type Finding, ok, problem, warning } from './finding.js';

/** The newest tokens that are looked at. */
const SAMPLE = 1_000;
const MOST_NAMED = 5;
/** The hint of a token with a prefix; imported tokens have none. */
const HINT = /^([a-z][a-z0-9]{1,15})_[0-9A-Za-z]{4}…/;

/** Compares stored tokens with the prefix and the token types that the command knows. */
export async function examineTokens(store: Store, config: Config | null, prefix: string): Promise<readonly Finding[]> {
  const tokens = await store.listTokens({ organization: null, limit: SAMPLE });
  if (tokens.length === 0) return [ok('tokens', 'The store has no tokens yet')];
  return [prefixFinding(tokens, prefix), typesFinding(tokens, config)];
}

function prefixFinding(tokens: readonly StoredToken[], prefix: string): Finding {
  const prefixes = tokens.map(({ hint }) => HINT.exec(hint)?.[1] ?? null);
  const others = prefixes.filter((each) => each !== null && each !== prefix);
  if (others.length === 0) return ok('prefix', `The tokens begin with ${prefix}_, or were imported`);
  const names = named(new Set(others.map((each) => `${each}_`)));
  const message = `${others.length} of the newest ${tokens.length} tokens begin with ${names}, and are refused where the prefix is ${prefix}`;
  const next = 'Name the right prefix in postern.config or with --token-prefix, or replace these tokens.';
  return prefixes.includes(prefix) ? warning('prefix', message, next) : problem('prefix', message, next);
}

function typesFinding(tokens: readonly StoredToken[], config: Config | null): Finding {
  const catalog = compileCatalog(config?.options.tokenTypes ?? bentocloudTokenTypes);
  const unknown = new Set(unknownGrants(tokens.map(grantsOf), catalog));
  if (unknown.size === 0) return ok('types', 'The token types and scopes of the stored tokens are known');
  const names = named(unknown);
  return config === null
    ? problem(
        'types',
        `The tokens have types that the command does not know (${names})`,
        'Export the options of your createPostern from postern.config.ts, or name their file with --config.',
      )
    : warning(
        'types',
        `${config.file} does not have ${names}, which stored tokens hold: that grants them nothing`,
        'Add it there, or update these tokens.',
      );
}

function named(names: ReadonlySet<string>): string {
  const all = [...names];
  return all.slice(0, MOST_NAMED).join(', ') + (all.length > MOST_NAMED ? ', …' : '');
}
