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

/** The handlers of controllers and gateways, with what they declare. */
export function handlersOf(modules: ModulesContainer): { readonly route: string; readonly requirement: unknown }[] {
  const owners = new Set<Class>();
  for (const { controllers, providers } of modules.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (typeof metatype === 'function' && metatype.prototype !== undefined) owners.add(metatype as Class);
    }
  }
  return [...owners].flatMap((owner) =>
    [...methodsOf(owner).values()].flatMap((handler) => {
      const route = routeOf(handler, owner);
      return route === null ? [] : [{ route, requirement: requirementOf(handler, owner) }];
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
  return String(path).replace(/^\/+|\/+$/g, '');
}

/** Nest brings `reflect-metadata`, which adds to `Reflect`. */
function metadata(key: string, target: object): unknown {
  return (Reflect as unknown as { getMetadata(key: string, target: object): unknown }).getMetadata(key, target);
}
