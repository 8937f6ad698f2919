import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { requestId } from 'hono/request-id';
import { memoryRateLimiter } from 'postern';
import { guard as fetchGuard } from 'postern/fetch';
import { type GuardEnv, guard, lintRoutes, notFound, refuseUndeclared } from 'postern/hono';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { thrown } from '../support/outcomes.js';

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe('guard of postern/hono', () => {
  it('works the requirement out from the route', async () => {
    const { postern, token } = createTestPostern();
    const app = new Hono();
    app.use(
      '/d/:name/*',
      guard(postern, (c) => ({ endpoint: c.req.param('name') })),
    );
    app.get('/d/:name', (c) => c.text(c.get('principal')?.owner ?? 'nobody'));
    const good = bearer(await token({ endpoints: ['summarizer'], owner: 'ada' }));
    expect(await (await app.request('/d/summarizer', good)).text()).toBe('ada');
    for (const path of ['/d/nowhere', '/d/Summarizer', '/d/..%2fsummarizer', '/d/summarizer%00', '/d/constructor']) {
      expect((await app.request(path, good)).status).toBe(404);
    }
    expect((await app.request('/d/summarizer')).status).toBe(401);
  });

  it('keeps the headers that were set before it, those of CORS and the id of the request', async () => {
    const { postern } = createTestPostern();
    const app = new Hono();
    app.use(cors(), requestId(), guard(postern, { authenticated: true }));
    const answer = await app.request('/', { headers: { origin: 'https://a.example', 'x-request-id': 'r1' } });
    expect(answer.status).toBe(401);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'x-request-id': 'r1',
      'content-type': 'application/problem+json',
    });
    // A preflight comes without a credential; cors answers it.
    const preflight = {
      method: 'OPTIONS',
      headers: { 'access-control-request-method': 'POST', origin: 'https://a.example' },
    };
    expect((await app.request('/', preflight)).status).toBe(204);
  });

  it('counts a request once, however many guards it passes, and tells what is left', async () => {
    const { postern, token } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const app = new Hono();
    const inner = fetchGuard(postern, { authenticated: true }, () => new Response('reached'));
    app.use(guard(postern, { authenticated: true }));
    // It puts another request in the place of one whose length is not known.
    app.use(bodyLimit({ maxSize: 100 }));
    app.post('/', guard(postern, { scope: 'models:read' }), (c) => c.text('reached'));
    app.get('/', (c) => inner(c.req.raw));
    const limited = bearer(await token({ scopes: ['models:read'], rateLimit: { points: 3, duration: '1m' } }));
    const stream = new ReadableStream({ start: (controller) => controller.close() });
    const first = await app.request('/', { ...limited, method: 'POST', body: stream, duplex: 'half' } as RequestInit);
    expect([first.status, first.headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/;r=2;/)]);
    expect((await app.request('/', limited)).headers.get('ratelimit')).toMatch(/;r=1;/);
    expect((await app.request('/', limited)).headers.get('ratelimit')).toMatch(/;r=0;/);
    expect((await app.request('/', limited)).status).toBe(429);
  });

  it('lets onDenied answer, and sends the standard answer where it does not', async () => {
    const { postern } = createTestPostern();
    const answerWith = (onDenied: NonNullable<Parameters<typeof guard>[2]>['onDenied']) => {
      const app = new Hono().use(guard(postern, { authenticated: true }, { onDenied }));
      return app.get('/', (c) => c.text('reached')).request('/');
    };
    expect((await answerWith((denial, c) => c.json({ reason: denial.reason }, 418))).status).toBe(418);
    expect((await answerWith(() => undefined)).status).toBe(401);
    expect((await answerWith(() => Promise.reject(new Error('no template')))).status).toBe(401);
  });

  it('knows the types of the instance', async () => {
    const { postern } = createTestPostern();
    new Hono().get('/', guard(postern, { scope: 'models:read' }), (c) => {
      const scopes: readonly string[] | undefined = c.get('principal')?.types.developer?.scopes;
      // @ts-expect-error There is no token type 'robot'.
      return c.json([scopes, c.get('principal')?.types.robot]);
    });
    new Hono<GuardEnv>().get('/', (c) => c.text(c.get('principal')?.owner ?? ''));
    // An application with a principal of its own.
    new Hono<{ Variables: { principal: string } }>().use(guard(postern, { public: true }));
    // @ts-expect-error There is no resource 'model'.
    expect(thrown(() => guard(postern, { scope: 'model:read' }))).toMatchObject({ code: 'scope_unknown' });
    // @ts-expect-error No such option.
    expect(thrown(() => guard(postern, { public: true }, { relm: 'x' }))).toMatchObject({ code: 'option_unknown' });
  });
});

