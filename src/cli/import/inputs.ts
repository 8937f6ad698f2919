import { usageError } from '../failure.js';
import { cellsOf, type FileRow } from './records.js';

/** The columns of CSV: the fields of `tokens.import`. Those that are no texts hold JSON. */
const COLUMNS = {
  digest: 'text',
  name: 'text',
  description: 'text',
  organization: 'text',
  owner: 'text',
  ownership: 'text',
  types: 'json',
  expiresIn: 'text',
  expiresAt: 'text',
  metadata: 'json',
  rateLimit: 'json',
  quota: 'json',
  mayIssue: 'json',
} as const;

type Column = keyof typeof COLUMNS;

/** Makes an input of `tokens.import`, which checks it, of a row. */
export type ReadInput = (row: FileRow) => Readonly<Record<string, unknown>>;

/** @throws Error (of the function that it returns) for a row that is not a JSON object */
export const readJson: ReadInput = ({ text }) => {
  const input: unknown = parsed(text, 'it');
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new Error('it is not a JSON object: give one object a line, without an array around them');
  return withDate(input as Record<string, unknown>);
};

/**
 * Reads the first row of CSV, the names of the columns.
 *
 * @throws CliError (usage) for an unknown name, or without a digest
 */
export function csvReader({ text }: FileRow): ReadInput {
  const columns = cellsOf(text).map((name) => name.trim());
  const known = Object.keys(COLUMNS).join(', ');
  const wrong = columns.find((name, index) => !Object.hasOwn(COLUMNS, name) || columns.indexOf(name) !== index);
  if (wrong !== undefined || !columns.includes('digest')) {
    const problem = wrong === undefined ? 'has no column digest' : `has an unknown or repeated column "${wrong}"`;
    throw usageError(
      `the first line of the file ${problem}. The columns are ${known}; digest, name and types are needed`,
    );
  }
  return (row) => {
    const cells = cellsOf(row.text);
    if (cells.length !== columns.length)
      throw new Error(`it has ${cells.length} cells, and there are ${columns.length} columns`);
    const given = columns.flatMap((name, index) => {
      const cell = cells[index] as string;
      if (cell === '') return [];
      return [[name, COLUMNS[name as Column] === 'json' ? parsed(cell, name) : cell]];
    });
    return withDate(Object.fromEntries(given));
  };
}

/** RFC 3339, and its usual shorter forms. `Date` also reads `01/02/2027`, in the order of the United States, and `2027-02-31`. */
const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** JSON has no dates. Without an offset a time is UTC. @throws Error for a text that is not a time */
function withDate(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { expiresAt } = input;
  if (typeof expiresAt !== 'string') return input;
  const [, day = '', offset] = TIME.exec(expiresAt) ?? [];
  const isLong = expiresAt.length > day.length;
  const date = new Date(isLong && offset === undefined ? `${expiresAt}Z` : expiresAt);
  if (Number.isNaN(date.getTime()) || !isDay(day)) {
    throw new Error('expiresAt is not a time: give one such as 2027-01-31T12:00:00Z');
  }
  return { ...input, expiresAt: date };
}

/** Whether it is in the calendar. */
function isDay(day: string): boolean {
  const date = new Date(day);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** Without the text in its error: it may be a secret in the wrong place. */
function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${name} is not JSON`);
  }
}
