import { createServer } from 'node:http';
import * as grpc from '@grpc/grpc-js';
import express from 'express';
import fastify from 'fastify';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard } from 'postern/grpc';
import { managementApi, toNodeHandler } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { clientAddress, internalNetworks } from 'postern/zones';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { polluted } from '../support/polluted.js';
import { bearer, call, insecure, startServer } from './grpc/harness.js';
import { send } from './http-client.js';

/** Calls come from 127.0.0.1, a trusted proxy that names no caller, so all are external. */
const zone = internalNetworks(['10.0.0.0/8'], { trustedProxies: ['127.0.0.1'] });
const OPTIONS = { zone } as const;
const PRIVATE = { endpoint: 'metrics' } as const;
const ANYONE = { authenticated: true } as const;

interface World {
  /** The answers of every transport to each kind of call. */
  answers(): Promise<readonly string[]>;
  readonly token: string;
  close(): Promise<void>;
}

async function createWorld(): Promise<World> {
  const { postern } = createTestPostern({ onEvent: () => {} });
  await postern.endpoints.create({ id: 'metrics', access: 'private' });
  const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });

  const app = express();
  app.disable('x-powered-by');
  app.get('/private', expressGuard(postern, PRIVATE, OPTIONS), (_, response) => void response.send('reached'));
  app.get('/anyone', expressGuard(postern, ANYONE, OPTIONS), (_, response) => void response.send('reached'));
  app.get('/key', expressGuard(postern, ANYONE, { header: 'x-api-key' }), (_, response) => void response.send('x'));
  const addressOf = clientAddress({ trustedProxies: ['127.0.0.1'] });
  app.get('/address', (request, response) => void response.send(String(addressOf(request))));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));

  // On node:http, because Express gives every request an own address from the prototype.
  const managed = createServer(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
  await new Promise<void>((resolve) => managed.listen(0, '127.0.0.1', resolve));

  const fast = fastify();
  await fast.register(posternPlugin, { postern, zone });
  fast.get('/private', { config: { requirement: PRIVATE } }, () => 'reached');
  fast.get('/anyone', { config: { requirement: ANYONE } }, () => 'reached');
  fast.get('/undeclared', () => 'reached');
  await fast.listen({ port: 0, host: '127.0.0.1' });

  const reached = () => new Response('reached');
  const fetching = [fetchGuard(postern, PRIVATE, reached), fetchGuard(postern, ANYONE, reached)];

  const running = await startServer({
    interceptors: [grpcGuard(postern, { '/a.B/Private': PRIVATE, '/a.B/Anyone': ANYONE }, OPTIONS)],
    echo: { '/a.B/Private': 'unary', '/a.B/Anyone': 'unary', '/a.B/Undeclared': 'unary' },
  });
  const client = insecure(running.address);

  const http = [
    [(server.address() as { port: number }).port, ['/private', '/anyone', '/key', '/address']],
    [(managed.address() as { port: number }).port, ['/admin/api/v1/current_org', '/admin/api/v1/nothing']],
    [(fast.server.address() as { port: number }).port, ['/private', '/anyone', '/undeclared']],
  ] as const;

  async function answers() {
    const said: string[] = [];
    for (const authorization of [undefined, `Bearer ${token}`]) {
      for (const [port, paths] of http) {
        for (const path of paths) {
          const headers = authorization === undefined ? [] : ([['Authorization', authorization]] as const);
          const answer = await send(port, { path, headers });
          said.push(`${path} ${answer.status} ${answer.headers['www-authenticate']} ${answer.body}`);
        }
      }
      for (const each of fetching) {
        const request = new Request(
          'http://x/',
          Object.assign(Object.create(null), { method: 'GET', headers: new Headers() }),
        );
        if (authorization !== undefined) request.headers.set('authorization', authorization);
        said.push(`fetch ${(await each(request)).status}`);
      }
      for (const name of ['Private', 'Anyone', 'Undeclared']) {
        const metadata = authorization === undefined ? new grpc.Metadata() : bearer(token);
        said.push(`grpc ${name} ${(await call(client, { path: `/a.B/${name}`, form: 'unary', metadata })).code}`);
      }
    }
    return said;
  }
  return {
    answers,
    token,
    async close() {
      client.close();
      running.close();
      for (const each of [server, managed]) each.closeAllConnections();
      managed.close();
      await Promise.all([new Promise((resolve) => server.close(resolve)), fast.close(), postern.close()]);
    },
  };
}

