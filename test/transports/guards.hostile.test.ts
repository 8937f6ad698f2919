import { runInNewContext } from 'node:vm';
import express from 'express';
import fastify from 'fastify';
import { guard, lintRoutes } from 'postern/express';
import { lintRoutes as lintFastify, posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { memoryRateLimiter } from 'postern/limits';
import { createTestPostern } from 'postern/testing';
import { internalNetworks } from 'postern/zones';
import { expect, it, onTestFinished } from 'vitest';
import { polluted } from '../support/polluted.js';
import { send } from './http-client.js';
import { serve } from './support.js';

const types = { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } } as const;
const models = { scope: 'models:read' } as const;
const ForeignPromise = runInNewContext('Promise') as PromiseConstructor;
const handler = (_request: unknown, response: express.Response) => void response.send('reached');

async function setUp(limits = {}) {
  const { postern } = createTestPostern({ rateLimiter: memoryRateLimiter() });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token } = await postern.tokens.create({ name: 'x', types, ...limits });
  return { postern, token, headers: [['Authorization', `Bearer ${token}`]] as const };
}

/** Errors that would have ended the process. */
function crashes(): unknown[] {
  const seen: unknown[] = [];
  const see = (error: unknown) => void seen.push(error);
  const events = ['unhandledRejection', 'uncaughtException'] as const;
  for (const event of events) process.on(event, see);
  onTestFinished(() => {
    for (const event of events) process.off(event, see);
  });
  return seen;
}
const turn = () => new Promise((resolve) => setTimeout(resolve, 30));

it('a quota of 30 days in memory is kept', async () => {
  const { postern, token } = await setUp({ quota: { points: 1, refill: '30d' } });
  expect((await postern.authorize({ token, requirement: models })).allowed).toBe(true);
  await turn();
  expect((await postern.authorize({ token, requirement: models })).allowed).toBe(false);
});

it('an answer that other code began during the decision does not end the process', async () => {
  const seen = crashes();
  const { postern } = await setUp();
  const app = express();
  app.use((_request, response, next) => {
    next();
    response.status(503).end('timeout');
  });
  app.get(
    '/',
    guard(postern, async () => ({ endpoint: 'summarizer' })),
    handler,
  );
  expect((await send(await serve(app), { path: '/' })).status).toBe(503);
  await turn();
  expect(seen).toEqual([]);
});

it.each(['render', 'sendFile'] as const)(
  'an onDenied that uses response.%s does not end the process',
  async (method) => {
    const seen = crashes();
    const { postern } = await setUp();
    const app = express();
    app.set('view', function View(this: object) {
      Object.assign(this, {
        path: 'x',
        render: (_options: object, done: (error: null, text: string) => void) => setTimeout(done, 5, null, 'late'),
      });
    });
    const onDenied = async (_denial: unknown, _request: unknown, response: express.Response) => {
      if (method === 'render') response.render('x');
      else {
        response.sendFile('/nowhere.html');
        await turn();
      }
    };
    app.get('/', guard(postern, { endpoint: 'summarizer' }, { onDenied }), handler);
    expect((await send(await serve(app), { path: '/' })).status).toBe(401);
    await turn();
    expect(seen).toEqual([]);
  },
);

it('a promise of another realm is awaited', async () => {
  const { postern, headers } = await setUp();
  const app = express();
  app.get(
    '/',
    guard(postern, () => ForeignPromise.resolve({ endpoint: 'summarizer' })),
    handler,
  );
  expect((await send(await serve(app), { path: '/', headers })).body).toBe('reached');
});

it('a polluted Object.prototype opens no route of Fastify, and lifts no quota', async () => {
  const { postern, token } = await setUp({ quota: { points: 1, refill: '1d' } });
  const app = fastify();
  onTestFinished(() => app.close());
  await app.register(posternPlugin, { postern });
  app.get('/', () => 'reached');
  await app.ready();
  const open = await polluted({ requirement: { public: true } }, async () => (await app.inject('/')).statusCode);
  const other = fastify();
  onTestFinished(() => other.close());
  await polluted({ undeclared: 'allow' }, async () => void (await other.register(posternPlugin, { postern })));
  other.get('/', () => 'reached');
  const call = fetchGuard(postern, models, () => new Response('reached'));
  const request = () => new Request('http://x/', { headers: { authorization: `Bearer ${token}` } });
  await call(request());
  const again = await polluted({ recheck: true }, async () => (await call(request())).status);
  expect([open, (await other.inject('/')).statusCode, again]).toEqual([403, 403, 429]);
});

