import { type Finding, findingsOf } from './lint.js';

/** Guards, with what they require: `null` where that depends on the request. */
const GUARDS = new WeakMap<object, { readonly requirement: unknown }>();

/** Notes that a middleware is a guard. */
export function markGuard(middleware: object, requirement: unknown): void {
  GUARDS.set(middleware, { requirement });
}

/** What is read of a layer of Express's router, 4 and 5. */
interface Layer {
  readonly handle?: unknown;
  readonly name?: string;
  readonly route?: {
    readonly path?: unknown;
    readonly methods?: Readonly<Record<string, boolean>>;
    readonly stack?: readonly Layer[];
  };
}

/**
 * Every route of an application, or of a router, that has no guard in front of it, neither its own nor one that its router
 * was given with `use` before, and every route that names a tenant where its scope does not. An application that is mounted
 * in another one is looked at by itself. For a test of the application:
 *
 * @example
 * expect(lint(app)).toEqual([]);
 */
export function lint(application: unknown): readonly Finding[] {
  const app = application as { router?: unknown; _router?: unknown; lazyrouter?: unknown; stack?: unknown };
  // Express 4 has its router in `_router`, made with the first route, and throws at `router`.
  const router = stackOf(app) ? app : 'lazyrouter' in app ? app._router : app.router;
  return lintStack(stackOf(router) ?? [], []);
}

function lintStack(stack: readonly Layer[], inherited: readonly object[]): Finding[] {
  const findings: Finding[] = [];
  const guards = [...inherited];
  for (const layer of stack) {
    if (layer.route !== undefined) {
      findings.push(...lintRoute(layer.route, guards));
    } else if (isGuard(layer.handle)) {
      guards.push(layer.handle);
    } else {
      const nested = stackOf(layer.handle);
      if (nested) findings.push(...lintStack(nested, guards));
    }
  }
  return findings;
}

function lintRoute(route: NonNullable<Layer['route']>, inherited: readonly object[]): Finding[] {
  const handlers = (route.stack ?? []).map(({ handle }) => handle);
  const guards = [...inherited, ...handlers.filter(isGuard)];
  const methods = Object.keys(route.methods ?? {}).map((method) => method.toUpperCase());
  const name = `${methods.join(',') || 'ALL'} ${String(route.path)}`;
  if (guards.length === 0) return findingsOf(name, undefined);
  return guards.flatMap((guard) => findingsOf(name, GUARDS.get(guard)?.requirement));
}

function isGuard(handle: unknown): handle is object {
  return typeof handle === 'function' && GUARDS.has(handle);
}

function stackOf(router: unknown): readonly Layer[] | null {
  const stack = (router as { stack?: unknown } | null | undefined)?.stack;
  return Array.isArray(stack) ? stack : null;
}
