import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { endpointFromHost, toNodeHandler } from 'postern/gateway';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { requireTool } from '../support/tools.js';
import { type EnvoyHandlers, serveEnvoy } from './envoy-client.js';
import {
  curl,
  Endings,
  grpcCalls,
  HOST,
  type Ports,
  PROXIES,
  requireProxy,
  startGrpcUpstream,
  startProxy,
  startUpstream,
  there,
} from './real-proxies.js';
import { type GatewayWorld, gatewayWorld } from './world.js';

const STATUS = 'status.acme.cloud.example.com';

/** What a gateway does that is no answer. */
const FAILURES: readonly (readonly [string, ((socket: Socket) => unknown) | null])[] = [
  ['is down', null],
  ['closes', (socket) => socket.destroy()],
  ['answers garbage', (socket) => socket.end('garbage\r\n\r\n')],
  ['answers half a status', (socket) => socket.end('HTTP/1.1 20')],
  ['answers 500', (socket) => socket.end('HTTP/1.1 500 x\r\ncontent-length: 0\r\n\r\n')],
  ['redirects', (socket) => socket.end('HTTP/1.1 302 x\r\nlocation: /\r\ncontent-length: 0\r\n\r\n')],
  ['says nothing', () => {}],
];

describe.each(there())('behind %s', (name) => {
  const endings = new Endings();
  let world: GatewayWorld;
  let services: Pick<Ports, 'service' | 'grpcService'>;

  beforeAll(async () => {
    requireProxy(name);
    requireTool('gRPC for Python');
    world = await gatewayWorld({
      requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
      trustedProxies: ['127.0.0.1'],
    });
    services = { service: await startUpstream(endings), grpcService: await startGrpcUpstream(endings) };
  });
  afterAll(() => endings.run());

  const bearer = (token: string) => `Bearer ${token}`;

  it.each(FAILURES)('nobody passes while the gateway %s', async (_, answer) => {
    const own = new Endings();
    onTestFinished(() => own.run());
    const gateway = answer === null ? 1 : await stub(answer, own);
    const proxy = await startProxy(name, { ...services, gateway, grpcGateway: gateway }, own);
    const hosts = [HOST, STATUS];
    const authorization = bearer(world.good);
    const [grpc, ...http] = await Promise.all([
      grpcCalls(
        proxy.grpcPort,
        ...hosts.map((host) => ({ host, metadata: [['authorization', authorization] as const] })),
      ),
      ...hosts.map((host) => curl(proxy.port, host, '/v1', '-H', `Authorization: ${authorization}`)),
    ]);
    for (const { status, body } of http) {
      expect(body).not.toContain('reached');
      // nginx hands garbage on as an answer without a status.
      expect([0, 302, 500, 502, 503, 504]).toContain(status);
    }
    for (const [code, , answers] of grpc) expect([code === 'OK', answers]).toEqual([false, 0]);
  });

  it('an allow that comes too late lets nobody in: neither its caller nor the next one', async () => {
    const own = new Endings();
    onTestFinished(() => own.run());
    const late = await slowGateway(world, own);
    const proxy = await startProxy(name, { ...services, ...late.ports }, own);
    const call = (token: string) => curl(proxy.port, HOST, '/v1', '-H', `Authorization: ${bearer(token)}`);
    const grpcCall = (token: string) => grpcCalls(proxy.grpcPort, { metadata: [['authorization', bearer(token)]] });
    const [http, [grpc]] = await Promise.all([call(world.good), grpcCall(world.good)]);
    expect(late.held()).toBeGreaterThan(0);
    expect(http.status).toBeGreaterThanOrEqual(500);
    expect(grpc?.[0]).not.toBe('OK');
    late.release();
    for (let i = 0; i < 3; i++) {
      expect((await call('pst_x')).status).toBe(401);
      expect((await grpcCall('pst_x'))[0]?.[0]).toBe('UNAUTHENTICATED');
    }
    expect((await call(world.good)).status).toBe(200);
  });
});

describe.each(there().filter((name) => 'grpc' in PROXIES[name]))('behind %s, which asks over gRPC', (name) => {
  it.each([
    ['no message', Buffer.from('ff', 'hex')],
    ['a message of another kind', Buffer.from('GET / HTTP/1.1')],
    ['a status that is no message', Buffer.from('0a01ff', 'hex')],
  ])('nobody passes while the gateway answers %s', async (_, bytes) => {
    const own = new Endings();
    onTestFinished(() => own.run());
    const { gateway, good } = await gatewayWorld();
    const answers: EnvoyHandlers = { Check: (_call, callback) => callback(null, bytes) };
    const stubbed = await serveEnvoy({ ...gateway.envoy, handlers: answers });
    own.add(() => stubbed.close());
    const service = await startUpstream(own);
    const proxy = await startProxy(name, { service, gateway: 1, grpcGateway: stubbed.port }, own);
    const answer = await curl(proxy.port, HOST, '/v1', '-H', `Authorization: Bearer ${good}`);
    expect(answer.body).not.toContain('reached');
    expect(answer.status).toBeGreaterThanOrEqual(403);
  });
});

/** A server that answers the first bytes of each connection. Returns its port. */
async function stub(answer: (socket: Socket) => unknown, endings: Endings): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.add(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The gateway, which answers the holder of the good token once it is released, and everyone else at once. */
async function slowGateway({ gateway, good }: GatewayWorld, endings: Endings) {
  let held = 0;
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const [answer, denied] = [toNodeHandler(gateway.fetch), toNodeHandler(gateway.denied)];
  const wait = async (text: string) => {
    if (!text.includes(good)) return;
    held++;
    await released;
  };
  const server = createHttpServer(async (request, response) => {
    await wait(String(request.headers.authorization));
    await (request.url?.startsWith('/denied') ? denied : answer)(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { envoy } = gateway;
  const Check: EnvoyHandlers['Check'] = (call, callback) => {
    void wait(call.request.toString('latin1')).then(() => envoy.handlers.Check(call, callback));
  };
  const grpc = await serveEnvoy({ ...envoy, handlers: { Check } });
  endings.add(() => {
    release();
    server.closeAllConnections();
    server.close();
    grpc.close();
  });
  const ports = { gateway: (server.address() as AddressInfo).port, grpcGateway: grpc.port };
  return { ports, release, held: () => held };
}
