import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createGateway,
  endpointFromContext,
  endpointFromHeader,
  endpointFromHost,
  toNodeHandler,
  verifyHop,
} from 'postern/gateway';
import { generateKeys } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../transports/support.js';
import { envoyClient, headersOf } from './envoy-client.js';
import { forwarded, gatewayWorld, ISSUER, PROXY } from './world.js';

const address = PROXY;

describe('a question over HTTP', () => {
  it('is answered with exactly 200, no-store and every identity header', async () => {
    const { gateway, good } = await gatewayWorld();
    const answer = await gateway.fetch(forwarded({ token: good }), { address });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'postern-identity': '',
      'x-postern-owner': 'ada',
      'x-postern-organization': 'acme',
      'x-postern-types': 'user',
      'x-postern-token': expect.stringMatching(/^\w+$/),
    });
  });

  it('about a public endpoint has every identity header, empty', async () => {
    const { gateway, good } = await gatewayWorld();
    const answer = await gateway.fetch(forwarded({ host: 'status.acme.cloud.test', token: good }), { address });
    const identity = [...answer.headers].filter(([name]) => name.includes('postern'));
    expect(answer.status).toBe(200);
    expect(identity.map(([, value]) => value)).toEqual(['', '', '', '', '']);
  });

  it('shows an owner that no header could hold in percent-encoding', async () => {
    const { gateway, token } = await gatewayWorld();
    const owner = await token({ endpoints: '*', owner: 'Zoë 50%\n' });
    const answer = await gateway.fetch(forwarded({ token: owner }), { address });
    expect(answer.headers.get('x-postern-owner')).toBe('Zo%C3%AB%2050%25%0A');
  });

  it('tells what is left of a limit', async () => {
    const { gateway, token } = await gatewayWorld();
    const limited = await token({ endpoints: '*', rateLimit: { points: 1, duration: '1m' } });
    const first = await gateway.fetch(forwarded({ token: limited }), { address });
    const second = await gateway.fetch(forwarded({ token: limited }), { address });
    expect(first.headers.get('ratelimit')).toMatch(/;r=0;/);
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('may be the call itself, if its own host fits the pattern', async () => {
    const { gateway, good } = await gatewayWorld();
    const ask = (url: string) =>
      gateway.fetch(new Request(url, { headers: { authorization: `Bearer ${good}` } }), { address });
    expect((await ask('http://summarizer.acme.cloud.test/v1')).status).toBe(200);
    expect((await ask('http://status.acme.cloud.test/v1')).status).toBe(200);
    expect((await ask('http://metrics.acme.cloud.test/v1')).status).toBe(404);
  });

  it('is the call itself with callFrom: request', async () => {
    const { gateway, good } = await gatewayWorld({ callFrom: 'request' });
    const request = new Request('http://summarizer.acme.cloud.test/v1', {
      headers: { authorization: `Bearer ${good}` },
    });
    expect((await gateway.fetch(request, { address })).status).toBe(200);
    expect((await gateway.fetch(forwarded({ token: good }), { address })).status).toBe(404);
  });

  it('without a header that the proxy must set is a fault, and says which', async () => {
    const { gateway, good, events } = await gatewayWorld();
    for (const name of ['x-forwarded-method', 'x-forwarded-host', 'x-forwarded-uri']) {
      const request = forwarded({ token: good });
      request.headers.delete(name);
      expect((await gateway.fetch(request, { address })).status).toBe(500);
      expect(String(events.findLast((each) => each.type === 'fault')?.error)).toContain(name);
    }
  });

  it('may have the names that are usual with nginx', async () => {
    const { gateway, good } = await gatewayWorld();
    const request = forwarded({ token: good, headers: { 'x-original-method': 'GET', 'x-original-uri': '/v1' } });
    request.headers.delete('x-forwarded-method');
    request.headers.delete('x-forwarded-uri');
    expect((await gateway.fetch(request, { address })).status).toBe(200);
  });
});

