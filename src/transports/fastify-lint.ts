import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PosternError } from '../domain/errors.js';
import type { RequirementFor } from './ask.js';
import { type Finding, findingsOf } from './lint.js';

/** The property of an instance that holds the findings of its routes. All copies of this package share it. */
const FINDINGS = Symbol.for('postern.findings');

/** The text of `printRoutes()` if there are no routes. */
const EMPTY = '(empty tree)';

const EARLIER: Finding = {
  route: '*',
  problem: 'requirement_missing',
  advice:
    'Routes were declared before posternPlugin was loaded. They are guarded, but lintRoutes can not see them: await app.register(posternPlugin, …) first.',
};

/**
 * Collects the findings of each route that is declared from here on.
 *
 * @throws PosternError `option_invalid` if the instance is guarded already
 */
export function collectFindings(app: FastifyInstance): void {
  if (FINDINGS in app) {
    throw new PosternError(
      'option_invalid',
      'guards this instance already: register it once, on the outermost instance whose routes it guards',
      { path: 'posternPlugin', input: 'register' },
    );
  }
  const findings: Finding[] = app.printRoutes().trim() === EMPTY ? [] : [EARLIER];
  app.decorate(FINDINGS, findings);
  app.addHook('onRoute', ({ method, url, config }) => {
    findings.push(...findingsOf(`${[method].flat().join(',')} ${url}`, declared(config)));
  });
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
  const findings = (app as { [FINDINGS]?: readonly Finding[] })[FINDINGS];
  if (findings !== undefined) return [...findings];
  throw new PosternError(
    'guard_missing',
    'posternPlugin is not registered on this instance: await app.register(posternPlugin, …) first',
  );
}
