import { quote } from './text.js';
import {
  type EndpointWords,
  entriesOf,
  invalid,
  readScopeWords,
  readWords,
  type ScopeWords,
} from './token-type-words.js';

/** Resource → action → the actions that it includes. */
export type Resources = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** A type whose tokens reach chosen endpoints. Made by {@link endpointAccess}. */
export interface EndpointAccess {
  readonly form: 'endpoint_access';
  readonly words?: EndpointWords;
}

/** A type whose tokens hold scopes over resources. Made by {@link scopeAccess}. */
export interface ScopeAccess<R extends Resources = Resources> {
  readonly form: 'scope_access';
  readonly resources: R;
  readonly words?: ScopeWords;
}

/** The kinds of token of an instance, by name. */
export type TokenTypes = Readonly<Record<string, EndpointAccess | ScopeAccess>>;

/**
 * Any token types: the default type argument, so that a plain `Postern` accepts every instance. It must be `any`, because an
 * instance both takes these types (requirements) and returns them (principals).
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type AnyTokenTypes = any;

/** `resource:action` of some resources. */
export type ScopeIn<R extends Resources> = { [K in keyof R & string]: `${K}:${keyof R[K] & string}` }[keyof R & string];

/** A scope grant: one scope, every action on a resource, or every scope of the type. */
export type ScopeGrantIn<R extends Resources> = ScopeIn<R> | `${keyof R & string}:*` | '*';

/** Every scope of the token types. */
export type ScopeOf<T extends TokenTypes> = { [K in keyof T]: ScopeOfType<T[K]> }[keyof T];

type ScopeOfType<Type> = Type extends ScopeAccess<infer R> ? ScopeIn<R> : never;

/** A token's grants by type: at least one type. */
export type GrantsOf<T extends TokenTypes> = { readonly [K in keyof T]?: GrantOf<T[K]> | undefined };

type GrantOf<Type> =
  Type extends ScopeAccess<infer R>
    ? { readonly scopes: readonly ScopeGrantIn<R>[] }
    : { readonly endpoints: '*' | readonly string[] };

/** The compiler refuses an included action that is not one of the same resource. */
type Consistent<R> = { [K in keyof R]: { [A in keyof R[K]]: readonly (keyof R[K])[] } };

const TYPE_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,49}$/;
/** RFC 6749 section 3.3 allows more characters in a scope. `:` and `*` have a meaning here. */
const SCOPE_PART = /^[A-Za-z][A-Za-z0-9_.-]{0,49}$/;

/**
 * A token type that reaches endpoints: the `user` type of BentoCloud.
 *
 * @example
 * endpointAccess({ label: 'Model access', description: 'Calls models.', noun: 'Models' })
 * @throws PosternError `option_invalid`
 */
export function endpointAccess(words: EndpointWords = {}): EndpointAccess {
  return Object.freeze({ form: 'endpoint_access', words: readWords(words, 'endpointAccess', ['noun']) });
}

/**
 * A token type that holds scopes over resources: the `developer` type of BentoCloud.
 *
 * @example
 * scopeAccess({ models: { read: [], write: ['read'] } })   // models:write includes models:read
 * scopeAccess({ models: { read: [] } }, { label: 'API access', scopes: { 'models:read': { label: 'See models' } } })
 * @param words names for people, of the type and of its resources and scopes
 * @throws PosternError `option_invalid`
 */
export function scopeAccess<const R extends Resources>(
  resources: R & Consistent<R>,
  words: ScopeWords<ScopeIn<R> | (keyof R & string)> = {},
): ScopeAccess<R> {
  const copy: Record<string, Record<string, readonly string[]>> = {};
  for (const [resource, actions] of entriesOf(resources, 'resources')) {
    assertName(resource, SCOPE_PART, 'resource');
    const table: Record<string, readonly string[]> = {};
    for (const [action, includes] of entriesOf(actions, `resources.${resource}`)) {
      assertName(action, SCOPE_PART, 'action');
      if (!Array.isArray(includes)) throw invalid(`resources.${resource}.${action}`, 'is not a list of actions');
      for (const other of includes) {
        if (typeof other !== 'string' || !Object.hasOwn(actions as object, other)) {
          throw invalid(
            `resources.${resource}.${action}`,
            `includes ${quote(other)}, which is not an action of ${resource}`,
          );
        }
      }
      table[action] = Object.freeze([...includes]);
    }
    copy[resource] = Object.freeze(table);
  }
  return Object.freeze({
    form: 'scope_access',
    resources: Object.freeze(copy) as R,
    words: readScopeWords(words, (name) => isNameIn(name, copy)),
  });
}

