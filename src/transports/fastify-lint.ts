import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PosternError } from '../domain/errors.js';
import type { RequirementFor } from './ask.js';
import { type Finding, findingsOf } from './lint.js';

/** The property of an instance that holds its guard: the same one for every copy of this package. */
const GUARD = Symbol.for('postern.fastify.guard');

/** What the guard of an instance knows of its routes. */
export interface GuardedRoutes {
  /** Whether routes were declared before the guard was there. */
  readonly earlier: boolean;
  readonly routes: GuardedRoute[];
}

interface GuardedRoute {
  readonly name: string;
  /** Hooks that come later may still change them. */
  readonly options: { readonly config?: object };
  readonly server: object;
}

/** What `printRoutes()` says where there are none, or none but the one with which `@fastify/cors` takes preflights. */
const NONE = /^(?:\(empty tree\)|└── \* \(OPTIONS\))$/;

const EARLIER: Finding = {
  route: '*',
  problem: 'requirement_missing',
  advice:
    'Routes were declared before posternPlugin was loaded. They are guarded, but lintRoutes can not see them: await app.register(posternPlugin, …) first.',
};

/**
 * Makes an instance a guarded one, and notes each route that is declared from here on. The children of the instance are guarded
 * with it, but for those that become guarded by themselves.
 *
 * @throws PosternError `option_invalid` if the instance is guarded already
 */
export function guardRoutes(app: FastifyInstance): GuardedRoutes {
  if (Object.hasOwn(app, GUARD)) {
    throw new PosternError(
      'option_invalid',
      'guards this instance already: register it once, or again in a child that needs other options',
      { path: 'posternPlugin', input: 'register' },
    );
  }
  const earlier = !isGuarded(app) && !NONE.test(app.printRoutes({ commonPrefix: false }).trim());
  const guarded: GuardedRoutes = { earlier, routes: [] };
  app.decorate(GUARD, guarded);
  app.addHook('onRoute', function (options) {
    const name = `${[options.method].flat().join(',')} ${options.url}`;
    guarded.routes.push({ name, options, server: this });
  });
  return guarded;
}

/** Whether an instance, or one that it is a child of, is guarded. */
export function isGuarded(app: object): boolean {
  return GUARD in app;
}

/** Whether this guard is the innermost one of an instance: the others leave its routes to it. */
export function isGuardOf(guarded: GuardedRoutes, server: object): boolean {
  return (server as { [GUARD]?: GuardedRoutes })[GUARD] === guarded;
}

/** The requirement that a route declares as an own property: a polluted `Object.prototype` opens nothing. */
export function declared(config: object | undefined): RequirementFor<FastifyRequest> | undefined {
  return config !== undefined && Object.hasOwn(config, 'requirement')
    ? (config as { requirement?: RequirementFor<FastifyRequest> }).requirement
    : undefined;
}

/**
 * Lists the routes that declare no requirement, and the routes that name a tenant while their scope names no organization.
 * For tests, after `ready()`:
 *
 * @example
 * expect(lintRoutes(app)).toEqual([]);
 * @throws PosternError `guard_missing` if `posternPlugin` is not registered
 */
export function lintRoutes(app: FastifyInstance): readonly Finding[] {
  const guarded = (app as { [GUARD]?: GuardedRoutes })[GUARD];
  if (guarded !== undefined) {
    const findings = guarded.routes.flatMap(({ name, options }) => findingsOf(name, declared(options.config)));
    return guarded.earlier ? [EARLIER, ...findings] : findings;
  }
  throw new PosternError(
    'guard_missing',
    'posternPlugin is not registered on this instance: await app.register(posternPlugin, …) first',
  );
}
