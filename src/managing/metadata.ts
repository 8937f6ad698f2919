import * as z from 'zod';
import { PosternError } from '../domain/errors.js';
import type { Metadata } from '../domain/token-record.js';

const MOST_BYTES = 16_384;
const MOST_LEVELS = 100;

/** A function that makes the metadata of a change from what is there. */
type Update = (current: Metadata) => unknown;

/** Metadata as an input: JSON as it is. What JSON would change or leave out in silence is refused, with its place. */
export const metadata = z.unknown().transform(read);

/** The same, or a function that returns it. */
export const metadataOrUpdate = z
  .unknown()
  .transform((value, context): Metadata | Update =>
    typeof value === 'function' ? (value as Update) : read(value, context),
  );

/**
 * The metadata of a change, as the store keeps it. A function is given what is there now.
 *
 * @throws PosternError `input_invalid` for what it returns
 */
export function metadataFrom(given: Metadata | Update | undefined, before: string): string {
  if (given === undefined) return before;
  if (typeof given !== 'function') return JSON.stringify(given);
  try {
    return JSON.stringify(copyOf(given(JSON.parse(before) as Metadata)));
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    const path = ['metadata', ...error.path].join('.');
    throw new PosternError('input_invalid', error.message, { path, input: 'what the function returned' });
  }
}

function read(value: unknown, context: z.RefinementCtx): Metadata {
  try {
    return copyOf(value);
  } catch (error) {
    if (!(error instanceof NoJson)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path: [...error.path] });
    return z.NEVER;
  }
}

/** Where a value is no JSON. */
class NoJson extends Error {
  constructor(
    readonly path: readonly string[],
    problem: string,
  ) {
    super(problem);
  }
}

/** @throws NoJson */
function copyOf(value: unknown): Metadata {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new NoJson([], 'give an object of JSON values');
  }
  const copy = jsonOf(value, []) as Metadata;
  if (utf8Length(JSON.stringify(copy)) > MOST_BYTES) throw new NoJson([], `give at most ${MOST_BYTES} bytes of JSON`);
  return copy;
}

/** A deep copy, each property read once. A property that is `undefined` is left out. @throws NoJson */
function jsonOf(value: unknown, path: readonly string[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') {
    throw new NoJson(path, `is no JSON value (${typeof value === 'number' ? value : typeof value}): leave it out`);
  }
  if (path.length > MOST_LEVELS) throw new NoJson(path.slice(0, 1), `holds itself, or more than ${MOST_LEVELS} levels`);
  if (Array.isArray(value)) return Array.from(value, (each, index) => jsonOf(each, [...path, String(index)]));
  assertPlain(value, path);
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) {
    const each: unknown = (value as Record<string, unknown>)[key];
    if (each !== undefined) copy[key] = jsonOf(each, [...path, key]);
  }
  return copy;
}

/** What a class, a Map or a promise holds is no property, and would be gone. @throws NoJson */
function assertPlain(value: object, path: readonly string[]): void {
  const prototype: object | null = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (plain && Object.getOwnPropertySymbols(value).length === 0) return;
  if (!(value instanceof Promise)) throw new NoJson(path, 'is no plain object, so JSON would lose what it holds');
  // Nobody waits for it any more.
  value.catch(() => {});
  throw new NoJson(path, 'is a promise: wait for it first, and give no async function');
}

/** Bytes of a well-formed text in UTF-8. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
