import fc from 'fast-check';

type Path = readonly string[];

/** A value with one to three changes, each anywhere in it: a member replaced, left out or added. */
export function mutationsOf(value: object, odd: readonly unknown[]): fc.Arbitrary<object> {
  const paths = pathsIn(value);
  const change = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom('replace', 'replace', 'remove', 'add'),
    name: fc.constantFrom('x', '__proto__', 'constructor', 'uid', 'scopes', '1'),
    by: fc.constantFrom(...odd),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce<object>(
      (before, { path, kind, name, by }) =>
        changed(before, path, (parent, last) => {
          if (kind === 'remove') delete parent[last];
          else define(parent, kind === 'add' ? name : last, by);
        }),
      value,
    ),
  );
}

function pathsIn(value: object): Path[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    isPlain(inner) ? [[name], ...pathsIn(inner).map((path) => [name, ...path])] : [[name]],
  );
}

function isPlain(value: unknown): value is object {
  return Array.isArray(value) || (typeof value === 'object' && value !== null && !(value instanceof Date));
}

/** A copy with a change. A path that an earlier change removed is left as it is. */
function changed(value: object, [name, ...rest]: Path, edit: (parent: never, last: string) => void): object {
  const copy: object = Array.isArray(value) ? [...value] : copyOf(value);
  const inner: unknown = Object.hasOwn(copy, name as string) ? copy[name as never] : undefined;
  if (rest.length === 0) edit(copy as never, name as string);
  else if (isPlain(inner)) define(copy, name as string, changed(inner, rest, edit));
  return copy;
}

function copyOf(value: object): object {
  const copy = {};
  for (const key of Reflect.ownKeys(value)) define(copy, key, value[key as never]);
  return copy;
}

/** `__proto__` becomes an own member, as `JSON.parse` makes it. */
function define(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
}