describe('the caller behind the proxy', () => {
  const metrics = { host: 'metrics.acme.cloud.test' };

  it('is internal by the entry that the proxy wrote', async () => {
    const { gateway } = await gatewayWorld();
    const status = async (from: string) => (await gateway.fetch(forwarded({ ...metrics, from }), { address })).status;
    expect(await status('10.1.2.3')).toBe(200);
    expect(await status('203.0.113.9, 10.1.2.3')).toBe(200);
    expect(await status('10.1.2.3, 203.0.113.9')).toBe(404);
    expect(await status('')).toBe(404);
    expect(await status(PROXY)).toBe(404);
  });

  it('is found further out by the trusted proxies of the zone', async () => {
    const { internalNetworks } = await import('postern/zones');
    const zone = internalNetworks(['10.0.0.0/8'], { trustedProxies: ['203.0.113.5'] });
    const { gateway } = await gatewayWorld({ zone });
    const status = async (from: string) => (await gateway.fetch(forwarded({ ...metrics, from }), { address })).status;
    expect(await status('10.1.2.3, 203.0.113.5')).toBe(200);
    expect(await status('10.1.2.3, 203.0.113.6')).toBe(404);
  });

  it('is a function’s to judge, with its address', async () => {
    const seen: unknown[] = [];
    const { gateway, good } = await gatewayWorld({
      requirement: (call) => {
        seen.push([call.address, call.method, call.host, call.path, call.target, call.scheme]);
        return { endpoint: 'summarizer' };
      },
    });
    await gateway.fetch(forwarded({ method: 'POST', uri: '/v1/a?b=c', token: good }), { address });
    expect(seen).toEqual([['198.51.100.7', 'POST', 'summarizer.acme.cloud.test', '/v1/a', '/v1/a?b=c', 'https']]);
  });
});

describe('the error page', () => {
  it('has the refusal of the question', async () => {
    const { gateway, token } = await gatewayWorld();
    const other = await token({ endpoints: ['translator'] });
    for (const token of [undefined, other, 'pst_x']) {
      const request = () => forwarded(token === undefined ? {} : { token });
      const answer = await gateway.fetch(request(), { address });
      const page = await gateway.denied(request(), { address });
      expect(page.status).toBe(answer.status);
      expect([...page.headers]).toEqual([...answer.headers]);
      expect(await page.text()).toBe(await answer.text());
    }
  });

  it('never lets a call through', async () => {
    const { gateway, good } = await gatewayWorld();
    const page = await gateway.denied(forwarded({ token: good }), { address });
    expect(page.status).toBe(503);
    expect(page.headers.get('retry-after')).toBe('1');
    expect(page.headers.get('x-postern-owner')).toBeNull();
  });
});

describe('a gRPC call that is refused', () => {
  const headers = { 'content-type': 'application/grpc+proto' };

  it('has its gRPC status over HTTP, and never 200', async () => {
    const { gateway } = await gatewayWorld();
    const answer = await gateway.fetch(forwarded({ method: 'POST', uri: '/bento.Summarizer/Summarize', headers }), {
      address,
    });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('grpc-status')).toBe('16');
    expect(answer.headers.get('grpc-message')).toBe('This needs a token%2C and none came with the call.');
    expect(answer.headers.get('content-type')).toBe('application/grpc');
    expect(await answer.text()).toBe('');
  });

  it('has it for Envoy, beside the HTTP status', async () => {
    const { gateway } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const call = { method: 'POST', path: '/a.B/C', host: 'nowhere.acme.cloud.test' };
    const grpc = await envoy.check({ ...call, headers: [{ key: 'content-type', value: 'application/grpc' }] });
    expect(grpc.denied_response?.status.code).toBe(404);
    expect(headersOf(grpc.denied_response?.headers ?? [])).toMatchObject({
      'grpc-status': '5',
      'grpc-message': 'There is nothing here.',
    });
    const web = await envoy.check({ ...call, headers: [{ key: 'content-type', value: 'application/grpc-web' }] });
    expect(headersOf(web.denied_response?.headers ?? [])).not.toHaveProperty('grpc-status');
  });
});

