import { derive } from 'postern/jwt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { forwarded, gatewayWorld, PROXY } from './world.js';

const address = PROXY;

describe('who is no trusted proxy', () => {
  it.each([undefined, null, '', 'unix:', '192.0.2.2', '192.0.2.1.', 'localhost', 1, {}, ['192.0.2.1']])(
    'is refused, whatever it says: the address %j',
    async (stranger) => {
      const { gateway, good } = await gatewayWorld();
      const asker = { address: stranger as string };
      for (const ask of [gateway.fetch, gateway.denied]) {
        const answer = await ask(forwarded({ host: 'status.acme.cloud.test', token: good, from: PROXY }), asker);
        expect(answer.status).toBe(403);
        expect(await answer.json()).toMatchObject({ code: 'proxy_not_trusted' });
        expect([...answer.headers.keys()].filter((name) => name.includes('postern'))).toEqual([]);
      }
    },
  );

  it('is not trusted by an Object.prototype that was polluted, nor by another runtime’s second argument', async () => {
    const { gateway, good } = await gatewayWorld();
    Object.defineProperty(Object.prototype, 'address', { value: PROXY, configurable: true });
    onTestFinished(() => void delete (Object.prototype as { address?: string }).address);
    for (const asker of [{}, undefined, { env: 1 }, 'x'] as never[]) {
      expect((await gateway.fetch(forwarded({ token: good }), asker)).status).toBe(403);
    }
  });
});

describe('headers that a caller writes', () => {
  it('another method is refused where the question is the call, and its caller describes another one', async () => {
    const { gateway, good, clock } = await gatewayWorld();
    const token = await derive(good, { methods: ['GET'], clock: clock.now });
    const ask = async (method: string, told: Request | null) => {
      const headers = new Headers(told?.headers);
      headers.set('authorization', `Bearer ${token}`);
      return (await gateway.fetch(new Request('http://summarizer.acme.cloud.test/', { method, headers }), { address }))
        .status;
    };
    expect(await ask('GET', null)).toBe(200);
    expect(await ask('POST', null)).toBe(403);
    expect(await ask('POST', forwarded({ method: 'GET' }))).toBe(400);
    // As proxies ask that describe the call.
    expect(await ask('GET', forwarded({ method: 'POST' }))).toBe(403);
    expect(await ask('HEAD', forwarded({ method: 'GET' }))).toBe(200);
    expect(await ask('POST', forwarded({ method: 'POST' }))).toBe(403);
  });

  it('a second host is refused where both fit the pattern', async () => {
    const { gateway } = await gatewayWorld();
    const request = new Request('http://summarizer.acme.cloud.test/auth', {
      headers: forwarded({ host: 'status.acme.cloud.test' }).headers,
    });
    expect((await gateway.fetch(request, { address })).status).toBe(400);
  });

  it.each([
    ['x-forwarded-host', 'status.acme.cloud.test'],
    ['x-forwarded-method', 'GET'],
    ['x-forwarded-uri', '/other'],
    ['x-original-uri', '/other'],
    ['x-original-method', 'POST'],
    ['x-forwarded-proto', 'http'],
  ])('%s beside the one that the proxy wrote is refused', async (name, value) => {
    const { gateway, good } = await gatewayWorld();
    const request = forwarded({ token: good });
    request.headers.append(name, value);
    expect((await gateway.fetch(request, { address })).status).toBe(400);
  });

  it.each([
    'X_Postern_Owner',
    'x.postern.owner',
    'X-Postern_Types',
    'POSTERN_IDENTITY',
    'postern.identity',
    'Postern+Identity',
    "x'postern~owner",
  ])('the alias %s of an identity header is refused', async (name) => {
    const { gateway, good } = await gatewayWorld();
    const answer = await gateway.fetch(forwarded({ token: good, headers: { [name]: 'root' } }), { address });
    expect(answer.status).toBe(400);
  });

  it('an identity header is replaced', async () => {
    const { gateway, good } = await gatewayWorld();
    const headers = { 'X-Postern-Owner': 'root', 'Postern-Identity': 'x' };
    const answer = await gateway.fetch(forwarded({ token: good, headers }), { address });
    expect(answer.headers.get('x-postern-owner')).toBe('ada');
    expect(answer.headers.get('postern-identity')).toBe('');
  });

  it('X-Forwarded-For makes nobody internal, unless the proxy wrote it', async () => {
    const { gateway } = await gatewayWorld();
    const metrics = { host: 'metrics.acme.cloud.test' };
    for (const from of [
      '10.0.0.1, 198.51.100.7',
      '10.0.0.1,',
      'unix:',
      '10.0.0.1 198.51.100.7',
      `10.0.0.1,${PROXY},x`,
    ]) {
      expect((await gateway.fetch(forwarded({ ...metrics, from }), { address })).status).toBe(404);
    }
    const long = `${'10.0.0.1,'.repeat(1000)}10.0.0.1`;
    expect((await gateway.fetch(forwarded({ ...metrics, from: long }), { address })).status).toBe(404);
  });

  it('two credentials are refused', async () => {
    const { gateway, good } = await gatewayWorld();
    const request = forwarded({ token: good });
    request.headers.append('authorization', `Bearer ${good}`);
    expect((await gateway.fetch(request, { address })).status).toBe(400);
  });
});

