import type * as z from 'zod';
import { PosternError, type PosternErrorCode } from '../domain/errors.js';
import { didYouMean } from '../domain/nearest.js';

/**
 * Checks input against a schema. Only own properties count: a polluted `Object.prototype` adds nothing. An unknown property is
 * refused by name. The first fault becomes the message.
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
  // Own properties only, again: a missing field must not be found in `Object.prototype`.
  if (result.success) return ownCopy(result.data) as z.output<S>;
  const issue = innermost(result.error.issues[0]);
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const advice = didYouMean(key, namesAt(schema, issue.path)) || ': check its spelling, or leave it out';
    const path = [...issue.path, key].map(String).join('.');
    throw new PosternError('option_unknown', `is unknown${advice}`, { path, input: what });
  }
  const path = issue?.path.map(String).join('.') || undefined;
  throw new PosternError(code, problemOf(issue), { path, input: what });
}

/** Zod's own words for a wrong kind of value say nothing to do. Messages of our schemas are kept. */
function problemOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return 'can not be read';
  if (!/^Invalid input: expected |^Too (?:small|big): /.test(issue.message)) return issue.message;
  if (issue.code !== 'invalid_type') return `is not valid (${issue.message})`;
  const kind =
    issue.expected === 'nonoptional' ? 'a value' : `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
  return issue.message.endsWith('received undefined')
    ? `is missing: give ${kind}`
    : `is of the wrong kind: give ${kind}`;
}

/** The allowed keys of the object at this path of the input. */
function namesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const def = ownCopy(schema._zod.def) as Partial<Nesting>;
  const inner = [def.innerType, def.in, def.out, ...(def.options ?? [])].filter((each) => each !== undefined);
  if (inner.length > 0) return inner.flatMap((each) => namesAt(each, path));
  const [name, ...rest] = path;
  if (name === undefined) return Object.keys(def.shape ?? {});
  const next = def.shape?.[String(name)] ?? def.element ?? def.valueType;
  return next === undefined ? [] : namesAt(next, rest);
}

/** The places in which Zod schemas hold other schemas. */
interface Nesting {
  readonly innerType: z.core.$ZodType;
  readonly in: z.core.$ZodType;
  readonly out: z.core.$ZodType;
  readonly options: readonly z.core.$ZodType[];
  readonly shape: Readonly<Record<string, z.core.$ZodType>>;
  readonly element: z.core.$ZodType;
  readonly valueType: z.core.$ZodType;
}

/** If no branch of a union fits: the fault inside the branch of the right kind, with its whole path. */
function innermost(issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined {
  if (issue?.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().find(({ path }) => path.length > 0);
  return inner ? innermost({ ...inner, path: [...issue.path, ...inner.path] }) : issue;
}

/** A copy with a null prototype and the same own properties. A value that is not an object is returned as it is. */
export function ownCopy<Value>(input: Value): Value {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.assign(Object.create(null), input);
}

/** An object's own property or its class's. A property of `Object.prototype` (which may be polluted) does not count. */
export function unpolluted<Target extends object, Key extends keyof Target>(
  target: Target,
  key: Key,
): Target[Key] | undefined {
  const value = target[key];
  return value === (Object.prototype as Partial<Target>)[key] ? undefined : value;
}