describe('Envoy’s question', () => {
  it('is answered with headers that replace the caller’s, and with the removal of aliases', async () => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const answer = await envoy.check({
      host: 'Summarizer.acme.cloud.test:8443',
      path: '/v1?x=1',
      headers: [
        { key: ':path', value: '/v1?x=1' },
        { key: 'authorization', value: `Bearer ${good}` },
        { key: 'x-postern-owner', value: 'root' },
        { key: 'x_postern_owner', value: 'root' },
        { key: 'x-postern.owner', value: 'root' },
      ],
    });
    expect(answer.status).toEqual({ code: 0, message: '' });
    expect(answer.ok_response?.headers_to_remove.toSorted()).toEqual(['x-postern.owner', 'x_postern_owner']);
    const { headers = [] } = answer.ok_response ?? {};
    expect(headersOf(headers)).toMatchObject({ 'x-postern-owner': 'ada', 'postern-identity': '' });
    for (const each of headers) {
      expect(each).toMatchObject({ append_action: 'OVERWRITE_IF_EXISTS_OR_ADD', keep_empty_value: true });
    }
  });

  it('may name the endpoint in the context extensions', async () => {
    const { gateway, good } = await gatewayWorld({ trustedProxies: ['127.0.0.1'], requirement: endpointFromContext() });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const headers = [{ key: 'authorization', value: `Bearer ${good}` }];
    const code = async (context: Record<string, string>) => (await envoy.check({ headers, context })).status?.code;
    expect(await code({ endpoint: 'summarizer' })).toBe(0);
    expect(await code({ endpoint: 'summarizer', organization: 'acme' })).toBe(0);
    expect(await code({ endpoint: 'summarizer', organization: 'other' })).toBe(5);
    expect(await code({ endpoint: 'metrics' })).toBe(5);
    expect(await code({})).toBe(5);
  });

  it('has the caller’s address: the zone goes by it', async () => {
    const { gateway } = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const envoy = await envoyClient(gateway.envoy);
    onTestFinished(() => envoy.close());
    const headers = [{ key: 'x-forwarded-for', value: '10.9.9.9' }];
    const code = async (address: string) =>
      (await envoy.check({ host: 'metrics.acme.cloud.test', address, headers })).status?.code;
    expect(await code('10.1.2.3')).toBe(0);
    expect(await code('203.0.113.9')).toBe(5);
  });
});

describe('the hop of a gateway', () => {
  it('is verified by the service behind', async () => {
    const keys = await generateKeys();
    const { gateway, good, clock } = await gatewayWorld({ hop: { issuer: ISSUER, keys } });
    const call = { method: 'POST', uri: '/v1/summarize?lang=de', token: good };
    const answer = await gateway.fetch(forwarded(call), { address });
    const hop = answer.headers.get('postern-identity') as string;
    const options = { issuer: ISSUER, audience: 'acme/summarizer', jwks: await gateway.jwks(), clock: clock.now };
    const request = new Request('http://10.0.0.9:3000/v1/summarize?lang=fr', {
      method: 'POST',
      headers: { 'postern-identity': hop },
    });
    expect(await verifyHop(request, options)).toEqual({
      iss: ISSUER,
      aud: 'acme/summarizer',
      sub: answer.headers.get('x-postern-token'),
      owner: 'ada',
      organization: 'acme',
      types: ['user'],
      scope: '',
      endpoints: ['summarizer'],
      htm: 'POST',
      htu: 'https://summarizer.acme.cloud.test/v1/summarize',
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 30,
    });
    // The same call again: the same hop, until half of its life is over.
    const again = async () => (await gateway.fetch(forwarded(call), { address })).headers.get('postern-identity');
    expect(await again()).toBe(hop);
    clock.advance('15s');
    expect(await again()).not.toBe(hop);
  });

  it('is not made for another caller, method or path out of a kept one', async () => {
    const { gateway, good, token } = await gatewayWorld({ hop: { issuer: ISSUER, keys: await generateKeys() } });
    const other = await token({ endpoints: ['summarizer'], owner: 'bob' });
    const calls = [{ token: good }, { token: other }, { token: good, method: 'PUT' }, { token: good, uri: '/b' }];
    const hops = [];
    for (const each of calls) {
      hops.push((await gateway.fetch(forwarded(each), { address })).headers.get('postern-identity'));
    }
    expect(new Set(hops).size).toBe(4);
  });

  it('is not made if its key is of another algorithm', async () => {
    const keys = await generateKeys({ alg: 'ES256' });
    await expect(gatewayWorld({ hop: { issuer: ISSUER, keys } })).rejects.toMatchObject({ code: 'option_invalid' });
  });
});