describe('calls that are told in an odd way', () => {
  it.each([
    'summarizer.acme.cloud.test, x',
    'a b',
    'summarizer.acme.cloud.test/',
    'user@summarizer.acme.cloud.test',
    'x\u00e9',
    '',
  ])('the host %j is refused', async (host) => {
    const { gateway, good } = await gatewayWorld();
    expect((await gateway.fetch(forwarded({ token: good, host }), { address })).status).toBe(400);
  });

  it.each([
    '/a/../b',
    '/%2e%2e/b',
    '/a\\b',
    '/.',
    'a',
    'http://status.acme.cloud.test/',
    '//a/../b',
    '/a#b',
    '/a b',
    '*',
    '',
  ])('the path %j is refused', async (uri) => {
    const { gateway, good } = await gatewayWorld();
    expect((await gateway.fetch(forwarded({ token: good, uri }), { address })).status).toBe(400);
  });

  it.each(['//a', '/a//b', '/a;b', '/%2f', '/a%2F..%2Fb', '/?a=/../b'])(
    'the path %j is taken as it is',
    async (uri) => {
      const seen: string[] = [];
      const { gateway, good } = await gatewayWorld({
        requirement: ({ target }) => {
          seen.push(target);
          return { endpoint: 'summarizer' };
        },
      });
      expect((await gateway.fetch(forwarded({ token: good, uri }), { address })).status).toBe(200);
      expect(seen).toEqual([uri]);
    },
  );

  it.each(['GET, POST', 'G E T', '', 'GET/1', 'x'.repeat(40)])('the method %j is refused', async (method) => {
    const { gateway, good } = await gatewayWorld();
    expect((await gateway.fetch(forwarded({ token: good, method }), { address })).status).toBe(400);
  });
});

describe('a fault', () => {
  it('of the store is 503, never an allow', async () => {
    const { gateway, good, store } = await gatewayWorld();
    store.failAll(new Error('down'));
    expect((await gateway.fetch(forwarded({ token: good }), { address })).status).toBe(503);
    expect((await gateway.denied(forwarded({ token: good }), { address })).status).toBe(503);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret detail'))],
    ['returns nothing', () => null],
    ['returns nonsense', () => 'yes' as never],
  ])('a requirement that %s is refused', async (_, requirement) => {
    const { gateway, good } = await gatewayWorld({ requirement });
    const answer = await gateway.fetch(forwarded({ token: good }), { address });
    expect(answer.status).toBeGreaterThanOrEqual(403);
    expect(await answer.text()).not.toContain('secret');
  });

  it('of a zone function is refused', async () => {
    const { gateway } = await gatewayWorld({
      zone: () => {
        throw new Error('x');
      },
    });
    expect((await gateway.fetch(forwarded({ host: 'metrics.acme.cloud.test' }), { address })).status).toBe(500);
  });
});

it('two callers on one connection of the proxy are two: nothing of the first is kept', async () => {
  const { gateway, good, token } = await gatewayWorld();
  const other = await token({ endpoints: ['summarizer'], owner: 'bob' });
  const tokens = [good, undefined, other, 'pst_x', good];
  const answers = await Promise.all(
    tokens.map((each) => gateway.fetch(forwarded(each === undefined ? {} : { token: each }), { address })),
  );
  expect(answers.map(({ status, headers }) => [status, headers.get('x-postern-owner')])).toEqual([
    [200, 'ada'],
    [401, null],
    [200, 'bob'],
    [401, null],
    [200, 'ada'],
  ]);
});

it('a token that was revoked is refused with the next question', async () => {
  const { gateway, issue, postern } = await gatewayWorld();
  const { token, record } = await issue({ endpoints: ['summarizer'] });
  expect((await gateway.fetch(forwarded({ token }), { address })).status).toBe(200);
  await postern.tokens.revoke(record.id);
  expect((await gateway.fetch(forwarded({ token }), { address })).status).toBe(401);
});
