import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:http2';
import { text } from 'node:stream/consumers';
import { endpointFromHost } from 'postern/gateway';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  Endings,
  HOST,
  type Ports,
  type ProxyName,
  requireProxy,
  serveGateway,
  startProxy,
  startUpstream,
  there,
} from './real-proxies.js';
import { type GatewayWorld, gatewayWorld } from './world.js';

/** What the ready files lack to speak HTTP/2 in front of the HTTP service. Those of the others do already. */
const SPEAKS_HTTP2: Partial<Record<ProxyName, (text: string) => string>> = {
  nginx: (text) => text.replace(/listen (\d+);/, 'listen $1 http2;'),
  haproxy: (text) => text.replace(/bind 127\.0\.0\.1:(\d+)\n/, 'bind 127.0.0.1:$1 proto h2\n'),
};

/** How often each caller calls. */
const ROUNDS = 15;

describe.each(there())('two callers share a connection to %s', (name) => {
  const endings = new Endings();
  let world: GatewayWorld;
  let ports: Ports;
  /** The token of each call, and the status and owner that it must get. */
  let calls: (readonly [token: string | null, outcome: readonly [status: number, owner: string | null]])[];

  beforeAll(async () => {
    requireProxy(name);
    world = await gatewayWorld({
      requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
      trustedProxies: ['127.0.0.1'],
    });
    const bob = await world.token({ endpoints: ['summarizer'], owner: 'bob' });
    const { http, grpc } = await serveGateway(world.gateway, endings);
    ports = { gateway: http, grpcGateway: grpc, service: await startUpstream(endings) };
    calls = Array.from({ length: ROUNDS }).flatMap(() => [
      [world.good, [200, 'ada']],
      [bob, [200, 'bob']],
      [null, [401, null]],
      [bob, [200, 'bob']],
      ['pst_x', [401, null]],
    ]);
  });
  afterAll(() => endings.run());

  const headersFor = (token: string | null) => (token === null ? {} : { authorization: `Bearer ${token}` });

  it('one after the other, over HTTP/1.1 with keep-alive', async () => {
    const own = new Endings();
    onTestFinished(() => own.run());
    const { port } = await startProxy(name, ports, own);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    let reused = 0;
    const seen = [];
    for (const [token] of calls) {
      const headers = { host: HOST, ...headersFor(token) };
      const asked = request({ port, host: '127.0.0.1', path: '/v1', headers, agent }).end();
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        asked.on('response', resolve).on('error', reject);
      });
      seen.push([answer.statusCode, ownerIn(await text(answer))]);
      if (asked.reusedSocket) reused++;
    }
    expect(seen).toEqual(calls.map(([, outcome]) => outcome));
    expect(reused).toBeGreaterThan(ROUNDS);
  });

  it('all at once, over HTTP/2', async () => {
    const own = new Endings();
    onTestFinished(() => own.run());
    const { port } = await startProxy(name, ports, own, SPEAKS_HTTP2[name]);
    const session = connect(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    const seen = calls.map(async ([token]) => {
      const stream = session.request({ ':path': '/v1', ':authority': HOST, ...headersFor(token) });
      const status = new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
      const body = await text(stream);
      return [await status, ownerIn(body)];
    });
    expect(await Promise.all(seen)).toEqual(calls.map(([, outcome]) => outcome));
  });
});

/** The owner that the service was told; `null`: it was not reached. */
function ownerIn(body: string): string | null {
  const got = JSON.parse(body) as { reached?: true; headers: [string, string][] };
  return got.reached ? new Headers(got.headers).get('x-postern-owner') : null;
}
