import { createServer, connect as http2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { type Gateway, toNodeHandler } from 'postern/gateway';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { polluted } from '../support/polluted.js';
import { type RawAnswer, send } from '../transports/http-client.js';
import { serve } from '../transports/support.js';
import { type GatewayWorld, gatewayWorld } from './world.js';

type Header = readonly [name: string, value: string];

interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers: readonly Header[];
}

interface Case extends Omit<Asked, 'headers'> {
  /** @param good the header with a good token */
  readonly headers: (good: Header) => readonly Header[];
  readonly status: number;
  /** The owner that the service is told. */
  readonly owner?: string;
}

/** Every form in which a gateway can be asked over HTTP. */
const FACES: Readonly<Record<string, (gateway: Gateway) => Promise<(asked: Asked) => Promise<RawAnswer>>>> = {
  fetch: async (gateway) => async (asked) => {
    const { method = 'GET', host = 'localhost', path = '/auth' } = asked;
    const request = new Request(`http://${host}${path}`, { method, headers: asked.headers as [string, string][] });
    const answer = await gateway.fetch(request, { address: '127.0.0.1' });
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  },
  'node:http': async (gateway) => overSockets(await serve(toNodeHandler(gateway.fetch))),
  Express: async (gateway) => overSockets(await serve(express().use(toNodeHandler(gateway.fetch)))),
  'a function around fetch': async (gateway) =>
    overSockets(await serve(toNodeHandler((request, asker) => gateway.fetch(request, asker)))),
};

function overSockets(port: number) {
  return (asked: Asked) => send(port, { path: '/auth', ...asked });
}

