import { PosternError } from '../../domain/errors.js';
import type { Dialect } from './dialect.js';
import type { SqlRow } from './driver.js';
import { TABLES } from './schema.js';
import { DEMAND, type Part } from './shape.js';

/** So many differences are named; the others are counted. */
const NAMED = 8;

/** Every part of this library's schema. */
function partsOf(dialect: Dialect): readonly Part[] {
  const tables = [dialect.versions, ...TABLES, ...dialect.own];
  return [...tables.flatMap((table) => dialect.partsOf(dialect.shapeOf(table))), ...dialect.finishedParts()];
}

/** How the found parts differ from this library's. What an application has added is judged only if no row could be added because of it. */
export function differencesOf(dialect: Dialect, rows: readonly SqlRow[]): readonly string[] {
  const expected = partsOf(dialect);
  const keyOf = (of: unknown, part: unknown) => `${of}\n${part}`;
  const found = new Map(rows.map(({ of, part, form }) => [keyOf(of, part), String(form)]));
  const tables = new Set(rows.map(({ of }) => of));
  const missing = new Set(expected.flatMap(({ of }) => (of === '' || tables.has(of) ? [] : [of])));
  const parts = expected.flatMap(({ of, part, form }) => {
    if (missing.has(of)) return [];
    const there = found.get(keyOf(of, part));
    const name = of === '' ? part : `${part} of ${of}`;
    if (there === undefined) return [`${name} is missing`];
    return there === form ? [] : [`${name} is ${quoted(there)}, not ${quoted(form)}`];
  });
  const ours = new Set(expected.flatMap(({ of, part }) => [of, keyOf(of, part)]));
  const demands = rows.flatMap(({ of, part }) => {
    if (!String(part).startsWith(DEMAND) || !ours.has(String(of))) return [];
    const column = `column ${String(part).slice(DEMAND.length)}`;
    return ours.has(keyOf(of, column)) ? [] : [`${column} of ${of} ${UNKNOWN}`];
  });
  return [...[...missing].map((table) => `table ${table} is missing`), ...demands, ...parts];
}

const UNKNOWN =
  "is not postern's, and is NOT NULL without a default, so no row can be added: give it a DEFAULT, or let it be NULL";

/** The first differences, in one sentence. */
export function listOf(differences: readonly string[]): string {
  const more = differences.length - NAMED;
  return differences.slice(0, NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

/** @throws PosternError `store_invalid`, with the differences and the command that helps */
export function assertSame(differences: readonly string[], path: string, remedy: string): void {
  if (differences.length === 0) return;
  const problem = `the tables differ from this version's, and nothing was changed (migrate: 'verify'): ${listOf(differences)}. ${remedy}`;
  throw new PosternError('store_invalid', problem, { path });
}

function quoted(form: string): string {
  return `"${form.trim()}"`;
}
