import cors from '@fastify/cors';
import express from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import { guard, lintRoutes } from 'postern/express';
import { lintRoutes as lintFastify, posternPlugin } from 'postern/fastify';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';

const { postern } = createTestPostern();
const handler = (_request: unknown, response: { end(): void }) => response.end();
const short = (findings: readonly { route: string; problem: string }[]) =>
  findings.map(({ route, problem }) => `${route}: ${problem}`);

describe.each([
  ['Express 5', express],
  ['Express 4', express4 as typeof express],
])('lintRoutes of %s', (_, make) => {
  it('lists the routes without a guard, and those whose scope ignores the tenant', () => {
    const app = make();
    app.get('/open', handler);
    app.get('/guarded', guard(postern, { scope: 'models:read' }), handler);
    app.get('/orgs/:org/models', guard(postern, { scope: 'models:read' }), handler);
    app.get(
      '/orgs/:org/bentos',
      guard(postern, (request) => ({ scope: 'bentos:read', organization: request.params.org })),
      handler,
    );
    const admin = make.Router();
    admin.post('/before', handler);
    admin.use(guard(postern, { scope: 'iam:write' }));
    admin.post('/after', handler);
    app.use('/admin', admin);
    expect(short(lintRoutes(app))).toEqual([
      'GET /open: requirement_missing',
      'GET /orgs/:org/models: organization_missing',
      'POST /before: requirement_missing',
    ]);
  });

  it('lists nothing if a guard stands before everything', () => {
    const app = make();
    app.use(guard(postern, { authenticated: true }));
    app.get('/', handler);
    expect(lintRoutes(app)).toEqual([]);
    expect(lintRoutes(make())).toEqual([]);
    expect(lintRoutes(make.Router())).toEqual([]);
  });
});

it.each([[fastify()], [{}], [null], ['app']])(
  'lintRoutes refuses a value that is not an Express application',
  (app) => {
    expect(thrown(() => lintRoutes(app))).toMatchObject({ code: 'input_invalid', path: 'app' });
  },
);

describe('lintRoutes of Fastify', () => {
  it('lists the routes without a requirement, and those whose scope ignores the tenant', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    await app.register(posternPlugin, { postern });
    app.get('/open', () => '');
    app.get('/healthz', { config: { requirement: { public: true } } }, () => '');
    app.post('/tenants/:tenantId/models', { config: { requirement: { scope: 'models:write' } } }, () => '');
    await app.ready();
    expect(short(lintFastify(app))).toEqual([
      'GET /open: requirement_missing',
      'POST /tenants/:tenantId/models: organization_missing',
    ]);
    await app.close();
  });

  it('refuses an application without the plugin, whose routes are unknown', () => {
    expect(thrown(() => lintFastify(fastify())).code).toBe('guard_missing');
  });

  it('lists the routes of an inner plugin, also when called there', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    await app.register(posternPlugin, { postern });
    await app.register(async (inner) => {
      inner.get('/inner', () => '');
      expect(short(lintFastify(inner))).toEqual(['GET /inner: requirement_missing']);
    });
    expect(lintFastify(app)).toHaveLength(1);
    await app.close();
  });

  it('sees what hooks that come later declare, and judges it when the application is ready', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    await app.register(posternPlugin, { postern });
    app.addHook('onRoute', (route) => {
      if (route.url.startsWith('/models')) route.config = { ...route.config, requirement: { scope: 'models:read' } };
    });
    app.get('/models', () => '');
    app.get('/open', () => '');
    await app.ready();
    expect(short(lintFastify(app))).toEqual(['GET /open: requirement_missing']);
    expect((await app.inject('/models')).statusCode).toBe(401);
    await app.close();

    const wrong = fastify();
    await wrong.register(posternPlugin, { postern });
    wrong.addHook('onRoute', (route) => {
      route.config = { requirement: { scope: 'model:read' } };
    });
    wrong.get('/', () => '');
    await expect(wrong.ready()).rejects.toMatchObject({ code: 'scope_unknown' });
  });

  it('does not blame CORS for being first, as it has to be', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    await app.register(cors);
    await app.register(posternPlugin, { postern });
    app.get('/', { config: { requirement: { authenticated: true } } }, () => '');
    await app.ready();
    expect(lintFastify(app)).toEqual([]);
    const origin = { origin: 'https://a.example' };
    const preflight = { ...origin, 'access-control-request-method': 'GET' };
    expect((await app.inject({ method: 'OPTIONS', url: '/', headers: preflight })).statusCode).toBe(204);
    expect((await app.inject({ url: '/', headers: origin })).headers).toMatchObject({
      'access-control-allow-origin': '*',
    });
    await app.close();
  });

  it('blames another route for being first', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    await app.register(cors);
    app.get('/', () => '');
    await app.register(posternPlugin, { postern });
    expect(short(lintFastify(app))).toEqual(['*: requirement_missing']);
    await app.close();
  });
});