const FORWARDED: readonly Header[] = [
  ['X-Forwarded-Method', 'GET'],
  ['X-Forwarded-Host', 'summarizer.acme.cloud.test'],
  ['X-Forwarded-Uri', '/v1?a=b'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-For', '198.51.100.7'],
];
const METRICS: Header = ['X-Forwarded-Host', 'metrics.acme.cloud.test'];

/** The forwarded headers, some of them replaced. */
const told = (...changed: readonly Header[]): Header[] => [
  ...FORWARDED.filter(([name]) => !changed.some(([each]) => each === name)),
  ...changed,
];
const without = (name: string) => FORWARDED.filter(([each]) => each !== name);

const CASES: Readonly<Record<string, Case>> = {
  'a good token': { headers: (good) => [...FORWARDED, good], status: 200, owner: 'ada' },
  'a HEAD request': { method: 'HEAD', headers: (good) => [...FORWARDED, good], status: 200, owner: 'ada' },
  'no token': { headers: () => FORWARDED, status: 401 },
  'a token with blanks around it': {
    headers: ([name, value]) => [...FORWARDED, [name, ` ${value}\t`]],
    status: 200,
    owner: 'ada',
  },
  'two tokens': { headers: (good) => [...FORWARDED, good, ['authorization', 'Bearer x']], status: 400 },
  'one token twice': { headers: (good) => [...FORWARDED, good, good], status: 400 },
  'an identity header of the caller': {
    headers: (good) => [...FORWARDED, good, ['X-Postern-Owner', 'root']],
    status: 200,
    owner: 'ada',
  },
  'a gRPC call without a token': { headers: () => [...FORWARDED, ['Content-Type', 'application/grpc']], status: 401 },
  'the call itself': { host: 'summarizer.acme.cloud.test', headers: (good) => [good], status: 200, owner: 'ada' },
  'the call itself, with a port': {
    host: 'Summarizer.acme.cloud.test:8443',
    headers: (good) => [good],
    status: 200,
    owner: 'ada',
  },
  'the call itself, with another one described': {
    host: 'summarizer.acme.cloud.test',
    headers: (good) => [...told(['X-Forwarded-Host', 'status.acme.cloud.test']), good],
    status: 400,
  },
  'the call itself, with another method described': {
    method: 'DELETE',
    host: 'summarizer.acme.cloud.test',
    headers: (good) => [...FORWARDED, good],
    status: 400,
  },
  'two own hosts, with a call described': {
    host: 'metrics.acme.cloud.test,summarizer.acme.cloud.test',
    headers: (good) => [...FORWARDED, good],
    status: 400,
  },
  'internal by the last entry': { headers: () => told(METRICS, ['X-Forwarded-For', '1.2.3.4, 10.0.0.1']), status: 200 },
  'internal by an earlier entry': {
    headers: () => told(METRICS, ['X-Forwarded-For', '10.0.0.1, 1.2.3.4']),
    status: 404,
  },
  'internal by a second header': {
    headers: () => [...told(METRICS, ['X-Forwarded-For', '1.2.3.4']), ['X-Forwarded-For', '10.0.0.1']],
    status: 200,
  },
  'internal by a first header': {
    headers: () => [...told(METRICS, ['X-Forwarded-For', '10.0.0.1']), ['X-Forwarded-For', '1.2.3.4']],
    status: 404,
  },
  'no caller': { headers: () => told(METRICS, ['X-Forwarded-For', '']), status: 404 },
  ...named(
    ['X_Postern_Owner', 'x.postern.owner', 'X-Postern_Types', 'POSTERN_IDENTITY', 'Postern~Identity'],
    (alias) => ({
      headers: (good) => [...FORWARDED, good, [alias, 'root']],
      status: 400,
    }),
  ),
  ...named(
    FORWARDED.slice(0, 4).map(([name]) => `a second ${name}`),
    (title) => ({ headers: (good) => [...FORWARDED, good, [title.slice(9), '/x']], status: 400 }),
  ),
  ...named(['X-Original-Method', 'X-Original-Uri'], (name) => ({
    headers: (good) => [...FORWARDED, good, [name, '/other']],
    status: 400,
  })),
  ...named(['X-Forwarded-Method', 'X-Forwarded-Host', 'X-Forwarded-Uri'], (name) => ({
    headers: (good) => [...without(name), good],
    status: 500,
  })),
  ...named(
    ['/a/../b', '/%2e%2e/b', '/a\\b', '/.', 'a', 'http://x.test/', '//a/../b', '/a#b', '/a b', '*', ''],
    (path) => ({
      headers: (good) => [...told(['X-Forwarded-Uri', path]), good],
      status: 400,
    }),
  ),
  ...named(['//a', '/a//b', '/a;b', '/%2f', '/a%2F..%2Fb', '/?a=/../b'], (path) => ({
    headers: (good) => [...told(['X-Forwarded-Uri', path]), good],
    status: 200,
    owner: 'ada',
  })),
  ...named(['a b', 'a/', 'user@summarizer.acme.cloud.test', '', 'x\u00e9'], (host) => ({
    headers: (good) => [...told(['X-Forwarded-Host', host]), good],
    status: 400,
  })),
  ...named(['GET, POST', 'G E T', '', 'GET/1'], (method) => ({
    headers: (good) => [...told(['X-Forwarded-Method', method]), good],
    status: 400,
  })),
};

function named(names: readonly string[], make: (name: string) => Case): Record<string, Case> {
  return Object.fromEntries(names.map((name) => [`${name}: ${make(name).status}`, make(name)]));
}

const SEEN =
  /^(?:cache-control|www-authenticate|retry-after|ratelimit.*|grpc-.*|postern-identity|x-postern-.*|content-type)$/;

/** The part of an answer that a proxy acts on. */
function seen({ status, headers, body }: RawAnswer) {
  // A `Response` gives text a type, though there is none of it.
  const names = Object.keys(headers).filter((name) => SEEN.test(name) && (body !== '' || name !== 'content-type'));
  return { status, headers: Object.fromEntries(names.sort().map((name) => [name, headers[name]])), body };
}

describe.each(Object.keys(FACES))('asked by %s', (face) => {
  let world: GatewayWorld;
  let ask: (asked: Asked) => Promise<RawAnswer>;
  let askByFetch: (asked: Asked) => Promise<RawAnswer>;
  let good: Header;

  beforeAll(async () => {
    world = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    good = ['Authorization', `Bearer ${world.good}`];
  });

  const begin = async () => {
    ask = await (FACES[face] as (typeof FACES)[string])(world.gateway);
    askByFetch = await (FACES.fetch as (typeof FACES)[string])(world.gateway);
  };

  it.each(Object.entries(CASES))('%s', async (_, { headers, status, owner, ...asked }) => {
    await begin();
    const question = { ...asked, headers: headers(good) };
    const answer = await ask(question);
    expect([answer.status, answer.headers['x-postern-owner'] || undefined]).toEqual([status, owner]);
    expect(seen(answer)).toEqual(seen(await askByFetch(question)));
  });

  it.each([
    ['authorization', (token: string) => `Bearer ${token}`],
    ['Authorization', (token: string) => `Bearer ${token}`],
    ['token', (token: string) => token],
    ['principal', () => ({ tokenId: 'x', owner: 'root', organization: 'acme', types: {}, grants: {} })],
    ['allowed', () => true],
    ['zone', () => 'internal'],
    ['x-forwarded-for', () => '10.0.0.1'],
    ['needed', () => ({ public: true })],
    ['requirement', () => ({ public: true })],
    ['fits', () => () => true],
    ['status', () => 200],
    ['peer', () => '127.0.0.1'],
  ])('an Object.prototype with %s lets nobody in', async (name, made) => {
    await begin();
    const value = made(world.good);
    const answers = await polluted({ [name]: value }, async () => [
      await ask({ headers: FORWARDED }),
      await ask({ headers: without('X-Forwarded-For').map((each) => (each[0] === METRICS[0] ? METRICS : each)) }),
    ]);
    for (const answer of answers) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.headers['x-postern-owner']).toBeUndefined();
    }
  });

  it.each(['x-forwarded-host', 'x-forwarded-method', 'x-forwarded-uri'])(
    'an Object.prototype with %s does not stand for what the proxy leaves out',
    async (name) => {
      await begin();
      const headers = FORWARDED.filter(([each]) => each.toLowerCase() !== name);
      const values = {
        'x-forwarded-host': 'status.acme.cloud.test',
        'x-forwarded-method': 'GET',
        'x-forwarded-uri': '/',
      };
      const value = values[name as keyof typeof values];
      const answer = await polluted({ [name]: value }, () => ask({ headers }));
      expect(answer.status).toBe(500);
    },
  );
});

