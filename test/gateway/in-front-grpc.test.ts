import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endpointFromHost } from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { PYTHON, requireTool } from '../support/tools.js';
import { Endings, isThere, type Ports, type ProxyName, run, serveGateway, startProxy } from './real-proxies.js';
import { type GatewayWorld, gatewayWorld, ISSUER } from './world.js';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../examples/upstream', import.meta.url));
const HOST = 'summarizer.acme.cloud.example.com';

interface Call {
  readonly host?: string;
  readonly path?: string;
  readonly metadata?: readonly (readonly [string, string])[];
}

type Outcome = readonly [
  code: string,
  details: string,
  answers: number,
  metadata: readonly (readonly [string, string])[],
];

const there = (['nginx', 'envoy'] satisfies ProxyName[]).filter((name) => name === 'nginx' || isThere(name));

describe.each(there)('gRPC behind %s', (name) => {
  const endings = new Endings();
  let world: GatewayWorld;
  let ports: Ports;
  let port: number;
  const portOf = ({ port, grpcPort }: { port: number; grpcPort: number }) => (name === 'nginx' ? grpcPort : port);

  beforeAll(async () => {
    for (const tool of ['nginx', 'gRPC for Python', 'PyJWT for Python']) requireTool(tool);
    world = await gatewayWorld({
      requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
      trustedProxies: ['127.0.0.1'],
      hop: { issuer: ISSUER, keys: await generateKeys() },
    });
    const jwks = await world.gateway.jwks();
    const options = {
      examples: EXAMPLES,
      issuer: ISSUER,
      audience: 'acme/summarizer',
      jwks,
      now: world.clock.now() / 1000,
    };
    const child = spawn(PYTHON, [`${HERE}grpc_upstream.py`, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endings.add(() => child.kill('SIGKILL'));
    const grpcService = await new Promise<number>((resolve) =>
      child.stdout.once('data', (text) => resolve(Number(text))),
    );
    const { http, grpc } = await serveGateway(world.gateway, endings);
    ports = { gateway: http, grpcGateway: grpc, service: 1, grpcService };
    port = portOf(await startProxy(name, ports, endings));
  });
  afterAll(() => endings.run());

  async function call(to: number, ...calls: readonly Call[]): Promise<Outcome[]> {
    const all = calls.map((each) => ({ host: HOST, path: '/bento.Summarizer/Summarize', metadata: [], ...each }));
    const { code, output } = await run(
      PYTHON,
      [`${HERE}grpc_caller.py`, JSON.stringify({ port: to, calls: all })],
      HERE,
    );
    if (code !== 0) throw new Error(output);
    return JSON.parse(output);
  }

  const bearer = (token: string) => ['authorization', `Bearer ${token}`] as const;

  it('a call and a stream reach the service with a hop that its interceptor accepts', async () => {
    const metadata = [bearer(world.good), ['x-postern-owner', 'root']] as const;
    const [unary, stream] = await call(port, { metadata }, { metadata, path: '/bento.Summarizer/Stream' });
    expect(unary?.slice(0, 3)).toEqual(['OK', '', 1]);
    expect(stream?.slice(0, 3)).toEqual(['OK', '', 3]);
    const got = new Map(unary?.[3]);
    expect(got.get('x-postern-owner')).toBe('ada');
    expect(got.has('authorization')).toBe(false);
  });

  it('every refusal has its true status and message', async () => {
    const other = await world.token({ endpoints: ['translator'] });
    const outcomes = await call(
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

  it('the service refuses a call without a hop, which its public endpoint would let through', async () => {
    const [outcome] = await call(port, { host: 'status.acme.cloud.example.com' });
    expect(outcome?.slice(0, 2)).toEqual(['UNAUTHENTICATED', 'The call has no valid identity.']);
  });

  it('a store that is down is UNAVAILABLE, and so is a gateway that is', async () => {
    const unread = await world.token({ endpoints: ['summarizer'] });
    world.store.failAll(new Error('down'));
    onTestFinished(() => world.store.mend());
    const [outage] = await call(port, { metadata: [bearer(unread)] });
    expect(outage?.[0]).toBe('UNAVAILABLE');
    const own = new Endings();
    onTestFinished(() => own.run());
    const proxy = await startProxy(name, { ...ports, gateway: 1, grpcGateway: 1 }, own);
    const [down] = await call(portOf(proxy), { metadata: [bearer(world.good)] });
    expect(down?.[0]).toBe('UNAVAILABLE');
  });
});
