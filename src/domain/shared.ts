import { VERSION } from './version.js';

/**
 * One place for what the copies of this package in a process share: a bundler's layers, a bundle beside `node_modules`, ESM
 * beside CommonJS. Each copy has classes and WeakMaps of its own, so what one made would be a stranger's to the others.
 *
 * It is found by a registered symbol with the major version in it: within a major version, what is shared only grows.
 *
 * Nobody gets at it who can not run code in the process, and whoever can needs no forged principal: they have the store. Data
 * never gets there: JSON, a request's body and a store's row have no symbols, and `structuredClone` drops them.
 */
const SHARED = Symbol.for(`postern/${VERSION.split('.', 1)[0]}`);

/** Where an instance says its version, to copies of every version. */
const MARK = Symbol.for('postern/version');

interface Globals {
  [SHARED]?: Record<string, object>;
}

/** The one of this name: made by the copy that is loaded first. */
export function shared<Value extends object>(name: string, make: () => Value): Value {
  const globals = globalThis as Globals;
  // Without a prototype: nothing that `Object.prototype` was given is taken for a thing that is shared.
  if (globals[SHARED] === undefined) Object.defineProperty(globals, SHARED, { value: Object.create(null) });
  const all = globals[SHARED] as Record<string, object>;
  all[name] ??= make();
  return all[name] as Value;
}

/** Notes which version made an object. A copy of the object does not have it. */
export function markVersion(made: object): void {
  Object.defineProperty(made, MARK, { value: VERSION });
}

/** The version of the package that made an object, or `null` for what none made. */
export function versionOf(made: unknown): string | null {
  if (typeof made !== 'object' || made === null || !Object.hasOwn(made, MARK)) return null;
  return String((made as { readonly [MARK]?: unknown })[MARK]);
}
