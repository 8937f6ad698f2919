import { isPosternError, PosternError } from '../../domain/errors.js';
import { quote } from '../../domain/text.js';
import type { TokenTypes } from '../../domain/token-types.js';
import type { Postern } from '../../instance/create-postern.js';
import { type Ask as AskOf, asker, type RequirementFor, type ZoneOf } from '../ask.js';
import { callOf, type GrpcRequest } from './request.js';

/** The requirement of a method: a value, or a function of the call. */
export type GrpcRequirement<T extends TokenTypes = TokenTypes> = RequirementFor<GrpcRequest, T>;

/**
 * The requirements by `/pkg.Service/Method`, or by `/pkg.Service/` for all methods of a service. The method's own entry wins. Of
 * an object, only own properties count.
 */
export type GrpcRequirements<T extends TokenTypes = TokenTypes> =
  | { readonly [path: string]: GrpcRequirement<T> }
  | ReadonlyMap<string, GrpcRequirement<T>>;

export type Ask = AskOf<GrpcRequest>;

const KEY = /^\/[\w-]+(?:\.[\w-]+)*\/[\w-]*$/;

/**
 * Checks the requirements once, and returns a look-up by a method's path. Paths are compared exactly: another spelling is
 * another path, and undeclared methods are refused.
 *
 * @throws PosternError `option_invalid`, `requirement_invalid`, `scope_unknown`
 */
export function readRequirements<T extends TokenTypes>(
  postern: Postern<T>,
  requirements: GrpcRequirements<T>,
  zone: ZoneOf<GrpcRequest>,
): (path: string) => Ask {
  const asks = new Map<string, Ask>();
  for (const [key, requirement] of entriesOf(requirements)) {
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw invalid(
        `${quote(key)} is no path: write '/pkg.Service/Method', or '/pkg.Service/' for all methods of a service`,
      );
    }
    asks.set(key, askerOf(postern, key, requirement, zone));
  }
  const undeclared: Ask = asker(postern, () => null, zone, READING);
  return (path) => asks.get(path) ?? asks.get(servicePrefix(path)) ?? undeclared;
}

function askerOf<T extends TokenTypes>(
  postern: Postern<T>,
  key: string,
  requirement: GrpcRequirement<T>,
  zone: ZoneOf<GrpcRequest>,
): Ask {
  try {
    return asker(postern, requirement, zone, READING);
  } catch (error) {
    if (!isPosternError(error)) throw error;
    throw new PosternError(error.code, error.message, { path: key, input: 'guard', cause: error });
  }
}

const READING = {
  /** Compared with the methods of a token that is good for some methods only. */
  methodOf: ({ path }: GrpcRequest) => path,
  identityOf: callOf,
};

/** `/pkg.Service/` of `/pkg.Service/Method`. A path with another number of slashes has none: `''`, which is never declared. */
function servicePrefix(path: string): string {
  const end = path.indexOf('/', 1);
  return end < 0 || path.indexOf('/', end + 1) >= 0 ? '' : path.slice(0, end + 1);
}

function entriesOf<T extends TokenTypes>(
  requirements: GrpcRequirements<T>,
): Iterable<readonly [unknown, GrpcRequirement<T>]> {
  if (requirements instanceof Map) return requirements;
  if (typeof requirements !== 'object' || requirements === null || Array.isArray(requirements)) {
    throw invalid(`is ${quote(requirements)}: give an object, or a Map, of paths and requirements`);
  }
  return Object.entries(requirements);
}

function invalid(problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path: 'requirements', input: 'guard' });
}
