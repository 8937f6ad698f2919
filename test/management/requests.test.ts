import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { send } from '../transports/http-client.js';
import { DEVELOPER, listening, TOKENS, world } from './world.js';

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
    const before = store.count('insertTokens');
    const refused = await ask(TOKENS, { method: 'POST', token: 'admin', ...body });
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(refused.body).toMatchObject({ type: 'about:blank', status, detail: expect.stringMatching(/\.$/) });
    expect(refused.headers.get('content-type')).toBe('application/problem+json');
    expect(store.count('insertTokens')).toBe(before);
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
    const writes = () =>
      store.count('insertTokens', 'replaceToken', 'deleteTokens', 'insertEndpoint', 'deleteEndpoint');
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
