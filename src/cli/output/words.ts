import type { TokenState } from '../../domain/token-state.js';
import { stateOf } from '../../management/wire/token-state.js';
import type { TokenView } from '../backend/backend.js';
import type { Format } from './print.js';
import type { Style } from './style.js';

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

const STATES: Readonly<Record<TokenState, readonly [word: string, style: Style]>> = {
  active: ['active', 'green'],
  expiring: ['expires soon', 'yellow'],
  idle: ['idle', 'dim'],
  expired: ['expired', 'red'],
  revoked: ['revoked', 'red'],
};

/** A token's state in a table, and its colour. */
export function stateInWords(token: TokenView, now: number): { readonly word: string; readonly style: Style } {
  const [word, style] = STATES[stateOf({ ...token, is_expired: token.status === 'expired' }, now)];
  return { word, style };
}

/** An exact time, to the second. In UTC, so that all people see the same. */
export function timeInWords(iso: string | null, none: string): string {
  if (iso === null) return none;
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : `${date.toISOString().slice(0, 19)}Z`;
}

/** Times in a table: relative ones, or exact ones in a `wide` table. */
export function timesIn(format: Format, now: number): (iso: string | null, none: string) => string {
  return format === 'wide' ? timeInWords : (iso, none) => (iso === null ? none : relative(iso, now));
}

/** An exact time with the relative one. */
export function bothTimes(iso: string | null, none: string, now: number): string {
  return iso === null ? none : `${timeInWords(iso, none)} (${relative(iso, now)})`;
}

const RELATIVE = new Intl.RelativeTimeFormat('en');

/** The units in milliseconds, each with the number of them from which the next unit is used. */
const UNITS = [
  ['second', 1_000, 91],
  ['minute', 60_000, 91],
  ['hour', 3_600_000, 48],
  ['day', 86_400_000, 91],
  ['month', 2_629_746_000, 24],
  ['year', 31_556_952_000, Number.POSITIVE_INFINITY],
] as const;

/** `in 3 days`, `2 hours ago`: rounded to one unit. */
export function relative(iso: string, now: number): string {
  const distance = Date.parse(iso) - now;
  if (Number.isNaN(distance)) return iso;
  for (const [unit, length, most] of UNITS) {
    const count = Math.round(distance / length);
    if (Math.abs(count) < most) return count === 0 ? 'now' : RELATIVE.format(count, unit);
  }
  return iso;
}

/** The heading of an account: a server that knows no address of a person sends the owner's name in its place. */
export function headingOf(...accounts: readonly string[]): 'Email' | 'Owner' {
  return accounts.every((account) => account === '' || account.includes('@')) ? 'Email' : 'Owner';
}

/** A token's name and id in a sentence. */
export function named({ name, uid }: Pick<TokenView, 'name' | 'uid'>): string {
  return `"${name}" (${uid})`;
}
