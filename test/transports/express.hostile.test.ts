import { request as httpRequest } from 'node:http';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import { guard } from 'postern/express';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { send } from './http-client.js';
import { serve } from './support.js';

async function setUp() {
  const { postern } = createTestPostern({ organization: 'acme' });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'status', access: 'public' });
  const types = { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } } as const;
  const { token } = await postern.tokens.create({ name: 'test', types });
  return { postern, headers: [['Authorization', `Bearer ${token}`]] as const };
}

describe.each([
  ['Express 5', express5],
  ['Express 4', express4 as typeof express5],
])('a guard of %s', (_, express) => {
  it('is not passed by another method, spelling or case of its route', async () => {
    const { postern } = await setUp();
    const app = express();
    let reached = 0;
    app.all('/summarize', guard(postern, { endpoint: 'summarizer' }), (_request, response) => {
      reached++;
      response.end();
    });
    const port = await serve(app);
    for (const path of ['/summarize', '/summarize/', '/SUMMARIZE', '/summarize?x', '/summarize/?x']) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
        expect([path, method, (await send(port, { path, method })).status]).toEqual([path, method, 401]);
      }
    }
    for (const path of [
      '//summarize',
      '/%73ummarize',
      '/summarize;x',
      '/./summarize',
      '/summarize%2f',
      '/summarize%00',
    ]) {
      expect((await send(port, { path })).status).toBe(404);
    }
    expect(reached).toBe(0);
  });

  it("makes a call with a missing tenant parameter a fault, not a call in the caller's own organization", async () => {
    const { postern, headers } = await setUp();
    const app = express();
    for (const [path, mergeParams] of [
      ['/merged', true],
      ['/lost', false],
    ] as const) {
      const router = express.Router({ mergeParams });
      router.get(
        '/models',
        guard(postern, (request) => ({ scope: 'models:read', organization: request.params.org })),
        (_request, response) => {
          response.send('reached');
        },
      );
      app.use(`${path}/:org`, router);
    }
    const port = await serve(app);
    const status = async (path: string) => (await send(port, { path, headers })).status;
    expect(await status('/merged/acme/models')).toBe(200);
    for (const org of ['other', 'Acme', 'acme%20', 'acme%00', 'ａcme', '%2a', '__proto__']) {
      expect([org, await status(`/merged/${encodeURI(decodeURIComponent(org))}/models`)]).toEqual([org, 403]);
    }
    expect(await status('/lost/acme/models')).toBe(500);
  });

  it('works with app.param, a regular expression and a mounted application', async () => {
    const { postern, headers } = await setUp();
    const app = express();
    app.param('name', (request, _response, next, value) => {
      request.params.name = value === 'alias' ? 'summarizer' : value;
      next();
    });
    app.get(
      '/p/:name',
      guard(postern, (request) => ({ endpoint: request.params.name })),
      (_request, response) => {
        response.send('reached');
      },
    );
    app.get(
      /^\/r\/(.+)$/,
      guard(postern, (request) => ({ endpoint: request.params[0] })),
      (_request, response) => {
        response.send('reached');
      },
    );
    const inner = express();
    inner.get('/', (_request, response) => {
      response.send('reached');
    });
    app.use('/mounted', guard(postern, { endpoint: 'summarizer' }), inner);
    const port = await serve(app);
    for (const path of ['/p/alias', '/p/summarizer', '/r/summarizer', '/mounted', '/mounted/']) {
      expect([path, (await send(port, { path })).status]).toEqual([path, 401]);
      expect([path, (await send(port, { path, headers })).status]).toEqual([path, 200]);
    }
    for (const path of ['/r/status/../summarizer', '/r/summarizer/status', '/p/alias2', '/r/%2e']) {
      expect([path, (await send(port, { path, headers })).status]).toEqual([path, 404]);
    }
  });

  it('does not call an error handler for a denial, and a call with an earlier error reaches no handler', async () => {
    const { postern } = await setUp();
    const app = express();
    const reached: string[] = [];
    app.get('/broken', (_request, _response, next) => next(new Error('before the guard')));
    app.use(guard(postern, { endpoint: 'summarizer' }));
    app.use((_request: unknown, response: express5.Response) => {
      reached.push('handler');
      response.end();
    });
    app.use((error: Error, _request: unknown, response: express5.Response, _next: unknown) => {
      reached.push(error.message);
      response.status(418).end();
    });
    const port = await serve(app);
    expect((await send(port, { path: '/' })).status).toBe(401);
    expect(reached).toEqual([]);
    expect((await send(port, { path: '/broken' })).status).toBe(418);
    expect(reached).toEqual(['before the guard']);
  });

  it('survives a client that leaves while the decision is pending', async () => {
    const { postern, headers } = await setUp();
    const app = express();
    let asked = () => {};
    let release = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const left = new Promise<void>((resolve) => {
      app.use((request, _response, next) => {
        request.on('close', () => resolve());
        next();
      });
    });
    app.get(
      '/slow',
      guard(postern, async () => {
        asked();
        await released;
        return { endpoint: 'summarizer' };
      }),
    );
    app.get('/after', guard(postern, { endpoint: 'summarizer' }), (_request, response) => {
      response.send('reached');
    });
    const port = await serve(app);
    const client = httpRequest({ port, host: '127.0.0.1', path: '/slow' });
    client.on('error', () => {});
    client.end();
    await wasAsked;
    client.destroy();
    await left;
    release();
    expect((await send(port, { path: '/after', headers })).status).toBe(200);
  });
});