/** Every name that a transport, an adapter or an option reads, with a value that would open something. */
const POLLUTION = (token: string): readonly (readonly [string, unknown])[] => [
  ...['authorization', 'x-api-key', 'x-yatai-api-token', 'dpop', 'cookie'].flatMap((name): [string, unknown][] => [
    [name, `Bearer ${token}`],
    [name, token],
    [name, [`Bearer ${token}`]],
    [name, `postern_session=${token}`],
  ]),
  ['x-forwarded-for', '10.0.0.7'],
  ['x-forwarded-for', ['10.0.0.7']],
  ['rawHeaders', ['authorization', `Bearer ${token}`, 'authorization', 'x']],
  ['originalUrl', '/admin/api/v1/session'],
  ['remoteAddress', '10.0.0.7'],
  ['encrypted', true],
  ['getPeer', () => '10.0.0.7:1'],
  ['getPeer', 1],
  ['zone', 'internal'],
  ['header', 'x-api-key'],
  ['realm', 'evil'],
  ['resourceMetadata', 'https://evil.example'],
  ['onDenied', () => ({ code: 0 })],
  ['undeclared', 'allow'],
  ['requirement', { public: true }],
  ['trustedProxies', ['127.0.0.1']],
  ['organization', 'evil'],
  ['endpoint', 'open'],
  ['public', true],
  ['allowed', true],
  ['principal', {}],
  ['reason', 'evil'],
  ['limit', { policy: 'x' }],
  ['limit', null],
  ['scopes', null],
  ['scheme', 'Evil'],
  ['retryAfter', '0'],
  ['malformed', false],
  ['proof', { jwt: 'x', target: '/' }],
  ['token', token],
  ['pending', null],
  ['details', 'evil'],
  ['source', {}],
  ['address', '10.0.0.7'],
  ['onUnknownPath', () => {}],
];

/**
 * The answers that differ. Node drops a header that every object has, so a sent credential may be lost, which only denies.
 */
function changed(clean: readonly string[], during: readonly string[]): string[] {
  expect(during.length).toBe(clean.length);
  // Each world shows the time of its start.
  const timeless = (each: string | undefined) => each?.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a time');
  return during.filter((each, index) => timeless(each) !== timeless(clean[index]) && !/^\S+ 401 /.test(each));
}

describe('a polluted Object.prototype', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  test("changes no answer of any transport's guard, nor of the management API", async () => {
    const clean = await world.answers();
    expect(clean.filter((each) => / 200 | 200$|^grpc Anyone 0/.test(each)).length).toBeGreaterThan(4);
    for (const [key, value] of POLLUTION(world.token)) {
      const during = await polluted({ [key]: value }, () => world.answers());
      expect([key, value, changed(clean, during)]).toEqual([key, value, []]);
    }
  });

  test('does not affect guards made meanwhile', async () => {
    const clean = await world.answers();
    // A grpc-js client made meanwhile would look for a proxy at that address.
    const others = POLLUTION(world.token).filter(([key]) => key !== 'address');
    for (const [key, value] of others) {
      const during = await polluted({ [key]: value }, async () => {
        const made = await createWorld();
        const said = await made.answers();
        await made.close();
        return said;
      });
      expect([key, value, changed(clean, during)]).toEqual([key, value, []]);
    }
  });
});
