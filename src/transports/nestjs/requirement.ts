import { RequestMethod } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { type Finding, findingsOf } from '../lint.js';

/** The key of the metadata that `@Requires` writes: the same for every copy of this package. */
export const REQUIREMENT = 'postern:requirement';

/** The metadata of Nest's own decorators that make a method a handler. */
const PATH = 'path';
const METHOD = 'method';
const PATTERN = 'microservices:pattern';
const MESSAGE = 'message';
const SSE = '__sse__';

// biome-ignore lint/complexity/noBannedTypes: Nest's own word for a handler
type Handler = Function;
type Class = abstract new (...args: never[]) => unknown;

/** What a handler declares, or its class does. */
export function requirementOf(handler: Handler, owner: Class): unknown {
  return metadata(REQUIREMENT, handler) ?? metadata(REQUIREMENT, owner);
}

/**
 * Every handler of an application that declares no requirement, and every route that names a tenant where its scope does not.
 * For a test of the application:
 *
 * @example
 * expect(lintRoutes(app)).toEqual([]);
 */
export function lintRoutes(app: { get(token: typeof ModulesContainer): ModulesContainer }): readonly Finding[] {
  return handlersOf(app.get(ModulesContainer)).flatMap(({ route, requirement }) => findingsOf(route, requirement));
}

interface HandlerInfo {
  readonly owner: Class;
  readonly handler: Handler;
  readonly route: string;
  readonly requirement: unknown;
  /** Of a microservice or a gateway, not of HTTP. */
  readonly message: boolean;
  /** Whether it may answer with a stream that outlives its decision: server-sent events, and microservices. */
  readonly streams: boolean;
}

/** The handlers of controllers and gateways, with what they declare. */
export function handlersOf(modules: ModulesContainer): HandlerInfo[] {
  const owners = new Set<Class>();
  for (const { controllers, providers } of modules.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (typeof metatype === 'function' && metatype.prototype !== undefined) owners.add(metatype as Class);
    }
  }
  return [...owners].flatMap((owner) =>
    [...methodsOf(owner).values()].flatMap((handler) => {
      const route = routeOf(handler, owner);
      if (route === null) return [];
      const message = metadata(PATH, handler) === undefined;
      const streams = (message ? metadata(PATTERN, handler) : metadata(SSE, handler)) !== undefined;
      return [{ owner, handler, route, requirement: requirementOf(handler, owner), message, streams }];
    }),
  );
}

/** Those that a class inherits too. */
function methodsOf(owner: Class): Map<string, Handler> {
  const methods = new Map<string, Handler>();
  for (
    let prototype = owner.prototype;
    prototype && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (typeof value === 'function' && name !== 'constructor' && !methods.has(name)) methods.set(name, value);
    }
  }
  return methods;
}

/** The name of a handler's route; `null` for what is no handler. */
function routeOf(handler: Handler, owner: Class): string | null {
  const path = metadata(PATH, handler);
  if (path !== undefined) {
    const method = RequestMethod[metadata(METHOD, handler) as number] ?? 'ALL';
    const segments = [metadata(PATH, owner) ?? '', path].flat().map(trimmed).filter(Boolean);
    return `${method} /${segments.join('/')}`;
  }
  const pattern = metadata(PATTERN, handler) ?? metadata(MESSAGE, handler);
  return pattern === undefined ? null : `${owner.name}.${handler.name}`;
}

function trimmed(path: unknown): string {
  return String(path).replace(/^\/+|(?<!\/)\/+$/g, '');
}

/** Where Nest keeps the guards and the exception filters of a class, and the interceptors of a handler. */
const GUARDS = '__guards__';
const FILTERS = '__exceptionFilters__';
const INTERCEPTORS = '__interceptors__';

/**
 * Puts a guard and an exception filter on a class, in place of those of their kind that it had. An application's own don't reach
 * gateways (before Nest 12), nor the microservices of a hybrid application.
 */
export function putOn(owner: Class, guard: object, filter: object): void {
  defineMetadata(GUARDS, [guard, ...others(GUARDS, owner, guard)], owner);
  defineMetadata(FILTERS, [...others(FILTERS, owner, filter), filter], owner);
}

/** Puts an interceptor around the application's own on a handler, in place of one of its kind. */
export function putAround(handler: Handler, interceptor: object): void {
  defineMetadata(INTERCEPTORS, [interceptor, ...others(INTERCEPTORS, handler, interceptor)], handler);
}

/** What stands under a key and is not of this kind. */
function others(key: string, target: object, own: object): object[] {
  return ((metadata(key, target) ?? []) as object[]).filter((each) => each.constructor !== own.constructor);
}

/** Nest brings `reflect-metadata`, which adds to `Reflect`. */
interface Metadata {
  getMetadata(key: string, target: object): unknown;
  defineMetadata(key: string, value: unknown, target: object): void;
}

function metadata(key: string, target: object): unknown {
  return (Reflect as unknown as Metadata).getMetadata(key, target);
}

function defineMetadata(key: string, value: unknown, target: object): void {
  (Reflect as unknown as Metadata).defineMetadata(key, value, target);
}
