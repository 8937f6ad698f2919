import { createGateway, endpointFromHeader, endpointFromHost } from 'postern/gateway';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { forwarded, gatewayWorld, PROXY } from './world.js';

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
