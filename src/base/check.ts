import type { z } from 'zod';
import { PosternError, type PosternErrorCode } from '../domain/errors.js';
import { didYouMean } from '../domain/nearest.js';

/**
 * Reads someone's input through a schema. Only its own properties count (a polluted `Object.prototype` adds nothing), an
 * unknown one is refused by name, and the first fault becomes a sentence.
 *
 * @throws PosternError `code` with the field's path, or `option_unknown`
 */
export function check<S extends z.ZodType>(
  schema: S,
  input: unknown,
  what: string,
  code: PosternErrorCode,
): z.output<S> {
  const result = schema.safeParse(ownCopy(input));
  // Its own properties only, again: a field that was left out must not be looked for in `Object.prototype`.
  if (result.success) return ownCopy(result.data) as z.output<S>;
  const issue = innermost(result.error.issues[0]);
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const advice = didYouMean(key, namesAt(schema, issue.path)) || ': check its spelling, or leave it out';
    const path = [...issue.path, key].map(String).join('.');
    throw new PosternError('option_unknown', `is unknown${advice}`, { path, input: what });
  }
  const path = issue?.path.map(String).join('.') || undefined;
  throw new PosternError(code, issue?.message ?? 'can not be read', { path, input: what });
}

/** The names that an object may have at a place in someone's input. */
function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const def = ownCopy(schema._zod.def) as Partial<Nesting>;
  const inner = [def.innerType, def.in, def.out, ...(def.options ?? [])].filter((each) => each !== undefined);
  if (inner.length > 0) return inner.flatMap((each) => namesAt(each, path));
  const [name, ...rest] = path;
  if (name === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(name)] ?? def.element ?? def.valueType;
  return next === undefined ? [] : namesAt(next, rest);
}

/** What Zod's types of values hold of others. */
interface Nesting {
  readonly innerType: z.core.$ZodType;
  readonly in: z.core.$ZodType;
  readonly out: z.core.$ZodType;
  readonly options: readonly z.core.$ZodType[];
  readonly shape: Readonly<Record<string, z.core.$ZodType>>;
  readonly element: z.core.$ZodType;
  readonly valueType: z.core.$ZodType;
}

/** Of a union that no branch of fits: the fault in the branch that fits on the outside, with its whole path. */
function innermost(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().find(({ path }) => path.length > 0);
  return inner ? innermost({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

/** A plain object with a null prototype and the same own properties; what is no object, as it is. */
export function ownCopy<Value>(input: Value): Value {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.assign(Object.create(null), input);
}

/** A property that an object has of its own or by its class: what every object inherits (a polluted `Object.prototype`) is none. */
export function unpolluted<Target extends object, Key extends keyof Target>(
  target: Target,
  key: Key,
): Target[Key] | undefined {
  const value = target[key];
  return value === (Object.prototype as Partial<Target>)[key] ? undefined : value;
}