/** BentoCloud's token types, and the default. */
export const bentocloudTokenTypes = Object.freeze({
  user: endpointAccess({
    label: 'Protected Endpoint Access',
    description: 'Calls Deployments whose endpoint is protected.',
    noun: 'Deployments',
  }),
  developer: scopeAccess(
    {
      cluster: { read: [], write: ['read'] },
      iam: { read: [], write: ['read'] },
      models: { read: [], write: ['read'] },
      bentos: { read: [], write: ['read'] },
      deployments: { read: [], write: ['read'] },
    },
    { label: 'Developer Operations Access', description: 'Manages resources through the API.' },
  ),
});

/** Compiled token types. It uses maps only, so that a name such as `__proto__` is a name like any other. */
export interface Catalog {
  readonly types: ReadonlyMap<string, CatalogType>;
  /** Every scope of every type. */
  readonly scopes: ReadonlySet<string>;
}

export type CatalogType =
  | { readonly form: 'endpoint_access'; readonly words: EndpointWords }
  | {
      readonly form: 'scope_access';
      /** Grant (`models:write`, `models:*`, `*`) → the scopes that it gives. */
      readonly expansions: ReadonlyMap<string, readonly string[]>;
      readonly words: ScopeWords;
    };

/** @throws PosternError `option_invalid` */
export function compileCatalog(types: TokenTypes): Catalog {
  const compiled = new Map<string, CatalogType>();
  const scopes = new Set<string>();
  for (const [name, type] of entriesOf(types, 'tokenTypes')) {
    assertName(name, TYPE_NAME, 'token type');
    const { form } = (type ?? {}) as Partial<EndpointAccess | ScopeAccess>;
    const words = Object.hasOwn(type ?? {}, 'words') ? ((type as EndpointAccess | ScopeAccess).words ?? {}) : {};
    // Checked again, because the type may be written by hand.
    if (form === 'endpoint_access') compiled.set(name, { form, words: endpointAccess(words).words as EndpointWords });
    else if (form === 'scope_access') {
      const checked = scopeAccess((type as ScopeAccess).resources, words);
      const expansions = expand(checked.resources);
      for (const scope of expansions.get('*') as readonly string[]) scopes.add(scope);
      compiled.set(name, { form, expansions, words: checked.words as ScopeWords });
    } else throw invalid(`tokenTypes.${name}`, 'was not made by endpointAccess() or scopeAccess()');
  }
  if (compiled.size === 0) throw invalid('tokenTypes', 'names no type: give at least one');
  return { types: compiled, scopes };
}

function expand(resources: Resources): Map<string, readonly string[]> {
  const expansions = new Map<string, readonly string[]>();
  const all: string[] = [];
  for (const [resource, actions] of Object.entries(resources)) {
    for (const action of Object.keys(actions)) {
      const scopes = [...closure(actions, action)].map((included) => `${resource}:${included}`);
      expansions.set(`${resource}:${action}`, scopes);
    }
    const every = Object.keys(actions).map((action) => `${resource}:${action}`);
    expansions.set(`${resource}:*`, every);
    all.push(...every);
  }
  return expansions.set('*', all);
}

/** An action with every action that it includes, directly or through others. A cycle is harmless. */
function closure(actions: Resources[string], action: string, found = new Set<string>()): Set<string> {
  if (found.has(action)) return found;
  found.add(action);
  for (const included of actions[action] ?? []) closure(actions, included, found);
  return found;
}

/** Whether a name is one of the resources, or a scope of them. */
function isNameIn(name: string, resources: Resources): boolean {
  const [resource = '', action] = name.split(':');
  const actions = Object.hasOwn(resources, resource) ? resources[resource] : undefined;
  return actions !== undefined && (action === undefined || Object.hasOwn(actions, action));
}

function assertName(name: string, pattern: RegExp, what: string): void {
  if (!pattern.test(name)) throw invalid('tokenTypes', `has a ${what} named ${quote(name)}: use ${pattern.source}`);
}
