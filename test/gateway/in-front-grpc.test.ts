import { endpointFromHost } from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { requireTool } from '../support/tools.js';
import {
  Endings,
  type GrpcCall,
  grpcCalls,
  type Ports,
  requireProxy,
  serveGateway,
  startGrpcUpstream,
  startProxy,
  there,
} from './real-proxies.js';
import { type GatewayWorld, gatewayWorld, ISSUER } from './world.js';

describe.each(there())('gRPC behind %s', (name) => {
  const endings = new Endings();
  let world: GatewayWorld;
  let ports: Ports;
  let port: number;

  beforeAll(async () => {
    requireProxy(name);
    for (const tool of ['gRPC for Python', 'PyJWT for Python']) requireTool(tool);
    world = await gatewayWorld({
      requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
      trustedProxies: ['127.0.0.1'],
      hop: { issuer: ISSUER, keys: await generateKeys() },
    });
    const jwks = await world.gateway.jwks();
    const options = { issuer: ISSUER, audience: 'acme/summarizer', jwks, now: world.clock.now() / 1000 };
    const grpcService = await startGrpcUpstream(endings, options);
    const { http, grpc } = await serveGateway(world.gateway, endings);
    ports = { gateway: http, grpcGateway: grpc, service: 1, grpcService };
    port = (await startProxy(name, ports, endings)).grpcPort;
  });
  afterAll(() => endings.run());

  const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;

  it('a call and a stream reach the service with a hop that its interceptor accepts', async () => {
    const metadata = [bearer(world.good), ['x-postern-owner', 'root']] as const;
    const [unary, stream] = await grpcCalls(port, { metadata }, { metadata, path: '/bento.Summarizer/Stream' });
    expect(unary?.slice(0, 3)).toEqual(['OK', '', 1]);
    expect(stream?.slice(0, 3)).toEqual(['OK', '', 3]);
    const got = new Map(unary?.[3]);
    expect(got.get('x-postern-owner')).toBe('ada');
    expect(got.has('authorization')).toBe(false);
  });

  it('a message of 20 MB passes, and is no use to a caller who may not', async () => {
    const size = 20_000_000;
    const [known, nobody] = await grpcCalls(port, { metadata: [bearer(world.good)], size }, { size });
    expect([known?.[0], new Map(known?.[3]).get(':size')]).toEqual(['OK', String(size)]);
    expect(nobody?.[0]).not.toBe('OK');
  });

  it('every refusal has its true status and message', async () => {
    const other = await world.token({ endpoints: ['translator'] });
    const outcomes = await grpcCalls(
      port,
      {},
      { metadata: [bearer('pst_nothing')] },
      { metadata: [bearer(other)] },
      { metadata: [bearer(world.good)], host: 'nowhere.acme.cloud.example.com' },
      { metadata: [bearer(world.good)], host: 'metrics.acme.cloud.example.com' },
      { metadata: [['authorization', 'Bearer a b']], path: '/bento.Summarizer/Stream' },
    );
    expect(outcomes.map(([code, details]) => [code, details])).toEqual([
      ['UNAUTHENTICATED', 'This needs a token, and none came with the call.'],
      ['UNAUTHENTICATED', 'The token is not valid.'],
      ['PERMISSION_DENIED', 'The token does not reach this endpoint.'],
      ['NOT_FOUND', 'There is nothing here.'],
      ['NOT_FOUND', 'There is nothing here.'],
      ['UNAUTHENTICATED', 'Send exactly one token, in one metadata entry.'],
    ]);
  });

  it('callers that share a connection are told apart', async () => {
    const bob = await world.token({ endpoints: ['summarizer'], owner: 'bob' });
    const metadata = [[bearer(world.good)], [], [bearer(bob)], [bearer('pst_x')], [bearer(world.good)]];
    const outcomes = await grpcCalls(port, ...metadata.map((each) => ({ metadata: each })));
    expect(outcomes.map(([code, , , got]) => [code, new Map(got).get('x-postern-owner')])).toEqual([
      ['OK', 'ada'],
      ['UNAUTHENTICATED', undefined],
      ['OK', 'bob'],
      ['UNAUTHENTICATED', undefined],
      ['OK', 'ada'],
    ]);
  });

  it('metadata that a caller forges lets nobody in, and no alias of an identity reaches the service', async () => {
    const forged = [
      ['x-forwarded-host', 'status.acme.cloud.example.com'],
      ['x-forwarded-method', 'POST'],
      ['x-forwarded-uri', '/'],
      ['x-original-uri', '/'],
      ['x-forwarded-for', '10.0.0.1'],
      ['postern-identity', 'e30.e30.e30'],
      ['x_postern_owner', 'root'],
      ['x.postern.owner', 'root'],
      ['grpc-status', '0'],
    ] as const;
    const calls: GrpcCall[] = [
      { metadata: forged },
      ...forged.map((each) => ({ metadata: [each] })),
      { metadata: forged, host: 'metrics.acme.cloud.example.com' },
      { metadata: [bearer(world.good), bearer('pst_x')] },
      { metadata: [bearer('pst_x'), bearer(world.good)] },
    ];
    for (const [code] of await grpcCalls(port, ...calls)) expect(code).not.toBe('OK');
    const known = await grpcCalls(port, ...forged.map((each) => ({ metadata: [bearer(world.good), each] })));
    for (const [, , , got] of known) expect(got.filter(([, value]) => value === 'root')).toEqual([]);
  });

  it.each([
    'bento.Summarizer/Summarize',
    '//bento.Summarizer/Summarize',
    '/x/../bento.Summarizer/Summarize',
    '/bento.Summarizer%2fSummarize',
    '/bento.Summarizer/Summarize;x',
    '/bento.Summarizer/Summarize?x',
    '',
  ])('the path "%s" lets nobody in, and a hop for it fits, if it reaches the service', async (path) => {
    const [nobody, known] = await grpcCalls(port, { path }, { path, metadata: [bearer(world.good)] });
    expect(nobody?.[0]).not.toBe('OK');
    expect(known?.[1]).not.toBe('The call has no valid identity.');
  });

  it('the service refuses a call without a hop, which its public endpoint would let through', async () => {
    const [outcome] = await grpcCalls(port, { host: 'status.acme.cloud.example.com' });
    expect(outcome?.slice(0, 2)).toEqual(['UNAUTHENTICATED', 'The call has no valid identity.']);
  });

  it('a store that is down is UNAVAILABLE, and so is a gateway that is', async () => {
    const unread = await world.token({ endpoints: ['summarizer'] });
    world.store.failAll(new Error('down'));
    onTestFinished(() => world.store.mend());
    const [outage] = await grpcCalls(port, { metadata: [bearer(unread)] });
    expect(outage?.[0]).toBe('UNAVAILABLE');
    const own = new Endings();
    onTestFinished(() => own.run());
    const proxy = await startProxy(name, { ...ports, gateway: 1, grpcGateway: 1 }, own);
    const [down] = await grpcCalls(proxy.grpcPort, { metadata: [bearer(world.good)] });
    // Traefik answers 500, which clients read so.
    expect(down?.[0]).toBe(name === 'traefik' ? 'UNKNOWN' : 'UNAVAILABLE');
  });
});
