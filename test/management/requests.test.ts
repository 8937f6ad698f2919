import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { toNodeHandler } from 'postern/management';
import { describe, expect, onTestFinished, test } from 'vitest';
import { send } from '../transports/http-client.js';
import { listening, world } from './world.js';

const TOKENS = '/api/v1/api_tokens';
const DEVELOPER = { name: 'x', types: { developer: { scopes: ['models:read'] } } };
const JSON_TYPE = { 'content-type': 'application/json' };

describe('credentials on a real socket', () => {
  test('are accepted in either header, and refused in both or twice', async () => {
    const { api, tokens } = await world();
    const port = Number(new URL(await listening(api)).port);
    const token = tokens.admin?.token as string;
    const status = async (...headers: [string, string][]) =>
      (await send(port, { path: '/api/v1/auth/current', headers })).status;
    expect(await status(['X-YATAI-API-TOKEN', token])).toBe(200);
    expect(await status(['Authorization', `Bearer ${token}`])).toBe(200);
    expect(await status(['X-YATAI-API-TOKEN', token], ['Authorization', `Bearer ${token}`])).toBe(400);
    expect(await status(['X-YATAI-API-TOKEN', token], ['Authorization', 'Basic eDp5'])).toBe(400);
    expect(await status(['X-YATAI-API-TOKEN', token], ['X-Yatai-Api-Token', token])).toBe(400);
    expect(await status(['Authorization', `Bearer ${token}`], ['Authorization', `Bearer ${token}`])).toBe(400);
    expect(await status(['Authorization', `Bearer ${token}, Bearer ${token}`])).toBe(400);
    expect(await status(['X-YATAI-API-TOKEN', `Bearer ${token}`])).toBe(400);
    expect(await status(['X-YATAI-API-TOKEN', ''])).toBe(401);
  });

  test('are refused with the reason and challenge of guards', async () => {
    const { ask, postern, tokens, clock } = await world();
    const refusal = async (token: string) => {
      const { status, headers, body } = await ask('/api/v1/auth/current', { token });
      return [status, body.code, headers.get('www-authenticate')];
    };
    expect(await refusal('nonsense')).toEqual([401, 'token_unknown', 'Bearer realm="postern", error="invalid_token"']);
    await postern.tokens.revoke(tokens.admin?.id as string);
    expect((await refusal('admin')).slice(0, 2)).toEqual([401, 'token_revoked']);
    await postern.tokens.update(tokens.reader?.id as string, { expiresAt: new Date(clock.now() + 1) });
    clock.advance(1);
    expect((await refusal('reader')).slice(0, 2)).toEqual([401, 'token_expired']);
  });

  test('in an address are refused under any name', async () => {
    const { ask, tokens } = await world();
    const token = tokens.admin?.token as string;
    for (const query of [
      `access_token=${token}`,
      'token=x',
      'api_token=x',
      `search=${token}`,
      `x-yatai-api-token=${token}`,
    ]) {
      const refused = await ask(`${TOKENS}?${query}`, { token: 'admin' });
      expect([refused.status, refused.body.code, query]).toEqual([400, 'token_in_url', query]);
      expect(refused.text).not.toContain(token);
    }
    expect((await ask(`${TOKENS}/${token}`, { token: 'admin' })).body.code).toBe('token_in_url');
  });
});

