import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { guard, notFound } from 'postern/express';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { principalOf } from '../support/lives.js';
import { send } from './http-client.js';
import { serve } from './support.js';

async function setUp() {
  const { postern } = createTestPostern();
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'metrics', access: 'private' });
  const { token } = await postern.tokens.create({ name: 'test', types: { user: { endpoints: '*' } } });
  return { postern, token, app: express() };
}

const bearer = (token: string) => [['Authorization', `Bearer ${token}`]] as const;

describe('guard of postern/express', () => {
  it('reads the endpoint from the route parameter', async () => {
    const { app, postern, token } = await setUp();
    app.use(
      '/d/:name',
      guard(postern, (request) => ({ endpoint: request.params.name })),
    );
    app.use('/d/:name', (request, response) => {
      response.send(request.params.name);
    });
    const port = await serve(app);
    expect(await send(port, { path: '/d/summarizer', headers: bearer(token) })).toMatchObject({
      status: 200,
      body: 'summarizer',
    });
    expect(await send(port, { path: '/d/summarizer' })).toMatchObject({ status: 401 });
    for (const path of [
      '/d/nowhere',
      '/d/Summarizer',
      '/d/summarizer%00',
      '/d/..%2fsummarizer',
      '/d/%73ummarizer%20',
      '/d/constructor',
    ]) {
      expect(await send(port, { path, headers: bearer(token) })).toMatchObject({ status: 404 });
    }
  });

  it('denies a route without that parameter as an unknown endpoint', async () => {
    const { app, postern, token } = await setUp();
    app.get(
      '/d',
      guard(postern, (request) => ({ endpoint: request.params.name })),
      (_request, response) => {
        response.send('reached');
      },
    );
    expect(await send(await serve(app), { path: '/d', headers: bearer(token) })).toMatchObject({ status: 404 });
  });

  it('denies before a body parser has read anything', async () => {
    const { app, postern } = await setUp();
    app.use(guard(postern, { endpoint: 'summarizer' }), express.json());
    const answer = await send(await serve(app), {
      method: 'POST',
      path: '/',
      headers: [['Content-Type', 'application/json']],
      body: '{ not json',
    });
    expect(answer.status).toBe(401);
  });

  it('reads the raw token from the header option, and refuses it beside Authorization', async () => {
    const { app, postern, token } = await setUp();
    app.use(guard(postern, { endpoint: 'summarizer' }, { header: 'X-API-Key' }), (_request, response) => {
      response.send('reached');
    });
    const port = await serve(app);
    const key = ['X-API-Key', token] as const;
    expect(await send(port, { path: '/', headers: [key] })).toMatchObject({ status: 200 });
    expect(await send(port, { path: '/', headers: bearer(token) })).toMatchObject({ status: 401 });
    expect(await send(port, { path: '/', headers: [key, ...bearer(token)] })).toMatchObject({ status: 400 });
    expect(await send(port, { path: '/', headers: [key, key] })).toMatchObject({ status: 400 });
    expect(await send(port, { path: '/', headers: [['X-API-Key', `${token}, ${token}`]] })).toMatchObject({
      status: 400,
    });
  });

  it('reads no token from the query or the body', async () => {
    const { app, postern, token } = await setUp();
    app.use(express.urlencoded(), guard(postern, { endpoint: 'summarizer' }));
    const answer = await send(await serve(app), {
      method: 'POST',
      path: `/?access_token=${token}`,
      headers: [['Content-Type', 'application/x-www-form-urlencoded']],
      body: `access_token=${token}`,
    });
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer realm="postern"' } });
  });

  it('names the realm in its challenge', async () => {
    const { app, postern } = await setUp();
    app.use(guard(postern, { endpoint: 'summarizer' }, { realm: 'acme api' }));
    const answer = await send(await serve(app), { path: '/' });
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="acme api"');
  });

  it('answers with onDenied', async () => {
    const { app, postern } = await setUp();
    const onDenied: Parameters<typeof guard>[2] = {
      onDenied: async (denial, _request, response) => {
        response.status(418).json({ reason: denial.reason });
      },
    };
    app.use(guard(postern, { endpoint: 'summarizer' }, onDenied));
    const answer = await send(await serve(app), { path: '/' });
    expect(answer).toMatchObject({ status: 418, body: '{"reason":"token_missing"}' });
  });

  it.each([
    ['does nothing', () => {}],
    [
      'throws',
      () => {
        throw new Error('no template');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no template'))],
    [
      'calls the next handler that Express put on the request',
      (_denial: unknown, request: { next?: () => void }) => request.next?.(),
    ],
    ['returns an allow', () => ({ allowed: true, principal: null })],
  ])('sends the standard answer, and runs no handler, if onDenied %s', async (_, onDenied) => {
    const { app, postern } = await setUp();
    let reached = false;
    app.use(guard(postern, { endpoint: 'summarizer' }, { onDenied: onDenied as never }));
    app.use((_request, response) => {
      reached = true;
      response.send('reached');
    });
    expect(await send(await serve(app), { path: '/' })).toMatchObject({ status: 401 });
    expect(reached).toBe(false);
  });

  it('overwrites a principal that other middleware put on the request', async () => {
    const { app, postern } = await setUp();
    app.use((request, _response, next) => {
      Object.assign(request, { principal: { owner: 'admin' } });
      next();
    });
    app.get('/', guard(postern, { public: true }), (request, response) => {
      response.json(request.principal);
    });
    expect(await send(await serve(app), { path: '/' })).toMatchObject({ status: 200, body: 'null' });
  });

  it.each([
    ['option_unknown', 'zones', { zones: 'internal' }],
    ['option_invalid', 'zone', { zone: 'inside' }],
    ['option_invalid', 'realm', { realm: 'a"b' }],
    ['option_invalid', 'header', { header: 'x api key' }],
    ['option_invalid', 'header', { header: 'Authorization' }],
    ['option_invalid', 'onDenied', { onDenied: 'deny' }],
  ])('throws %s for %s at construction', async (code, path, options) => {
    const { postern } = await setUp();
    expect(() => guard(postern, { endpoint: 'summarizer' }, options as never)).toThrow(
      expect.objectContaining({ code, path }),
    );
  });

  it('shows the principal in the application that holds the guarded one, put there at any time', async () => {
    const { app: inner, postern, token } = await setUp();
    const outer = express();
    inner.get('/d', guard(postern, { endpoint: 'summarizer' }), (request, response, next) => {
      if (request.query.next === undefined) response.json(request.principal?.tokenId);
      else next();
    });
    const alone = await send(await serve(inner), { path: '/d', headers: bearer(token) });
    outer.use(inner);
    outer.get('/d', (request, response) => response.json(request.principal?.tokenId));
    outer.get('/unguarded', (request, response) => response.json(request.principal === undefined));
    const port = await serve(outer);
    const { tokenId } = await principalOf(postern, token);
    expect(JSON.parse(alone.body)).toBe(tokenId);
    expect(JSON.parse((await send(port, { path: '/d?next', headers: bearer(token) })).body)).toBe(tokenId);
    expect(JSON.parse((await send(port, { path: '/unguarded', headers: bearer(token) })).body)).toBe(true);
  });

  it('lets the application put something else in its place', async () => {
    const { app, postern, token } = await setUp();
    app.get('/d', guard(postern, { endpoint: 'summarizer' }), (request, response) => {
      Object.assign(request, { principal: 'mine' });
      response.json(request.principal);
    });
    expect((await send(await serve(app), { path: '/d', headers: bearer(token) })).body).toBe('"mine"');
  });

  it('throws at construction for a requirement that no call can meet', async () => {
    const { postern } = await setUp();
    expect(() => guard(postern, { scope: 'model:read' as never })).toThrow(
      expect.objectContaining({ code: 'scope_unknown' }),
    );
    expect(() => guard(postern, {} as never)).toThrow(expect.objectContaining({ code: 'requirement_invalid' }));
    expect(() => guard(postern, undefined as never)).toThrow(expect.objectContaining({ code: 'requirement_invalid' }));
  });

  it('ignores changes of its requirement after construction', async () => {
    const { app, postern } = await setUp();
    const requirement = { endpoint: 'summarizer' };
    app.use(guard(postern, requirement), (_request, response) => {
      response.send('reached');
    });
    const open = requirement as Record<string, unknown>;
    delete open.endpoint;
    open.public = true;
    expect(await send(await serve(app), { path: '/' })).toMatchObject({ status: 401 });
  });
});

describe('notFound of postern/express', () => {
  it('answers an unmatched route with the same bytes as an unknown or private endpoint', async () => {
    const { app, postern } = await setUp();
    app.use(
      '/d/:name',
      guard(postern, (request) => ({ endpoint: request.params.name })),
    );
    app.use(notFound());
    const port = await serve(app);
    const answer = await send(port, { path: '/elsewhere' });
    expect(answer.status).toBe(404);
    expect(await send(port, { path: '/d/nowhere' })).toEqual(answer);
    expect(await send(port, { path: '/d/metrics' })).toEqual(answer);
  });
});

describe('a guard with several places for the credential', () => {
  const answers = async (options: object, headers: Record<string, string>) => {
    const { postern, token } = createTestPostern();
    const secret = await token({ scopes: ['models:read'] });
    const app = express();
    app.get(
      '/',
      guard(postern, { scope: 'models:read' }, options),
      (_request, response) => void response.end('reached'),
    );
    const server = app.listen(0);
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('TOKEN', secret)]),
    );
    return (await fetch(`http://localhost:${(server.address() as AddressInfo).port}/`, { headers: sent })).status;
  };

  it('takes the token in any one of them', async () => {
    const options = { header: ['Authorization', 'X-API-Key'] };
    expect(await answers(options, { authorization: 'Bearer TOKEN' })).toBe(200);
    expect(await answers(options, { 'x-api-key': 'TOKEN' })).toBe(200);
    expect(await answers(options, { authorization: 'Bearer TOKEN', 'x-api-key': 'TOKEN' })).toBe(400);
    expect(await answers(options, {})).toBe(401);
  });

  it('leaves Authorization to the platform', async () => {
    const headers = { authorization: 'Bearer of.the.platform', 'x-api-key': 'TOKEN' };
    expect(await answers({ header: 'x-api-key' }, headers)).toBe(400);
    expect(await answers({ header: 'x-api-key', otherAuthorization: 'ignore' }, headers)).toBe(200);
  });
});
