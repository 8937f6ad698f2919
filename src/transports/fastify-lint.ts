import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PosternError } from '../domain/errors.js';
import type { RequirementFor } from './ask.js';
import { type Finding, findingsOf } from './lint.js';

/** The property of an instance that holds the findings of its routes: the same one for every copy of this package. */
const FINDINGS = Symbol.for('postern.findings');

/** What `printRoutes()` says where there are none. */
const EMPTY = '(empty tree)';

const EARLIER: Finding = {
  route: '*',
  problem: 'requirement_missing',
  advice:
    'Routes were declared before posternPlugin was loaded. They are guarded, and not looked at here: await app.register(posternPlugin, …) first.',
};

/**
 * Notes what there is to say of each route that is declared from here on.
 *
 * @throws PosternError `option_invalid` where an instance is guarded twice
 */
export function collectFindings(app: FastifyInstance): void {
  if (FINDINGS in app) {
    throw new PosternError(
      'option_invalid',
      'guards this instance already: register it once, on the outermost one whose routes it is to guard',
      { path: 'posternPlugin', input: 'register' },
    );
  }
  const findings: Finding[] = app.printRoutes().trim() === EMPTY ? [] : [EARLIER];
  app.decorate(FINDINGS, findings);
  app.addHook('onRoute', ({ method, url, config }) => {
    findings.push(...findingsOf(`${[method].flat().join(',')} ${url}`, declared(config)));
  });
}

/** What a route declares, by its own property: one that `Object.prototype` was given opens nothing. */
export function declared(config: object | undefined): RequirementFor<FastifyRequest> | undefined {
  return config !== undefined && Object.hasOwn(config, 'requirement')
    ? (config as { requirement?: RequirementFor<FastifyRequest> }).requirement
    : undefined;
}

/**
 * Every route that declares no requirement, and every route that names a tenant where its scope does not. For a test of the
 * application, after `ready()`:
 *
 * @example
 * expect(lintRoutes(app)).toEqual([]);
 * @throws PosternError `guard_missing` where `posternPlugin` is not registered
 */
export function lintRoutes(app: FastifyInstance): readonly Finding[] {
  const findings = (app as { [FINDINGS]?: readonly Finding[] })[FINDINGS];
  if (findings !== undefined) return [...findings];
  throw new PosternError(
    'guard_missing',
    'posternPlugin is not registered on this instance: await app.register(posternPlugin, …) first',
  );
}
