import type { Server, ServerInterceptor } from '@grpc/grpc-js';
import { PosternError } from '../../domain/errors.js';
import { shared } from '../../domain/shared.js';
import { type Finding, findingsOf } from '../lint.js';
import { interceptorsOf, methodsOf } from './internals.js';

/** What each guard has for a method. */
const REQUIREMENTS = /* @__PURE__ */ shared(
  'grpc-guards',
  () => new WeakMap<ServerInterceptor, (path: string) => unknown>(),
);

/** Registers an interceptor as a guard. */
export function markGrpcGuard(interceptor: ServerInterceptor, requirementOf: (path: string) => unknown): void {
  REQUIREMENTS.set(interceptor, requirementOf);
}

/**
 * Every method of a server's services that its guard has no requirement for; every method, if it has no guard. Add the services
 * before. For a test of the application:
 *
 * @example
 * expect(lintRoutes(server)).toEqual([]);
 * @throws PosternError `input_invalid` for what is no server, or of a version of grpc-js that hides its methods
 */
export function lintRoutes(server: Server): readonly Finding[] {
  const methods = methodsOf(server);
  const interceptors = interceptorsOf(server);
  if (methods === null || interceptors === null) {
    throw new PosternError(
      'input_invalid',
      'is no server whose methods can be seen: give a Server of grpc-js 1.12 to 1.14',
      {
        path: 'server',
        input: 'lintRoutes of postern/grpc',
      },
    );
  }
  const guards = interceptors.flatMap((each) => REQUIREMENTS.get(each as ServerInterceptor) ?? []);
  return methods.flatMap((path) => {
    if (guards.length === 0) return findingsOf(path, undefined);
    return guards.flatMap((requirementOf) => findingsOf(path, requirementOf(path)));
  });
}
