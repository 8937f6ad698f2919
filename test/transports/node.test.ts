import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createHttp2, type Http2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { runInNewContext } from 'node:vm';
import { memoryRateLimiter } from 'postern';
import { guard, type NodeGuardOptions, notFound } from 'postern/node';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { send } from './http-client.js';
import { serve } from './support.js';

const bearer = (token: string) => [['Authorization', `Bearer ${token}`]] as const;

describe('guard of postern/node', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret detail'))],
    ['rejects a promise of another realm', () => runInNewContext("Promise.reject(new Error('secret detail'))")],
  ])('answers for a handler that %s, and reports it', async (_, handler) => {
    const faults: unknown[] = [];
    const { postern, token } = createTestPostern({ onEvent: (event) => event.type === 'fault' && faults.push(event) });
    const port = await serve(guard(postern, { authenticated: true }, handler));
    const answer = await send(port, { path: '/', headers: bearer(await token({ scopes: ['models:read'] })) });
    expect(answer).toMatchObject({ status: 500, headers: { 'content-type': 'application/problem+json' } });
    expect(answer.body).not.toContain('secret detail');
    expect(faults).toHaveLength(1);
  });

  it('does not run the handler of a request that a timeout has answered meanwhile', async () => {
    const { postern, token } = createTestPostern();
    let reached = false;
    const guarded = guard(
      postern,
      () => new Promise((resolve) => setTimeout(resolve, 20, { public: true })),
      () => {
        reached = true;
      },
    );
    const port = await serve((request, response) => {
      guarded(request, response);
      response.writeHead(504).end('too late');
    });
    expect(await send(port, { path: '/', headers: bearer(await token({ scopes: ['models:read'] })) })).toMatchObject({
      status: 504,
    });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(reached).toBe(false);
  });

  it('tells what is left of a limit', async () => {
    const { postern, token } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const bearerOf = await token({ scopes: ['*'], rateLimit: { points: 2, duration: '1m' } });
    const port = await serve(guard(postern, { authenticated: true }, (_request, response) => response.end('reached')));
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await send(port, { path: '/', headers: bearer(bearerOf) }));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(answers[0]?.headers.ratelimit).toMatch(/;r=1;/);
  });

  it('lets onDenied answer, and sends the standard answer where it does not', async () => {
    const { postern } = createTestPostern();
    const answerWith = async (onDenied: NonNullable<NodeGuardOptions<IncomingMessage, ServerResponse>['onDenied']>) =>
      send(await serve(guard(postern, { authenticated: true }, () => {}, { onDenied })), { path: '/' });
    const teapot = await answerWith(({ reason }, _request, response) => response.writeHead(418, { reason }).end());
    expect(teapot).toMatchObject({ status: 418, headers: { reason: 'token_missing' } });
    expect(await answerWith(() => {})).toMatchObject({ status: 401 });
    expect(await answerWith(() => Promise.reject(new Error('no template')))).toMatchObject({ status: 401 });
  });

  it('guards HTTP/2 alike', async () => {
    const { postern, token } = createTestPostern();
    const server = createHttp2(
      guard(postern, { scope: 'models:read' }, (request, response, { principal }) => {
        response.end(`${request.stream.session?.alpnProtocol} ${principal?.types.developer?.scopes}`);
      }),
    );
    const call = await http2Client(server);
    expect(await call({})).toMatchObject({
      ':status': 401,
      'www-authenticate': 'Bearer realm="postern", scope="models:read"',
    });
    const authorization = `Bearer ${await token({ scopes: ['models:read'] })}`;
    expect(await call({ authorization })).toMatchObject({ ':status': 200, body: 'h2c models:read' });
    const two = await call({ authorization: `${authorization}, ${authorization}` });
    expect(two).toMatchObject({ ':status': 400 });
  });
});

it('notFound of postern/node answers like an unknown endpoint, to the byte', async () => {
  const { postern } = createTestPostern();
  const unknown = guard(postern, { endpoint: 'nowhere' }, () => {});
  const port = await serve((request, response) =>
    request.url === '/nowhere' ? unknown(request, response) : notFound()(request, response),
  );
  expect(await send(port, { path: '/elsewhere' })).toEqual(await send(port, { path: '/nowhere' }));
});

it('a guard is a handler of node:http with the types of its request and response', () => {
  const { postern } = createTestPostern();
  createServer(
    guard(postern, { scope: 'models:read' }, (request, response) => response.end(request.socket.remotePort)),
  );
  // @ts-expect-error There is no resource 'model'.
  expect(() => guard(postern, { scope: 'model:read' }, () => {})).toThrow(
    expect.objectContaining({ code: 'scope_unknown' }),
  );
  // @ts-expect-error No such option.
  expect(() => guard(postern, { public: true }, () => {}, { undeclared: 'allow' })).toThrow(
    expect.objectContaining({ code: 'option_unknown', path: 'undeclared' }),
  );
});

async function http2Client(server: Http2Server) {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  return async (headers: Readonly<Record<string, string>>) => {
    const stream = session.request({ ':path': '/', ...headers });
    const answer = await new Promise<object>((resolve) => stream.once('response', resolve));
    let body = '';
    for await (const chunk of stream) body += chunk;
    return { ...answer, body };
  };
}
