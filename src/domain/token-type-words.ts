import { PosternError } from './errors.js';
import { quote } from './text.js';

/** Names something for people. The console shows it; it grants nothing. */
export interface Words {
  /** 1 to 100 characters. Default: the name itself. */
  readonly label?: string | undefined;
  /** One sentence, 1 to 500 characters. */
  readonly description?: string | undefined;
}

/** The words of a type that reaches endpoints. */
export interface EndpointWords extends Words {
  /** The plural for its endpoints, as people here call them: `Deployments`. Default: endpoints, in the reader's language. */
  readonly noun?: string | undefined;
}

/** The words of a type that holds scopes. */
export interface ScopeWords<Name extends string = string> extends Words {
  /** By resource (`models`) or by scope (`models:write`). */
  readonly scopes?: { readonly [N in Name]?: Words } | undefined;
}

const LENGTHS: Readonly<Record<string, number>> = { label: 100, description: 500, noun: 100 };

/**
 * Reads the words of a type, copied and frozen.
 *
 * @param more keys beside `label` and `description`
 * @throws PosternError `option_invalid`
 */
export function readWords(words: unknown, path: string, more: readonly string[] = []): EndpointWords {
  const known = ['label', 'description', ...more];
  const entries = entriesOf(words, path).filter(([, value]) => value !== undefined);
  for (const [key, value] of entries) {
    if (!known.includes(key)) throw invalid(`${path}.${key}`, `is unknown: use ${known.join(', ')}`);
    const most = LENGTHS[key];
    if (most !== undefined && (typeof value !== 'string' || value.trim() === '' || value.length > most)) {
      throw invalid(`${path}.${key}`, `is no text of 1 to ${most} characters`);
    }
  }
  return ownOnly(Object.fromEntries(entries));
}

/**
 * @param isName whether a name is a resource or a scope of the type
 * @throws PosternError `option_invalid`
 */
export function readScopeWords(words: unknown, isName: (name: string) => boolean): ScopeWords {
  const read = readWords(words, 'scopeAccess', ['scopes']) as ScopeWords;
  if (read.scopes === undefined) return read;
  const scopes = entriesOf(read.scopes, 'scopeAccess.scopes').map(([name, each]) => {
    if (!isName(name)) {
      throw invalid('scopeAccess.scopes', `names ${quote(name)}, which is no resource and no scope of this type`);
    }
    return [name, readWords(each, `scopeAccess.scopes.${name}`)] as const;
  });
  return ownOnly({ ...read, scopes: ownOnly(Object.fromEntries(scopes)) });
}

/** Frozen and without a prototype: words that are left out are never found in a polluted `Object.prototype`. */
function ownOnly<Read extends object>(read: Read): Read {
  return Object.freeze(Object.assign(Object.create(null), read));
}

export function entriesOf(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'is not an object');
  return Object.entries(value);
}

export function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path });
}