describe('endpointFromHost', () => {
  it.each([
    '',
    'cloud.test',
    '{organization}.test',
    '{endpoint}-x.test',
    '{endpoint}.{endpoint}',
    '{endpoint}.*',
    '{endpoint}..test',
  ])('refuses the pattern %j', (pattern) => {
    expect(() => endpointFromHost(pattern)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  });

  it('finds whole labels only', () => {
    const find = endpointFromHost('{endpoint}.Cloud.test');
    const named = (host: string) => find({ host } as never).endpoint;
    expect(named('a.cloud.test')).toBe('a');
    expect(named('a.b.cloud.test')).toBeUndefined();
    expect(named('a.cloud.test.evil.test')).toBeUndefined();
    expect(named('acloud.test')).toBeUndefined();
    expect(named('a.cloudxtest')).toBeUndefined();
    expect(named('')).toBeUndefined();
  });
});

it('endpointFromHeader finds the endpoint that the proxy names', async () => {
  const { gateway, good } = await gatewayWorld({ requirement: endpointFromHeader('X-Endpoint') });
  const status = async (value: string | null) => {
    const headers = value === null ? {} : { 'x-endpoint': value };
    return (await gateway.fetch(forwarded({ token: good, headers }), { address })).status;
  };
  expect(await status('summarizer')).toBe(200);
  expect(await status('acme/summarizer')).toBe(200);
  expect(await status('other/summarizer')).toBe(404);
  expect(await status('status, summarizer')).toBe(404);
  expect(await status(null)).toBe(404);
});

describe('on node:http', () => {
  const ask = (port: number, host = '127.0.0.1') =>
    fetch(`http://${host}:${port}/auth`, {
      headers: Object.fromEntries(forwarded({ host: 'status.acme.cloud.test' }).headers),
    });

  it('the address comes from the socket', async () => {
    const trusted = await gatewayWorld({ trustedProxies: ['127.0.0.1'] });
    const stranger = await gatewayWorld();
    expect((await ask(await serve(toNodeHandler(trusted.gateway.fetch)))).status).toBe(200);
    expect((await ask(await serve(toNodeHandler(stranger.gateway.fetch)))).status).toBe(403);
    expect((await ask(await serve(toNodeHandler(trusted.gateway.denied)))).status).toBe(503);
  });

  it('a proxy on a socket file is unix:', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const [trustedProxies, status] of [
      [['unix:'], '200'],
      [['127.0.0.1'], '403'],
    ] as const) {
      const { gateway } = await gatewayWorld({ trustedProxies });
      const path = join(folder, `${status}.sock`);
      const server = createServer(toNodeHandler(gateway.fetch));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      onTestFinished(() => void server.close());
      const lines = [...forwarded({ host: 'status.acme.cloud.test' }).headers].map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(path);
        let text = '';
        socket.on('data', (chunk) => {
          text += chunk;
        });
        socket.on('close', () => resolve(text));
        socket.write(`GET /auth HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n${lines.join('')}\r\n`);
      });
      expect(answer.split(' ')[1]).toBe(status);
    }
  });
});

it('options are checked when the gateway is made', () => {
  const { postern } = createTestPostern();
  const requirement = endpointFromHost('{endpoint}.test');
  const make = (options: object) => () => createGateway(postern, options as never);
  const trustedProxies = ['127.0.0.1'];
  expect(make({ requirement })).toThrow(expect.objectContaining({ code: 'option_invalid', path: 'trustedProxies' }));
  expect(make({ requirement, trustedProxies: [] })).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  expect(make({ requirement, trustedProxies: ['everyone'] })).toThrow(
    expect.objectContaining({ code: 'option_invalid' }),
  );
  expect(make({ trustedProxies })).toThrow(expect.objectContaining({ code: 'option_invalid', path: 'requirement' }));
  expect(make({ requirement: { endpoints: 'x' }, trustedProxies })).toThrow(
    expect.objectContaining({ code: 'requirement_invalid' }),
  );
  expect(make({ requirement, trustedProxies, trustProxies: true })).toThrow(
    expect.objectContaining({ code: 'option_unknown' }),
  );
});