it('lintRoutes finds the routes that no guard stands before', () => {
  const { postern } = createTestPostern();
  const guarded = guard(postern, { authenticated: true });
  const app = express();
  app.use('/admin', guarded);
  app.get('/open', handler);
  app.get('/admin/users', handler);
  app.route('/mixed').get(guarded, handler).post(handler);
  app.get('/after', handler, guarded);
  expect(lintRoutes(app).map(({ route }) => route)).toEqual(['GET /open', 'POST /mixed', 'GET /after']);
});

it('a Fastify route from before the plugin with a wrong requirement is denied without scopes, and lintRoutes reports it', async () => {
  const { postern } = await setUp();
  const app = fastify();
  onTestFinished(() => app.close());
  app.get('/', { config: { requirement: { scope: 'models:paint' } as never } }, () => 'reached');
  await app.register(posternPlugin, { postern });
  expect((await app.inject('/')).body).not.toContain('models:read');
  expect(lintFastify(app)).not.toEqual([]);
});

it('an answer of onDenied in Fastify is whole, also with an asynchronous onSend', async () => {
  const { postern } = await setUp();
  const app = fastify();
  onTestFinished(() => app.close());
  app.addHook('onSend', async (_request, _reply, payload) => {
    await turn();
    return payload;
  });
  await app.register(posternPlugin, {
    postern,
    onDenied: (_denial, _request, reply) => {
      reply.code(418).send({ mine: true });
    },
  });
  app.get('/', { config: { requirement: { endpoint: 'summarizer' } } }, () => 'reached');
  const answer = await app.inject('/');
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([418, 'application/json; charset=utf-8']);
});

it('a caller behind two proxies of which the outer one is silent is external', () => {
  const zone = internalNetworks(['10.0.0.0/8'], { trustedProxies: ['10.0.0.1', '10.0.0.2'] });
  expect(zone({ socket: { remoteAddress: '10.0.0.2' }, headers: { 'x-forwarded-for': '10.0.0.1' } })).toBe('external');
});

it('an organization in a class or a hidden property is never ignored', async () => {
  const { postern, token } = await setUp();
  class OfTenant {
    readonly scope = 'models:read';
    get organization() {
      return 'other';
    }
  }
  const hidden = Object.defineProperty({ scope: 'models:read' }, 'organization', { value: 'other' });
  const said = async (requirement: object) =>
    postern.authorize({ token, requirement: requirement as never }).then(
      ({ allowed }) => allowed,
      (error) => error.code,
    );
  expect(await said(new OfTenant())).toBe('requirement_invalid');
  expect(await said(hidden)).toBe(false);
});

it('an organization of undefined in the options keeps an endpoint in its organization', async () => {
  const { postern } = await setUp();
  const made = await postern.endpoints.create(
    { id: 'a', access: 'public', organization: 'acme' },
    { organization: undefined },
  );
  expect(made.organization).toBe('acme');
});

it('a handler behind a limited token may switch protocols or answer with an error', async () => {
  const { postern, token } = await setUp({ quota: { points: 9, refill: '1d' } });
  const call = fetchGuard(postern, models, () => Response.error());
  const request = new Request('http://x/', { headers: { authorization: `Bearer ${token}` } });
  expect((await call(request)).type).toBe('error');
});

it('a rejection of another realm in onEvent is handled', async () => {
  const seen = crashes();
  const { postern } = createTestPostern({
    onEvent: () => ForeignPromise.reject(new Error('listener')),
  });
  await postern.authorize({ requirement: { public: true } });
  await turn();
  expect(seen).toEqual([]);
});
