import { PosternError } from '../domain/errors.js';
import { type Finding, findingsBehind, isGuard } from './lint.js';

/** What is read of a route of Hono. Middleware is a route too. */
interface Route {
  readonly path: string;
  /** `ALL` for middleware, and for `app.all`. */
  readonly method: string;
  readonly handler: Handler;
}

type Handler = ((...args: never[]) => unknown) & { readonly [COMPOSED]?: Handler };

/** Where Hono keeps the handler of an application that was mounted in another one with its own error handler. */
const COMPOSED = '__COMPOSED_HANDLER';

/**
 * Every route of an application that has no guard in front of it, and every route that names a tenant where its scope does
 * not. For a test of the application:
 *
 * @example
 * expect(lintRoutes(app)).toEqual([]);
 * @throws PosternError `input_invalid` for what is no application
 */
export function lintRoutes(app: { readonly routes: readonly Route[] }): readonly Finding[] {
  const routes: unknown = (app as Partial<typeof app> | null)?.routes;
  if (Array.isArray(routes)) {
    return routes.flatMap((route, index) =>
      isTerminal(route, index, routes) ? lint(route, routes.slice(0, index)) : [],
    );
  }
  throw new PosternError('input_invalid', 'give an application of Hono', {
    path: 'app',
    input: 'lintRoutes of postern/hono',
  });
}

/** Whether a guard stands before the handler of these routes, which match one request; so it does where there is no handler. */
export function hasGuard(matched: readonly Route[]): boolean {
  const terminal = matched.findIndex(isTerminal);
  return terminal < 0 || matched.slice(0, terminal).some(({ handler }) => isGuard(originalOf(handler)));
}

/** Middleware takes `next`, and a route's last handler answers whether it takes it or not. */
function isTerminal({ handler, method, path }: Route, index: number, routes: readonly Route[]): boolean {
  const original = originalOf(handler);
  const answers = original.length < 2;
  if (isGuard(original)) return false;
  if (answers) return true;
  const isLast = !routes.slice(index + 1).some((later) => later.method === method && later.path === path);
  return method !== 'ALL' && isLast;
}

function lint({ method, path }: Route, before: readonly Route[]): Finding[] {
  const guards = before
    .filter((each) => (each.method === 'ALL' || each.method === method) && covers(each.path, path))
    .map(({ handler }) => originalOf(handler))
    .filter(isGuard);
  return findingsBehind(`${method} ${path}`, guards);
}

/** Whether what stands at a path sees every request for another. What can't be told does not: better one finding too many. */
function covers(at: string, path: string): boolean {
  if (at === path || at === '*') return true;
  const segments = path.split('/');
  const own = at.split('/');
  const open = own.at(-1) === '*';
  if (open) own.pop();
  if (open ? segments.length < own.length : segments.length !== own.length) return false;
  return own.every((each, index) => each === segments[index] || (isAny(each) && isOne(segments[index])));
}

function isAny(segment: string): boolean {
  return segment === '*' || /^:\w+$/.test(segment);
}

/** Neither the rest of a path nor a part that may be missing. */
function isOne(segment: string | undefined): boolean {
  return segment !== '*' && !segment?.endsWith('?');
}

function originalOf(handler: Handler): Handler {
  const inner = handler[COMPOSED];
  return inner === undefined ? handler : originalOf(inner);
}