describe('a body of', () => {
  test.each([
    ['another media type', { body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'content_type_unsupported'],
    ['no media type', { body: '{}', headers: { 'content-type': '' } }, 415, 'content_type_unsupported'],
    [
      'a form',
      { body: 'name=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      415,
      'content_type_unsupported',
    ],
    ['broken JSON', { body: '{', headers: JSON_TYPE }, 400, 'input_invalid'],
    ['a list', { body: '[]', headers: JSON_TYPE }, 400, 'input_invalid'],
    ['null', { body: 'null', headers: JSON_TYPE }, 400, 'input_invalid'],
    ['a text', { body: '"x"', headers: JSON_TYPE }, 400, 'input_invalid'],
    ['nothing', {}, 400, 'input_invalid'],
    ['an invalid name', { json: { ...DEVELOPER, name: '  ' } }, 400, 'input_invalid'],
    ['a name with half a surrogate pair', { json: { ...DEVELOPER, name: 'a\u0000b' } }, 400, 'input_invalid'],
    ['an invalid time', { json: { ...DEVELOPER, expired_at: 'tomorrow' } }, 400, 'input_invalid'],
    ['a 31st of February', { json: { ...DEVELOPER, expired_at: '2030-02-31 00:00:00' } }, 400, 'input_invalid'],
    ['a number as time', { json: { ...DEVELOPER, expired_at: 1_900_000_000 } }, 400, 'input_invalid'],
    ['a past time', { json: { ...DEVELOPER, expired_at: '2020-01-01 00:00:00.000000' } }, 400, 'expiry_past'],
    [
      'two lifetimes',
      { json: { ...DEVELOPER, expired_at: '2030-01-01 00:00:00', expires_in: '1d' } },
      400,
      'input_invalid',
    ],
    ['an invalid duration', { json: { ...DEVELOPER, expires_in: 'long' } }, 400, 'input_invalid'],
    ['an unknown scope word', { json: { name: 'x', scopes: ['admin'] } }, 400, 'scope_unknown'],
    ['one type twice', { json: { ...DEVELOPER, scopes: ['api'] } }, 400, 'input_invalid'],
    ['an unknown field', { json: { ...DEVELOPER, admin: true } }, 400, 'option_unknown'],
    [
      '__proto__ as a type',
      { body: '{"name":"x","types":{"__proto__":{"scopes":["*"]}}}', headers: JSON_TYPE },
      400,
      'types_missing',
    ],
    ['too many bytes', { json: { ...DEVELOPER, description: 'x'.repeat(65_536) } }, 413, 'body_too_large'],
    [
      'a description that is too long',
      { json: { ...DEVELOPER, description: 'x'.repeat(2_001) } },
      400,
      'input_invalid',
    ],
  ])('%s is refused', async (_, body, status, code) => {
    const { ask, store } = await world();
    const before = store.count('insertToken');
    const refused = await ask(TOKENS, { method: 'POST', token: 'admin', ...body });
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(refused.body).toMatchObject({ type: 'about:blank', status, detail: expect.stringMatching(/\.$/) });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(store.count('insertToken')).toBe(before);
  });

  test('UTF-8 with a charset is read, and invalid UTF-8 is refused', async () => {
    const { ask, api, tokens } = await world();
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const made = await ask(TOKENS, {
      method: 'POST',
      token: 'admin',
      headers,
      body: JSON.stringify({ ...DEVELOPER, name: 'ä\u202e<b>' }),
    });
    expect(made.body.name).toBe('ä\u202e<b>');
    const response = await api(
      new Request(`https://acme.dev${TOKENS}`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${tokens.admin?.token}` },
        body: new Uint8Array([0x22, 0xff, 0x22]),
      }),
    );
    expect(response.status).toBe(400);
  });

  test('endless length is cut off, and the answer arrives', async () => {
    const { api, tokens } = await world();
    const port = Number(new URL(await listening(api)).port);
    const text = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      const headers = `Host: x\r\nAuthorization: Bearer ${tokens.admin?.token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked`;
      socket.write(`POST ${TOKENS} HTTP/1.1\r\n${headers}\r\n\r\n`);
      let answer = '';
      const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
      const more = () => {
        if (!socket.writable) return;
        socket.write(chunk, () => answer === '' && setImmediate(more));
      };
      more();
      socket.on('data', (data) => {
        answer += String(data);
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(answer));
    });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });
});

describe('a path', () => {
  test.each([
    ['/api/v1/api_tokens/', 404],
    ['//api/v1/api_tokens', 404],
    ['/API/v1/api_tokens', 404],
    ['/api/v1/api_tokens;x', 404],
    ['/api/v1/%61pi_tokens', 404],
    ['/api/v1/../v1/api_tokens', 200],
    ['/api/v1/api_tokens/%', 404],
    // `%2e%2e` is `..` to every URL: the route is found by what the path comes to.
    ['/api/v1/api_tokens/%2e%2e', 404],
    ['/api/v1/api_tokens/%2e%2e/api_tokens', 200],
    ['/api/v1/api_tokens/..%2fendpoints', 404],
    ['/api/v1/api_tokens/a%00b', 404],
    ['/nothing', 404],
    ['/', 404],
  ])('%s is answered with %i', async (path, status) => {
    const { ask } = await world();
    expect((await ask(path, { token: 'admin' })).status).toBe(status);
  });

  test('with another method gets 405 and the allowed methods', async () => {
    const { ask, store } = await world();
    const writes = () => store.count('insertToken', 'replaceToken', 'deleteToken', 'insertEndpoint', 'deleteEndpoint');
    const before = writes();
    for (const method of ['PUT', 'OPTIONS', 'PATCH']) {
      const refused = await ask(TOKENS, { method, token: 'admin' });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD']);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await ask('/api/v1/auth/code', { method: 'HEAD' })).headers.get('allow')).toBe('GET');
    expect((await ask('/api/v1/auth/token?code=x', { method: 'HEAD' })).status).toBe(405);
    expect(writes()).toBe(before);
  });

  test('answers HEAD like GET without a body', async () => {
    const { ask } = await world();
    const get = await ask(TOKENS, { token: 'admin' });
    const head = await ask(TOKENS, { token: 'admin', method: 'HEAD' });
    expect([head.status, head.text, [...head.headers]]).toEqual([200, '', [...get.headers]]);
    const refused = await ask(TOKENS, { method: 'HEAD' });
    expect([refused.status, refused.text]).toEqual([401, '']);
  });

  test.each([
    ['count=0', 'count'],
    ['count=1001', 'count'],
    ['count=ten', 'count'],
    ['count=1e2', 'count'],
    ['count=', 'count'],
    ['start=-1', 'start'],
    ['start=1.5', 'start'],
    ['start=99999999999999999999', 'start'],
    ['start=0&start=1', 'start'],
    ['cursor=nonsense', 'cursor'],
    ['ownership=mine', 'ownership'],
    ['onwership=personal', 'onwership'],
    [`search=${'x'.repeat(201)}`, 'search'],
    ['search=%00', 'search'],
    ['owner=', 'owner'],
  ])('with the query %s is refused, and the refusal names the parameter', async (query, path) => {
    const { ask } = await world();
    const refused = await ask(`${TOKENS}?${query}`, { token: 'admin' });
    expect([refused.status, refused.body.path]).toEqual([400, path]);
  });

  test('without parameters refuses a query', async () => {
    const { ask } = await world();
    expect((await ask('/api/v1/auth/current?x=1', { token: 'admin' })).status).toBe(400);
  });
});

test('no answer may be cached', async () => {
  const { ask } = await world();
  for (const [path, asked] of [
    [TOKENS, { token: 'admin' }],
    [TOKENS, {}],
    [TOKENS, { token: 'nonsense' }],
    ['/nothing', {}],
    [TOKENS, { method: 'POST', token: 'admin', json: DEVELOPER }],
    [TOKENS, { method: 'PUT' }],
    ['/api/v1/auth/code', {}],
  ] as const) {
    expect((await ask(path, asked)).headers.get('cache-control')).toBe('no-store');
  }
});

describe('a change in a session', () => {
  const attempt = async (headers: Record<string, string>, options = {}) => {
    const { ask } = await world({ options });
    const asked = { method: 'POST', json: DEVELOPER, headers: { cookie: 'app=ada', ...headers } };
    return (await ask(TOKENS, asked)).status;
  };

  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://acme.dev' }, 200],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://acme.dev' }, 200],
    [{}, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://acme.dev' }, 403],
    [{ origin: 'https://evil.dev' }, 403],
    [{ origin: 'https://acme.dev.evil.dev' }, 403],
    [{ origin: 'http://acme.dev' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: '' }, 403],
    [{ referer: 'https://acme.dev/' }, 403],
  ])('with the headers %j gets %i', async (headers, status) => {
    expect(await attempt(headers as Record<string, string>)).toBe(status);
  });

  test('is compared with the public origin if that is given', async () => {
    const options = { origin: 'https://public.dev' };
    expect(await attempt({ origin: 'https://public.dev' }, options)).toBe(200);
    expect(await attempt({ origin: 'https://acme.dev' }, options)).toBe(403);
  });

  test('that is refused changes nothing, and a token in a header needs no origin', async () => {
    const { ask, store, tokens } = await world();
    const before = store.count('replaceToken', 'deleteToken');
    const headers = { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' };
    for (const [method, path] of [
      ['DELETE', `${TOKENS}/${tokens.shared?.id}`],
      ['POST', `${TOKENS}/${tokens.shared?.id}/revoke`],
      ['DELETE', '/api/v1/endpoints/a'],
    ] as const) {
      expect((await ask(path, { method, headers })).body.code).toBe('origin_mismatch');
    }
    expect(store.count('replaceToken', 'deleteToken')).toBe(before);
    expect((await ask(TOKENS, { person: 'boss', headers })).status).toBe(200);
    const sent = { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' };
    expect(
      (await ask(`${TOKENS}/${tokens.shared?.id}`, { method: 'DELETE', token: 'admin', headers: sent })).status,
    ).toBe(200);
  });
});

describe('an outage', () => {
  test('gives 503 for every call, tells nothing of the store, and is reported', async () => {
    const { ask, store, errors, tokens } = await world();
    // The caller is cached from before.
    await ask(TOKENS, { token: 'admin' });
    const down = new Error('connect ECONNREFUSED db.internal:5432');
    for (const method of [
      'listTokens',
      'findToken',
      'countTokens',
      'insertToken',
      'deleteToken',
      'replaceToken',
      'listChanges',
      'listEndpoints',
      'findEndpoint',
      'insertEndpoint',
      'putEntry',
      'findEntry',
      'listUsage',
    ] as const) {
      store.fail(method, 'reject', down);
    }
    const uid = tokens.shared?.id;
    for (const [method, path, json] of [
      ['GET', TOKENS],
      ['POST', TOKENS, DEVELOPER],
      ['GET', `${TOKENS}/${uid}`],
      ['PATCH', `${TOKENS}/${uid}`, { name: 'y' }],
      ['DELETE', `${TOKENS}/${uid}`],
      ['POST', `${TOKENS}/${uid}/rotate`, {}],
      ['POST', `${TOKENS}/${uid}/revoke`, {}],
      ['GET', `${TOKENS}/${uid}/usage`],
      ['GET', '/api/v1/endpoints'],
      ['POST', '/api/v1/endpoints', { id: 'z' }],
      ['GET', '/api/v1/endpoints/a/preview?access=public'],
      ['GET', '/api/v1/audit'],
      ['GET', '/api/v1/auth/code'],
      ['GET', `/api/v1/auth/token?code=${'a'.repeat(22)}`],
      ['POST', `/api/v1/auth/requests/${'a'.repeat(22)}`, {}],
    ] as const) {
      errors.length = 0;
      const answer = await ask(path, { method, token: 'admin', ...(json !== undefined && { json }) });
      expect([answer.status, answer.body.code, answer.headers.get('retry-after'), path]).toEqual([
        503,
        'unavailable',
        '5',
        path,
      ]);
      expect(answer.text).not.toContain('db.internal');
      expect(errors).toHaveLength(1);
    }
  });

  test('during the look-up of a token is not a bad token', async () => {
    const { ask, store } = await world();
    store.fail('findTokenByDigest', 'reject');
    const answer = await ask('/api/v1/auth/current', { token: 'admin' });
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  });

  test('of one damaged record still shows the page of the others', async () => {
    const { ask, store, tokens } = await world();
    store.answer('listTokens', (real) =>
      (real as { name: string }[]).map((token) => (token.name === 'shared' ? { ...token, types: 'spoilt' } : token)),
    );
    const page = await ask(TOKENS, { token: 'admin' });
    expect([page.status, page.body.items.length]).toEqual([200, 6]);
    store.answer('findToken', (real) => ({ ...(real as object), types: 'spoilt' }));
    const one = await ask(`${TOKENS}/${tokens.shared?.id}`, { token: 'admin' });
    expect([one.status, one.body.code]).toEqual([500, 'record_unreadable']);
  });

  const fail = () => {
    throw new Error('logger is down');
  };

  test.each([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('with an onError that %s gets the same answer', async (_, onError) => {
    const { ask, store } = await world({ options: { onError } });
    await ask(TOKENS, { token: 'admin' });
    store.fail('listTokens', 'reject');
    expect((await ask(TOKENS, { token: 'admin' })).status).toBe(503);
  });
});

test('an invalid Host header gets an answer', async () => {
  const { api } = await world();
  const server = createServer(toNodeHandler(api));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const status = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(text));
      let answer = '';
      socket.on('data', (data) => {
        answer += String(data);
      });
      socket.on('close', () => resolve(answer.slice(9, 12)));
    });
  expect(await status('GET /api/v1/auth/current HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')).toBe('400');
  expect(await status('TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe('400');
  expect(await status('GET http://evil.dev/api/v1/auth/current HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(
    '401',
  );
  expect(await status('GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe('400');
});
