import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { posternPlugin } from 'postern/fastify';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';

const summarizer = { config: { requirement: { endpoint: 'summarizer' } } } as const;

async function setUp(options: FastifyServerOptions = {}) {
  const { postern } = createTestPostern();
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token } = await postern.tokens.create({ name: 'test', types: { user: { endpoints: '*' } } });
  const app = fastify(options);
  onTestFinished(() => app.close());
  return { postern, app, token, headers: { authorization: `Bearer ${token}` } };
}

const status = async (app: FastifyInstance, url: string, headers = {}) =>
  (await app.inject({ url, headers })).statusCode;

describe('posternPlugin', () => {
  it('guards every spelling of a route that the router accepts', async () => {
    const { postern, app, headers } = await setUp({
      routerOptions: {
        ignoreTrailingSlash: true,
        ignoreDuplicateSlashes: true,
        caseSensitive: false,
      },
      rewriteUrl: (request) => (request.url ?? '').replace(/^\/v1/, ''),
    });
    await app.register(posternPlugin, { postern });
    app.get('/summarize', summarizer, () => 'reached');
    for (const url of [
      '/summarize',
      '/summarize/',
      '//summarize',
      '/SUMMARIZE',
      '/v1/summarize',
      '/v1//Summarize/',
      '/%73ummarize',
    ]) {
      expect([url, await status(app, url)]).toEqual([url, 401]);
      expect([url, await status(app, url, headers)]).toEqual([url, 200]);
    }
  });

  it('guards plugins under a prefix, and plugins that were loaded before it', async () => {
    const { postern, app } = await setUp();
    const inner = async (scope: FastifyInstance) => {
      scope.get('/bare', () => 'reached');
      scope.get('/declared', summarizer, () => 'reached');
    };
    app.register(inner, { prefix: '/before' });
    app.register(posternPlugin, { postern });
    app.register(inner, { prefix: '/after' });
    app.get('/unawaited', () => 'reached');
    for (const url of ['/before/bare', '/after/bare', '/unawaited'])
      expect([url, await status(app, url)]).toEqual([url, 403]);
    for (const url of ['/before/declared', '/after/declared'])
      expect([url, await status(app, url)]).toEqual([url, 401]);
  });

  it('does not take a config from plugin options as a requirement', async () => {
    const { postern, app } = await setUp();
    await app.register(posternPlugin, { postern });
    const open = { config: { requirement: { public: true } }, requirement: { public: true } };
    await app.register(async (scope) => {
      scope.get('/', () => 'reached');
    }, open as object);
    expect(await status(app, '/')).toBe(403);
  });

  it('guards HEAD and OPTIONS routes, and leaves other methods to 404', async () => {
    const { postern, app } = await setUp();
    await app.register(posternPlugin, { postern });
    app.get('/summarize', summarizer, () => 'reached');
    app.options('/preflight', () => 'reached');
    const of = async (method: 'HEAD' | 'OPTIONS' | 'POST', url: string) =>
      (await app.inject({ method, url })).statusCode;
    expect(await of('HEAD', '/summarize')).toBe(401);
    expect(await of('OPTIONS', '/summarize')).toBe(404);
    expect(await of('POST', '/summarize')).toBe(404);
    expect(await of('OPTIONS', '/preflight')).toBe(403);
  });

  it('reaches no handler after an earlier hook that fails or answers', async () => {
    const { postern, app, headers } = await setUp();
    let reached = 0;
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers['x-fail'] !== undefined) throw new Error('before the guard');
      if (request.headers['x-answer'] !== undefined) return reply.code(418).send('early');
    });
    app.setErrorHandler((_error, request, reply) => {
      reply.code(500).send({ principal: request.principal });
    });
    await app.register(posternPlugin, { postern });
    app.get('/', summarizer, () => {
      reached++;
      return 'reached';
    });
    const failed = await app.inject({ url: '/', headers: { ...headers, 'x-fail': '1' } });
    expect([failed.statusCode, failed.json()]).toEqual([500, { principal: null }]);
    expect(await status(app, '/', { ...headers, 'x-answer': '1' })).toBe(418);
    expect(reached).toBe(0);
  });

  it('guards a handler that calls the not-found handler', async () => {
    const { postern, app, headers } = await setUp();
    await app.register(posternPlugin, { postern });
    app.setNotFoundHandler((_request, reply) => {
      reply.code(404).send('nothing here');
    });
    app.get('/hidden', summarizer, (_request, reply) => {
      reply.callNotFound();
      return reply;
    });
    expect(await status(app, '/hidden')).toBe(401);
    expect((await app.inject({ url: '/hidden', headers })).body).toBe('nothing here');
  });

  it('refuses to register beside a decorator of the same name', async () => {
    const { postern, app } = await setUp();
    app.decorateRequest('principal', null);
    await expect(app.register(posternPlugin, { postern }).ready()).rejects.toMatchObject({
      code: 'FST_ERR_DEC_ALREADY_PRESENT',
    });
  });
});

/** The status of an HTTP/2 request with raw headers, because Node's own client sends no header twice. */
async function http2Status(port: number, headers: readonly (readonly [string, string])[]): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(0x4, 0, 0, Buffer.alloc(0)));
  // END_STREAM and END_HEADERS, on stream 1.
  socket.write(frame(0x1, 0x5, 1, Buffer.concat(headers.map(literal))));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    for (let at = 0; at + 9 <= received.length; ) {
      const length = received.readUIntBE(at, 3);
      if (received[at + 3] === 0x1 && at + 9 < received.length) return STATUSES[received[at + 9] as number] ?? 0;
      at += 9 + length;
    }
  }
  throw new Error('the server sent no headers');
}

/** `:status` in HPACK's static table (RFC 7541 appendix A), as an indexed field. */
const STATUSES: Readonly<Record<number, number>> = { 136: 200, 140: 400, 141: 404 };

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal header field without indexing and with a new name (RFC 7541 section 6.2.2); both under 127 bytes. */
function literal([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

describe('posternPlugin over HTTP/2', () => {
  it('refuses two credentials, whichever one Node kept', async () => {
    const { postern, token } = await setUp();
    const app = fastify({ http2: true });
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.get('/', summarizer, () => 'reached');
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const head = [
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'localhost'],
    ] as const;
    const good = ['authorization', `Bearer ${token}`] as const;
    expect(await http2Status(port, [...head, good])).toBe(200);
    expect(await http2Status(port, [...head, good, good])).toBe(400);
    expect(await http2Status(port, [...head, good, ['authorization', 'Basic eDp5']])).toBe(400);
    expect(await http2Status(port, [...head, ['authorization', 'Basic eDp5'], good])).toBe(400);
  });
});
