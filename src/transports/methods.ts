import { isPosternError, PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { type Ask, asker, type Reading, type RequirementFor, type ZoneOf } from './ask.js';

/**
 * The requirements by `/pkg.Service/Method`, or by `/pkg.Service/` for all methods of a service. The method's own entry wins. Of
 * an object, only own properties count.
 */
export type MethodRequirements<Request, T extends TokenTypes = TokenTypes> =
  | { readonly [path: string]: RequirementFor<Request, T> }
  | ReadonlyMap<string, RequirementFor<Request, T>>;

/** The requirements of methods, read once. */
export interface Methods<Request> {
  /** The question for a method. A path is compared to the letter: another spelling is another path, and what nobody declared is refused. */
  askFor(path: string): Ask<Request>;
  /** What was declared for a method. */
  requirementOf(path: string): RequirementFor<Request> | undefined;
}

const KEY = /^\/[\w-]+(?:\.[\w-]+)*\/[\w-]*$/;

/** @throws PosternError `option_invalid`, `requirement_invalid`, `scope_unknown` */
export function readMethods<Request extends object, T extends TokenTypes>(
  postern: Postern<T>,
  requirements: MethodRequirements<Request, T>,
  zone: ZoneOf<Request>,
  reading: Reading<Request>,
): Methods<Request> {
  const standing = typeof zone === 'function' ? oncePerRequest(zone) : zone;
  const declared = new Map<string, { readonly ask: Ask<Request>; readonly requirement: RequirementFor<Request> }>();
  for (const [key, requirement] of entriesOf(requirements)) {
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw invalid(
        `${quote(key)} is no path: write '/pkg.Service/Method', or '/pkg.Service/' for all methods of a service`,
      );
    }
    const ask = askerOf(postern, key, requirement, standing, reading) as Ask<Request>;
    declared.set(key, { ask, requirement: requirement as RequirementFor<Request> });
  }
  const undeclared = asker(postern, () => null, standing, reading) as Ask<Request>;
  const find = (path: string) => declared.get(path) ?? declared.get(servicePrefix(path));
  return {
    askFor: (path) => find(path)?.ask ?? undeclared,
    requirementOf: (path) => find(path)?.requirement,
  };
}

function askerOf<Request extends object, T extends TokenTypes>(
  postern: Postern<T>,
  key: string,
  requirement: RequirementFor<Request, T>,
  zone: ZoneOf<Request>,
  reading: Reading<Request>,
): Ask<Request, T> {
  if (typeof requirement === 'function') return asker(postern, oncePerRequest(requirement), zone, reading);
  try {
    return asker(postern, requirement, zone, reading);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw new PosternError(error.code, error.message, { path: key, input: 'guard', cause: error });
  }
}

/**
 * The same function, run once for each call. So the rechecks of a long call use the requirement and the zone that it began
 * with, even if its handler has changed the metadata since.
 */
export function oncePerRequest<Request extends object, Answer>(
  ask: (request: Request) => Answer,
): (request: Request) => Answer {
  const answers = new WeakMap<Request, { readonly answer: Answer }>();
  return (request) => {
    let known = answers.get(request);
    if (known === undefined) {
      known = { answer: ask(request) };
      answers.set(request, known);
    }
    return known.answer;
  };
}

/** `/pkg.Service/` of `/pkg.Service/Method`. A path with another number of slashes has none: `''`, which is never declared. */
function servicePrefix(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 || path.indexOf('/', end + 1) >= 0 ? '' : path.slice(0, end + 1);
}

function entriesOf<Request, T extends TokenTypes>(
  requirements: MethodRequirements<Request, T>,
): Iterable<readonly [unknown, RequirementFor<Request, T>]> {
  if (requirements instanceof Map) return requirements;
  if (typeof requirements !== 'object' || requirements === null || Array.isArray(requirements)) {
    throw invalid(`is ${quote(requirements)}: give an object, or a Map, of paths and requirements`);
  }
  return Object.entries(requirements);
}

function invalid(problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path: 'requirements', input: 'guard' });
}
