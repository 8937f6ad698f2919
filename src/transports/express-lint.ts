import { PosternError } from '../domain/errors.js';
import { type Finding, findingsBehind, isGuard } from './lint.js';

/** The part of a layer of Express's router (4 and 5) that is read here. */
interface Layer {
  readonly handle?: unknown;
  readonly name?: string;
  readonly method?: string;
  readonly slash?: boolean;
  readonly rawPath?: unknown;
  readonly regexp?: { readonly source: string; readonly fast_slash?: boolean };
  readonly route?: {
    readonly path?: unknown;
    readonly methods?: Readonly<Record<string, boolean>>;
    readonly stack?: readonly Layer[];
  };
}

/**
 * Lists the routes of an application or router that have no guard: none of their own, and none from an earlier `use`. It also
 * lists routes that name a tenant while their scope names no organization. Lint a mounted application by itself. For tests:
 *
 * @example
 * expect(lintRoutes(app)).toEqual([]);
 * @throws PosternError `input_invalid` if `app` is neither an application nor a router
 */
export function lintRoutes(app: unknown): readonly Finding[] {
  const stack = routerStackOf(app);
  if (stack !== null) return lintStack(stack, []);
  throw new PosternError('input_invalid', 'give an application or a router of Express', {
    path: 'app',
    input: 'lintRoutes of postern/express',
  });
}

function routerStackOf(app: unknown): readonly Layer[] | null {
  if (app === null || (typeof app !== 'object' && typeof app !== 'function')) return null;
  const own = stackOf(app);
  if (own !== null) return own;
  // Express 4 keeps its router in `_router`, from the first route on. Its `router` throws.
  if ('lazyrouter' in app) return '_router' in app ? stackOf(app._router) : [];
  return 'router' in app ? stackOf(app.router) : null;
}

interface Mounted {
  readonly guard: object;
  readonly at: unknown;
}

function lintStack(stack: readonly Layer[], inherited: readonly object[]): Finding[] {
  const findings: Finding[] = [];
  const mounted: Mounted[] = [];
  for (const layer of stack) {
    const guards = [...inherited, ...mounted.filter(({ at }) => covers(at, layer)).map(({ guard }) => guard)];
    if (layer.route !== undefined) findings.push(...lintRoute(layer.route, guards));
    else if (isGuard(layer.handle)) mounted.push({ guard: layer.handle, at: mountOf(layer) });
    else findings.push(...lintStack(stackOf(layer.handle) ?? [], guards));
  }
  return findings;
}

const EVERYWHERE = Symbol('everywhere');

/** The mount path of a layer: Express 5 keeps it in `rawPath`, Express 4 keeps only its regular expression. */
function mountOf({ slash, rawPath, regexp }: Layer): unknown {
  return slash === true || regexp?.fast_slash === true ? EVERYWHERE : (rawPath ?? regexp?.source);
}

/** Whether a guard mounted at `at` covers a later layer. If in doubt it does not: one finding too many does no harm. */
function covers(at: unknown, layer: Layer): boolean {
  if (at === EVERYWHERE) return true;
  if (at === undefined) return false;
  const path = layer.route?.path;
  if (typeof path === 'string' && typeof at === 'string' && `${path}/`.startsWith(`${at}/`)) return true;
  return mountOf(layer) === at;
}

/** Looks at each method: `app.route('/x').get(guard, …).post(…)` leaves POST open. A guard in last place guards nothing. */
function lintRoute(route: NonNullable<Layer['route']>, inherited: readonly object[]): Finding[] {
  return Object.keys(route.methods ?? {}).flatMap((method) => {
    const handlers = (route.stack ?? []).filter((each) => each.method === undefined || each.method === method);
    const guards = [
      ...inherited,
      ...handlers
        .slice(0, -1)
        .map(({ handle }) => handle)
        .filter(isGuard),
    ];
    const name = `${method === '_all' ? 'ALL' : method.toUpperCase()} ${String(route.path)}`;
    return findingsBehind(name, guards);
  });
}

function stackOf(router: unknown): readonly Layer[] | null {
  const stack = (router as { stack?: unknown } | null | undefined)?.stack;
  return Array.isArray(stack) ? stack : null;
}