describe.each(['node:http', 'Express', 'a function around fetch'])('on %s', (face) => {
  it.each(['/auth/../x', '/%2e/auth', '/auth\\', '*'])('the own path %s is refused', async (path) => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const ask = await (FACES[face] as (typeof FACES)[string])(gateway);
    const { status } = await ask({ path, headers: [...FORWARDED, ['Authorization', `Bearer ${good}`]] });
    expect(status).toBeGreaterThanOrEqual(400);
  });
});

it('middleware may change and delete headers, and what it leaves counts', async () => {
  const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
  const handler = toNodeHandler(gateway.fetch);
  const port = await serve((request, response) => {
    request.headers.authorization = `Bearer ${good}`;
    delete request.headers.x_postern_owner;
    return handler(request, response);
  });
  const answer = await send(port, { path: '/auth', headers: [...FORWARDED, ['X_Postern_Owner', 'root']] });
  expect([answer.status, answer.headers['x-postern-owner']]).toEqual([200, 'ada']);
});

it('over HTTP/2 the own host is :authority', async () => {
  const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
  const server = createServer(toNodeHandler(gateway.fetch) as never);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const session = http2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(() => session.destroy());
  const ask = (authority: string, more: object = {}) =>
    new Promise((resolve, reject) => {
      const own = { ':authority': authority, ':path': '/v1', authorization: `Bearer ${good}` };
      const stream = session.request({ ...own, ...more });
      stream.on('error', reject).on('response', (headers) => resolve([headers[':status'], headers['x-postern-owner']]));
    });
  expect(await ask('summarizer.acme.cloud.test')).toEqual([200, 'ada']);
  expect(await ask('metrics.acme.cloud.test')).toEqual([404, undefined]);
  // A proxy that routes by one of two must not be answered about the other.
  expect(await ask('metrics.acme.cloud.test', { host: 'summarizer.acme.cloud.test' })).toEqual([400, undefined]);
});

it.each(['node:http', 'Express', 'a function around fetch'])(
  'on %s, headers that Node drops hide nothing',
  async (face) => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const ask = await (FACES[face] as (typeof FACES)[string])(gateway);
    const short = (count: number) => Array.from({ length: count }, (): Header => ['a', '']);
    const told = [...FORWARDED, ['Authorization', `Bearer ${good}`]] as const;
    expect((await ask({ headers: [...told, ...short(900)] })).status).toBe(200);
    const hidden: Header[] = [['X_Postern_Owner', 'root'], told.at(-1) as Header];
    for (const count of [900, 991, 992, 993, 994, 1_000, 1_100])
      for (const last of hidden) expect((await ask({ headers: [...told, ...short(count), last] })).status).toBe(400);
  },
);

it('a question with an unread body of unknown size is the last one on its connection', async () => {
  const { gateway } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
  const port = await serve(toNodeHandler(gateway.fetch));
  const ask = (headers: Record<string, string>, body: BodyInit) =>
    fetch(`http://127.0.0.1:${port}/auth`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  expect((await ask({}, 'short')).headers.get('connection')).toBe('keep-alive');
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  expect((await ask({}, endless)).headers.get('connection')).toBe('close');
});
