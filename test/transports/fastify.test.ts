import fastify, { type FastifyInstance } from 'fastify';
import { notFound, type PosternPluginOptions, posternPlugin } from 'postern/fastify';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

async function setUp(options: Partial<PosternPluginOptions> = {}) {
  const { postern } = createTestPostern();
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'metrics', access: 'private' });
  const { token } = await postern.tokens.create({ name: 'test', types: { user: { endpoints: '*' } } });
  const app = fastify();
  onTestFinished(() => app.close());
  await app.register(posternPlugin, { postern, ...options });
  return { app, headers: { authorization: `Bearer ${token}` } };
}

const get = (app: FastifyInstance, url: string, headers = {}) => app.inject({ url, headers });
const summarizer = { config: { requirement: { endpoint: 'summarizer' } } } as const;

describe('posternPlugin', () => {
  it('refuses a route that declares nothing, and opens it only when told so', async () => {
    const { app, headers } = await setUp();
    app.get('/', () => 'reached');
    expect((await get(app, '/', headers)).statusCode).toBe(403);
    const open = await setUp({ undeclared: 'allow' });
    open.app.get('/', (request) => String(request.principal));
    open.app.get('/summarizer', summarizer, () => 'reached');
    expect((await get(open.app, '/')).body).toBe('null');
    expect((await get(open.app, '/summarizer')).statusCode).toBe(401);
  });

  it('guards the routes of other plugins, and those that were there before', async () => {
    const { postern } = createTestPostern();
    const app = fastify();
    onTestFinished(() => app.close());
    app.get('/before', () => 'reached');
    app.register(posternPlugin, { postern });
    app.register(async (scope) => {
      scope.get('/inside', () => 'reached');
    });
    expect((await get(app, '/before')).statusCode).toBe(403);
    expect((await get(app, '/inside')).statusCode).toBe(403);
  });

  it('refuses before the body is read', async () => {
    const { app } = await setUp();
    let parsed = false;
    app.addContentTypeParser('application/x-test', (_request, _payload, done) => {
      parsed = true;
      done(null);
    });
    app.post('/', summarizer, () => 'reached');
    const answer = await app.inject({
      method: 'POST',
      url: '/',
      headers: { 'content-type': 'application/x-test' },
      payload: 'x',
    });
    expect(answer.statusCode).toBe(401);
    expect(parsed).toBe(false);
  });

  it('leaves requests that match no route to the instance', async () => {
    const { app } = await setUp();
    expect((await get(app, '/elsewhere')).json()).toMatchObject({ statusCode: 404, error: 'Not Found' });
  });

  it('guards the HEAD route that Fastify adds', async () => {
    const { app, headers } = await setUp();
    app.get('/', summarizer, () => 'reached');
    expect((await app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(401);
    expect((await app.inject({ method: 'HEAD', url: '/', headers })).statusCode).toBe(200);
  });

  it('works the requirement out from the route', async () => {
    const { app, headers } = await setUp();
    app.get('/d/:name', {
      config: { requirement: (request) => ({ endpoint: (request.params as { name: string }).name }) },
      handler: () => 'reached',
    });
    expect((await get(app, '/d/summarizer', headers)).statusCode).toBe(200);
    expect((await get(app, '/d/nowhere', headers)).statusCode).toBe(404);
    expect((await get(app, '/d/..%2fsummarizer', headers)).statusCode).toBe(404);
  });

  it('fails when a route with an impossible requirement is registered', async () => {
    const { app } = await setUp();
    expect(() => app.get('/', { config: { requirement: { scope: 'model:read' } }, handler: () => '' })).toThrow(
      expect.objectContaining({ code: 'scope_unknown' }),
    );
  });

  it.each([
    ['option_unknown', 'undeclare', { undeclare: 'allow' }],
    ['option_invalid', 'undeclared', { undeclared: 'open' }],
    ['option_invalid', 'postern', { postern: {} }],
  ])('fails with %s for %s when it is registered', async (code, path, options) => {
    const app = fastify();
    const { postern } = createTestPostern();
    const registered = app.register(posternPlugin, { postern, ...(options as object) }).ready();
    await expect(registered).rejects.toMatchObject({ code, path });
  });

  it('lets onDenied answer, and sends the standard answer when it does not', async () => {
    const teapot = await setUp({
      onDenied: (denial, _request, reply) => reply.code(418).send({ reason: denial.reason }),
    });
    teapot.app.get('/', summarizer, () => 'reached');
    expect((await get(teapot.app, '/')).json()).toEqual({ reason: 'token_missing' });
    for (const onDenied of [() => {}, () => Promise.reject(new Error('no template')), () => ({ allowed: true })]) {
      const { app } = await setUp({ onDenied });
      app.get('/', summarizer, () => 'reached');
      expect((await get(app, '/')).statusCode).toBe(401);
    }
  });
});

describe('notFound of postern/fastify', () => {
  it('answers what matches no route like an unknown and a private endpoint, to the byte', async () => {
    const { app } = await setUp();
    app.setNotFoundHandler(notFound());
    app.get('/nowhere', { config: { requirement: { endpoint: 'nowhere' } } }, () => 'reached');
    app.get('/metrics', { config: { requirement: { endpoint: 'metrics' } } }, () => 'reached');
    const [elsewhere, nowhere, metrics] = await Promise.all(
      ['/elsewhere', '/nowhere', '/metrics'].map(async (url) => {
        const { statusCode, headers, body } = await get(app, url);
        return { statusCode, headers: { ...headers, date: '' }, body };
      }),
    );
    expect(elsewhere?.statusCode).toBe(404);
    expect(nowhere).toEqual(elsewhere);
    expect(metrics).toEqual(elsewhere);
  });
});
