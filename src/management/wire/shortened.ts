import type { Token } from './types.js';

/** The most characters of one field with a list. */
const MOST = 1_000;

/**
 * A token as a row of a page by number. Clients step through such pages by a fixed count, so every page has that many rows, however
 * large the tokens are. The long fields of a row are shortened, and `cut_fields` names them.
 */
export function shortened(token: Token): Token {
  const scopes = fitting(token.scopes, (scope) => scope.length);
  const labels = fitting(token.labels, ({ key, value }) => key.length + value.length);
  const dead_grants = fitting(token.dead_grants, ({ type, endpoint }) => type.length + endpoint.length);
  const types = fittingTypes(token.types);
  const fields = { scopes, labels, dead_grants, types };
  const cut_fields = Object.keys(fields).filter((name) => {
    const field = name as keyof typeof fields;
    return fields[field] !== token[field];
  });
  return cut_fields.length === 0 ? token : { ...token, ...fields, cut_fields };
}

/** The first items that fit; the same list if all do. */
function fitting<Item>(items: readonly Item[], sizeOf: (item: Item) => number, most = MOST): Item[] {
  let size = 0;
  const end = items.findIndex((item) => {
    size += sizeOf(item);
    return size > most;
  });
  return end === -1 ? (items as Item[]) : items.slice(0, end);
}

function fittingTypes(types: Token['types']): Token['types'] {
  const entries = Object.entries(types);
  const most = MOST / entries.length;
  const fitted = entries.map(([name, grant]) => {
    const [key, names] = Object.entries(grant)[0] as [string, '*' | string[]];
    if (names === '*') return [name, grant] as const;
    const kept = fitting(names, (each) => each.length, most);
    return [name, kept === names ? grant : { [key]: kept }] as const;
  });
  const isSame = fitted.every(([name, grant]) => grant === types[name]);
  return isSame ? types : (Object.fromEntries(fitted) as Token['types']);
}
