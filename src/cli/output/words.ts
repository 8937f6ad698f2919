import type { TokenView } from '../backend/backend.js';

/** A list in a cell; empty: nothing. */
export function listed(items: readonly string[]): string {
  return items.join(', ');
}

/** A granted endpoint that was deleted. */
export function deleted(endpoint: string): string {
  return `${endpoint} (deleted)`;
}

/** Grants on one line: `user: summarizer, reader (deleted); developer: models:write`. */
export function grantsInWords({ types, dead_grants }: Pick<TokenView, 'types' | 'dead_grants'>): string {
  return Object.entries(types)
    .map(([type, { scopes, endpoints }]) => {
      const dead = new Set(dead_grants.filter((each) => each.type === type).map(({ endpoint }) => endpoint));
      const named = (ids: readonly string[]) => ids.map((id) => (dead.has(id) ? deleted(id) : id));
      const held = endpoints === undefined ? (scopes ?? []) : endpoints === '*' ? ['all endpoints'] : named(endpoints);
      return `${type}: ${listed(held)}`;
    })
    .join('; ');
}

/** A time in a table, to the second. In UTC, so that all people see the same. */
export function timeInWords(iso: string | null, none: string): string {
  if (iso === null) return none;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 19)}Z`;
}

/** A token's name and id in a sentence. */
export function named({ name, uid }: Pick<TokenView, 'name' | 'uid'>): string {
  return `"${name}" (${uid})`;
}
