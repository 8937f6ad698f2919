import { writeFile } from 'node:fs/promises';
import { generateKeys, type VerifyHopOptions, verifyHop } from 'postern/jwt';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { requireTool } from '../support/tools.js';
import {
  answersIn,
  type CurlAnswer,
  curl,
  Endings,
  HOST,
  lint,
  requireProxy,
  run,
  serveGateway,
  startProxy,
  startUpstream,
  there,
} from './real-proxies.js';
import { type GatewayWorld, gatewayWorld, ISSUER } from './world.js';

const host = (endpoint: string) => `${endpoint}.acme.cloud.example.com`;
const bearer = (token: string) => ['-H', `Authorization: Bearer ${token}`];

/** What the Python service got; `null`: it was not reached. */
function reached({
  body,
}: CurlAnswer): { method: string; target: string; length: number; headers: [string, string][] } | null {
  return body.startsWith('{"reached"') ? JSON.parse(body) : null;
}

describe.each(there())('behind %s', (name) => {
  const endings = new Endings();
  let world: GatewayWorld;
  let ports: { gateway: number; grpcGateway: number; service: number };
  let port: number;
  let jwks: VerifyHopOptions['jwks'];
  let bob: string;

  beforeAll(async () => {
    requireProxy(name);
    const { endpointFromHost } = await import('postern/gateway');
    const { internalNetworks } = await import('postern/zones');
    world = await gatewayWorld({
      requirement: endpointFromHost('{endpoint}.{organization}.cloud.example.com'),
      trustedProxies: ['127.0.0.1'],
      zone: internalNetworks(['10.0.0.0/8']),
      hop: { issuer: ISSUER, keys: await generateKeys() },
    });
    jwks = await world.gateway.jwks();
    bob = await world.token({ endpoints: ['summarizer'], owner: 'bob' });
    const service = await startUpstream(endings);
    const { http, grpc } = await serveGateway(world.gateway, endings);
    ports = { gateway: http, grpcGateway: grpc, service };
    ({ port } = await startProxy(name, ports, endings));
  });
  afterAll(() => endings.run());

  const call = (path: string, ...args: readonly string[]) => curl(port, HOST, path, ...args);

  it('its ready file is valid', async () => {
    expect(await lint(name)).toMatchObject({ code: 0 });
  });

  it('a call that may pass reaches the service with its identity, and without its token', async () => {
    const answer = await call('/v1/summarize?lang=de', '-X', 'POST', '-d', 'text', ...bearer(world.good));
    const got = reached(answer);
    expect(got).toMatchObject({ method: 'POST', target: '/v1/summarize?lang=de', length: 4 });
    const headers = new Headers(got?.headers);
    expect(headers.get('x-postern-owner')).toBe('ada');
    expect(headers.get('authorization') ?? '').toBe('');
    const options = { issuer: ISSUER, audience: 'acme/summarizer', jwks, clock: world.clock.now };
    expect(await verifyHop({ method: 'POST', url: got?.target, headers }, options)).toMatchObject({ owner: 'ada' });
    expect(await verifyHop({ method: 'POST', url: '/v1/other', headers }, options)).toBeNull();
  });

  it('a public endpoint gets nobody’s identity, whatever the caller writes', async () => {
    const forged = [
      '-H',
      'X-Postern-Owner: root',
      '-H',
      'Postern-Identity: e30.e30.e30',
      '-H',
      'X-Postern-Types: developer',
    ];
    const got = reached(await curl(port, host('status'), '/', ...forged));
    const identity = got?.headers.filter(([each]) => /postern/i.test(each)) ?? [];
    expect(got).not.toBeNull();
    expect(identity.filter(([, value]) => value !== '')).toEqual([]);
  });

  it.each(['X_Postern_Owner', 'X.Postern.Owner', 'x-postern_owner', 'POSTERN_IDENTITY', 'X_POSTERN_TYPES'])(
    'the alias %s does not reach the service',
    async (alias) => {
      for (const args of [[], bearer(world.good)]) {
        for (const named of [HOST, host('status')]) {
          const got = reached(await curl(port, named, '/', '-H', `${alias}: root`, ...args));
          expect(got?.headers.filter(([, value]) => value === 'root') ?? []).toEqual([]);
        }
      }
    },
  );

  it('forwarded headers of a caller change nothing', async () => {
    const forged: readonly (readonly string[])[] = [
      [`X-Forwarded-Host: ${host('status')}`],
      [`X-Forwarded-Host: ${host('status')}`, 'X-Forwarded-Method: GET', 'X-Forwarded-Uri: /'],
      [`X-Original-Host: ${host('status')}`, 'X-Original-Uri: /', 'X-Original-Method: GET'],
      [`Forwarded: for=10.0.0.1;host=${host('status')}`],
      ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 10.0.0.1'],
      ['X-Forwarded-For: 10.0.0.1, 127.0.0.1'],
      ['X-Envoy-External-Address: 10.0.0.1', 'X-Forwarded-Proto: https'],
    ];
    for (const headers of forged) {
      const args = headers.flatMap((each) => ['-H', each]);
      for (const named of [HOST, host('metrics')]) {
        const answer = await curl(port, named, '/v1', ...args);
        expect(reached(answer), `${named} with ${headers.join()}`).toBeNull();
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
  });

  it.each(['//v1', '/v1/../admin', '/%2e%2e/admin', '/a%2fb', '/a;b=c', '/a//b', '/.', '/a\\b', '/%00', '/v1?x=/../y'])(
    'the path %s is refused, or the hop is for the path that the service gets',
    async (path) => {
      const got = reached(await call(path, ...bearer(world.good)));
      expect(reached(await call(path))).toBeNull();
      if (got === null) return;
      const options = { issuer: ISSUER, audience: 'acme/summarizer', jwks, clock: world.clock.now };
      const request = { method: 'GET', url: got.target, headers: new Headers(got.headers) };
      expect(await verifyHop(request, options)).not.toBeNull();
    },
  );

  it('two callers on one connection are two', async () => {
    const url = `http://127.0.0.1:${port}/v1`;
    const one = (token: string | null) => [
      '-s',
      '-i',
      '-w',
      '\n',
      '-H',
      `Host: ${HOST}`,
      ...(token === null ? [] : bearer(token)),
      url,
    ];
    const calls = [world.good, null, bob, 'pst_x', world.good].flatMap((each, i) => [
      ...(i > 0 ? ['--next'] : []),
      ...one(each),
    ]);
    const answers = answersIn((await run('curl', calls, '.')).output);
    const owners = answers.map((each) => [each.status, new Headers(reached(each)?.headers).get('x-postern-owner')]);
    expect(owners).toEqual([
      [200, 'ada'],
      [401, null],
      [200, 'bob'],
      [401, null],
      [200, 'ada'],
    ]);
  });

  it('a body of 20 MB passes, and is not read for a refusal', async () => {
    const file = `/tmp/postern-body-${process.pid}-${name}`;
    await writeFile(file, Buffer.alloc(20_000_000));
    onTestFinished(() => import('node:fs/promises').then(({ rm }) => rm(file)));
    const got = reached(await call('/v1', '-X', 'POST', '--data-binary', `@${file}`, ...bearer(world.good)));
    expect(got?.length).toBe(20_000_000);
    expect(reached(await call('/v1', '-X', 'POST', '--data-binary', `@${file}`))).toBeNull();
  });

  it('a token that was revoked is refused with the next call', async () => {
    const { token, record } = await world.issue({ endpoints: ['summarizer'] });
    expect((await call('/v1', ...bearer(token))).status).toBe(200);
    await world.postern.tokens.revoke(record.id);
    expect((await call('/v1', ...bearer(token))).status).toBe(401);
  });
});

it('nginx that caches answers of the gateway lets nobody in by another’s', async () => {
  requireTool('nginx');
  const endings = new Endings();
  onTestFinished(() => endings.run());
  const { endpointFromHost } = await import('postern/gateway');
  const requirement = endpointFromHost('{endpoint}.{organization}.cloud.example.com');
  const { gateway, good } = await gatewayWorld({ requirement, trustedProxies: ['127.0.0.1'] });
  const service = await startUpstream(endings);
  const { http, grpc } = await serveGateway(gateway, endings);
  const caching = (text: string) =>
    text
      // So that the workers of a root's nginx may write into the folder.
      .replace('worker_processes auto;', 'user root;')
      .replace('upstream postern {', 'proxy_cache_path cache keys_zone=answers:1m;\n  upstream postern {')
      .replace('proxy_cache off;', 'proxy_cache answers; proxy_cache_key one; proxy_cache_valid any 1m;');
  const { port } = await startProxy('nginx', { gateway: http, grpcGateway: grpc, service }, endings, caching);
  const status = async (token: string) => (await curl(port, HOST, '/v1', ...bearer(token))).status;
  expect([await status(good), await status('pst_x'), await status(good)]).toEqual([200, 401, 200]);
});
