import fastify, { type FastifyInstance } from 'fastify';
import { scopeAccess } from 'postern';
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
  it('refuses a route without a requirement, unless undeclared routes are allowed', async () => {
    const { app, headers } = await setUp();
    app.get('/', () => 'reached');
    expect((await get(app, '/', headers)).statusCode).toBe(403);
    const open = await setUp({ undeclared: 'allow' });
    open.app.get('/', (request) => String(request.principal));
    open.app.get('/summarizer', summarizer, () => 'reached');
    expect((await get(open.app, '/')).body).toBe('null');
    expect((await get(open.app, '/summarizer')).statusCode).toBe(401);
  });

  it('guards routes of other plugins, and routes registered before it', async () => {
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

  it('denies before the body is read', async () => {
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

  it('leaves unmatched requests to the instance', async () => {
    const { app } = await setUp();
    expect((await get(app, '/elsewhere')).json()).toMatchObject({ statusCode: 404, error: 'Not Found' });
  });

  it('guards the HEAD route that Fastify adds', async () => {
    const { app, headers } = await setUp();
    app.get('/', summarizer, () => 'reached');
    expect((await app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(401);
    expect((await app.inject({ method: 'HEAD', url: '/', headers })).statusCode).toBe(200);
  });

  it('computes the requirement from the route', async () => {
    const { app, headers } = await setUp();
    app.get('/d/:name', {
      config: { requirement: (request) => ({ endpoint: (request.params as { name: string }).name }) },
      handler: () => 'reached',
    });
    expect((await get(app, '/d/summarizer', headers)).statusCode).toBe(200);
    expect((await get(app, '/d/nowhere', headers)).statusCode).toBe(404);
    expect((await get(app, '/d/..%2fsummarizer', headers)).statusCode).toBe(404);
  });

  it('fails at the registration of a route with an impossible requirement', async () => {
    const { app } = await setUp();
    expect(() => app.get('/', { config: { requirement: { scope: 'model:read' } }, handler: () => '' })).toThrow(
      expect.objectContaining({ code: 'scope_unknown' }),
    );
  });

  it.each([
    ['option_unknown', 'undeclare', { undeclare: 'allow' }],
    ['option_invalid', 'undeclared', { undeclared: 'open' }],
    ['option_invalid', 'postern', { postern: {} }],
  ])('fails with %s for %s at registration', async (code, path, options) => {
    const app = fastify();
    const { postern } = createTestPostern();
    const registered = app.register(posternPlugin, { postern, ...(options as object) }).ready();
    await expect(registered).rejects.toMatchObject({ code, path });
  });

  it('answers with onDenied, or with the standard answer if it sends none', async () => {
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

describe('posternPlugin in a child', () => {
  const answers = async (app: FastifyInstance, url: string, token: string) => [
    (await get(app, url)).statusCode,
    (await get(app, url, { authorization: `Bearer ${token}` })).statusCode,
    (await get(app, url, { 'x-api-key': token })).statusCode,
  ];

  it('takes the place of the outer one for the routes of that child, those before it too', async () => {
    const { postern, token } = createTestPostern();
    const text = await token({ scopes: ['models:read'] });
    const config = { requirement: { scope: 'models:read' } } as const;
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.get('/outer', { config }, (request) => String(request.principal?.organization));
    await app.register(async (child) => {
      child.get('/before', { config }, () => '');
      await child.register(posternPlugin, { postern, header: 'x-api-key', realm: 'inner' });
      child.get('/inner', { config }, (request) => String(request.principal?.organization));
      child.get('/undeclared', () => '');
      await child.register(async (grandchild) => {
        grandchild.get('/innermost', { config }, () => '');
      });
    });
    await app.register(async (sibling) => {
      sibling.get('/sibling', { config }, () => '');
    });
    for (const url of ['/outer', '/sibling']) expect(await answers(app, url, text)).toEqual([401, 200, 401]);
    for (const url of ['/before', '/inner', '/innermost'])
      expect(await answers(app, url, text)).toEqual([401, 401, 200]);
    expect(await answers(app, '/undeclared', text)).toEqual([403, 403, 403]);
    expect((await get(app, '/inner', { 'x-api-key': text })).body).toBe('default');
    expect((await get(app, '/inner')).headers['www-authenticate']).toBe('Bearer realm="inner", scope="models:read"');
  });

  it('asks the instance that it was given, and checks requirements against that one alone', async () => {
    const outer = createTestPostern();
    const inner = createTestPostern({ tokenTypes: { clerk: scopeAccess({ orders: { read: [] } }) } });
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern: outer.postern });
    await app.register(async (child) => {
      await child.register(posternPlugin, { postern: inner.postern as never });
      child.get('/orders', { config: { requirement: { scope: 'orders:read' as never } } }, () => '');
    });
    const headers = { authorization: `Bearer ${await inner.token({ scopes: ['orders:read'] })}` };
    expect((await get(app, '/orders', headers)).statusCode).toBe(200);
    expect(
      (await get(app, '/orders', { authorization: `Bearer ${await outer.token({ scopes: ['*'] })}` })).statusCode,
    ).toBe(401);
  });

  it('works in siblings without an outer one, and refuses to guard one instance twice', async () => {
    const { postern } = createTestPostern();
    const app = fastify();
    onTestFinished(() => app.close());
    for (const name of ['a', 'b']) {
      await app.register(async (child) => {
        await child.register(posternPlugin, { postern, realm: name });
        child.get(`/${name}`, { config: { requirement: { authenticated: true } } }, () => '');
      });
    }
    app.get('/open', () => 'not guarded');
    expect((await get(app, '/b')).headers['www-authenticate']).toBe('Bearer realm="b"');
    expect((await get(app, '/open')).body).toBe('not guarded');

    const twice = fastify();
    await twice.register(posternPlugin, { postern });
    await expect(twice.register(posternPlugin, { postern, realm: 'x' })).rejects.toMatchObject({
      code: 'option_invalid',
    });
  });
});

describe('notFound of postern/fastify', () => {
  it('answers an unmatched route with the same bytes as an unknown or private endpoint', async () => {
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