describe('refuseUndeclared of postern/hono', () => {
  const { postern } = createTestPostern();
  const open = guard(postern, { public: true });

  it('refuses a route without a guard before it, in an application that is mounted too', async () => {
    const inner = new Hono().get('/open', open, (c) => c.text('inner')).get('/closed', (c) => c.text('inner'));
    // With an error handler of its own Hono wraps its handlers.
    inner.onError((_error, c) => c.text('failed', 500));
    const app = new Hono();
    app.use(refuseUndeclared(), async (_c, next) => next());
    app.get('/open', open, (c) => c.text('reached'));
    app.get('/closed', (c) => c.text('reached'));
    app.get('/late', (c) => c.text('reached'), open);
    app.post('/next', async (c, _next) => c.text('reached'));
    app.route('/inner', inner);
    const status = async (path: string, method = 'GET') => (await app.request(path, { method })).status;
    expect([await status('/open'), await status('/inner/open'), await status('/nowhere')]).toEqual([200, 200, 404]);
    for (const path of ['/closed', '/late', '/inner/closed']) expect(await status(path)).toBe(403);
    expect(await status('/closed', 'HEAD')).toBe(403);
    expect(await status('/next', 'POST')).toBe(403);
  });
});

describe('lintRoutes of postern/hono', () => {
  const { postern } = createTestPostern();
  const read = guard(postern, { scope: 'models:read' });
  const handler = () => new Response();
  const short = (app: Parameters<typeof lintRoutes>[0]) =>
    lintRoutes(app).map(({ route, problem }) => `${route}: ${problem}`);

  it('lists the routes without a guard, and those whose scope forgets the tenant', () => {
    const app = new Hono();
    app.get('/open', handler);
    app.get('/guarded', read, handler);
    app.get('/orgs/:org/models', read, handler);
    app.use('/admin/*', guard(postern, { scope: 'iam:write' }));
    app.get('/admin', handler).get('/admin/x/y', handler).get('/administrators', handler);
    app.use('/by/:id', read);
    app.get('/by/1', handler).get('/by/:id/more', handler).get('/by/*', handler);
    app.post('/inline', async (_c, next) => next(), handler);
    app.post('/next', read, (_c, _next) => Promise.resolve(new Response()));
    app.route('/sub', new Hono().get('/a', read, handler).get('/b', handler));
    expect(short(app)).toEqual([
      'GET /open: requirement_missing',
      'GET /orgs/:org/models: organization_missing',
      'GET /administrators: requirement_missing',
      'GET /by/:id/more: requirement_missing',
      'GET /by/*: requirement_missing',
      'POST /inline: requirement_missing',
      'GET /sub/b: requirement_missing',
    ]);
  });

  it('finds nothing where a guard stands before everything, and refuses another thing than an application', () => {
    expect(short(new Hono().use(read).get('/', handler))).toEqual([]);
    expect(thrown(() => lintRoutes({} as never))).toMatchObject({ code: 'input_invalid', path: 'app' });
  });
});

it('notFound of postern/hono answers like an unknown endpoint, to the byte', async () => {
  const { postern } = createTestPostern();
  const app = new Hono().get('/nowhere', guard(postern, { endpoint: 'nowhere' }));
  app.notFound(notFound());
  const [unknown, elsewhere] = await Promise.all(
    ['/nowhere', '/elsewhere'].map(async (path) => {
      const answer = await app.request(path);
      return [answer.status, Object.fromEntries(answer.headers), await answer.text()];
    }),
  );
  expect(unknown).toEqual(elsewhere);
});
