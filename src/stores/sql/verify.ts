import { PosternError } from '../../domain/errors.js';
import type { Dialect } from './dialect.js';
import type { SqlRow } from './driver.js';
import { TABLES } from './schema.js';
import type { Part } from './shape.js';

/** So many differences are named; the others are counted. */
const NAMED = 8;

/** Every part of this library's schema. @param withVersions whether the table of versions is one of them */
export function partsOf(dialect: Dialect, withVersions = true): readonly Part[] {
  const tables = [...(withVersions ? [dialect.versions] : []), ...TABLES, ...dialect.own];
  return [...tables.flatMap((table) => dialect.partsOf(dialect.shapeOf(table))), ...dialect.finishedParts()];
}

/** How the found parts differ from the expected ones. What else is there is not judged. */
export function differencesOf(expected: readonly Part[], rows: readonly SqlRow[]): readonly string[] {
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
  return [...[...missing].map((table) => `table ${table} is missing`), ...parts];
}

/** @throws PosternError `store_invalid`, with the differences and the command that helps */
export function assertSame(differences: readonly string[], path: string, remedy: string): void {
  if (differences.length === 0) return;
  const more = differences.length - NAMED;
  const named = differences.slice(0, NAMED).join('; ') + (more > 0 ? `; and ${more} more` : '');
  const problem = `the tables differ from this version's, and nothing was changed (migrate: 'verify'): ${named}. ${remedy}`;
  throw new PosternError('store_invalid', problem, { path });
}

function quoted(form: string): string {
  return `"${form.trim()}"`;
}
