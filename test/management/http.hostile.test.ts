import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
import { managementApi, toNodeHandler } from 'postern/management';
import { describe, expect, onTestFinished, test } from 'vitest';
import { serve } from '../transports/support.js';
import { listening, signedIn, TOKENS, world } from './world.js';

const WHO = '/api/v1/auth/current';

/** Sends bytes, and returns all that came before the server closed. */
function send(port: number, text: string): Promise<{ readonly text: string; readonly statuses: readonly number[] }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let came = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      came += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve({ text: came, statuses: [...came.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status)) });
    });
    socket.write(text);
  });
}

async function server(options: object = {}) {
  const made = await world({ options: { session: true, ...options } });
  const port = Number(new URL(await listening(made.api)).port);
  const token = made.tokens.admin?.token as string;
  const get = (path: string, headers: string, host = 'acme.dev') =>
    send(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`);
  /** The session id in the cookie. */
  const session = (await signedIn(made.api, token, 'http://acme.dev')).split('=')[1] as string;
  return { ...made, port, token, session, bearer: `Authorization: Bearer ${token}\r\n`, get };
}

describe('a refused body', () => {
  const post = (headers: string, body: string) =>
    `POST ${TOKENS} HTTP/1.1\r\nHost: acme.dev\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;

  test.each([0, 10, 60_000])('of %i bytes lets the next request on the connection through', async (length) => {
    const { port, bearer } = await server();
    const next = `GET ${WHO} HTTP/1.1\r\nHost: acme.dev\r\n${bearer}Connection: close\r\n\r\n`;
    const { statuses } = await send(port, post(`Content-Length: ${length}\r\n`, 'x'.repeat(length)) + next);
    expect(statuses).toEqual([401, 200]);
  });

  test('that is too large or endless closes the connection', async () => {
    const { port, bearer } = await server({ identify: undefined });
    const large = await send(port, post('Content-Length: 300000\r\n', 'x'.repeat(1_000)));
    expect([large.statuses, large.text]).toEqual([[401], expect.stringMatching(/connection: close/i)]);
    const endless = await send(port, post('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'));
    expect([endless.statuses, endless.text]).toEqual([[401], expect.stringMatching(/connection: close/i)]);
    const over = await send(port, post(`${bearer}Content-Length: 300000\r\n`, 'x'.repeat(1_000)));
    expect(over.statuses).toEqual([413]);
  });

  test('with two lengths is a bad request', async () => {
    const { port } = await server();
    const both = await send(port, post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'));
    expect(both.statuses).toEqual([400]);
  });

  test('that other middleware has consumed is refused without waiting', async () => {
    const made = await world();
    const app = express();
    app.use((request, _response, next) => void request.resume().on('end', next));
    app.use(toNodeHandler(managementApi(made.postern)));
    const port = await serve(app);
    const response = await fetch(`http://127.0.0.1:${port}${TOKENS}`, {
      method: 'POST',
      headers: { 'x-yatai-api-token': made.tokens.admin?.token as string, 'content-type': 'application/json' },
      body: '{"name":"x","scopes":["api"]}',
    });
    expect([response.status, (await response.json()).code]).toEqual([400, 'input_invalid']);
  });
});

describe('a request target', () => {
  test.each([
    '//api/v1/auth/current',
    '/api/v1/%61uth/current',
    '/api/v1/auth%2fcurrent',
    '/api/v1/auth/current/',
    '/API/v1/auth/current',
    '/api/v1/auth/current;x',
    '/api/v1/auth/current%00',
    '/api/v1/auth/currentx',
  ])('spelled %s is not found', async (path) => {
    const { get, bearer } = await server();
    expect((await get(path, bearer)).statuses).toEqual([404]);
  });

  test.each([
    '*',
    'foo',
    'javascript:/api/v1/auth/current',
    'http://acme.dev',
    '/\\api\\v1\\auth\\current',
    '/api\\v1\\auth\\current',
    '/x/../api/v1/auth/current',
    '/api/./v1/auth/current',
    '/x/%2e%2e/api/v1/auth/current',
    '/x/%2E./api/v1/auth/current',
    '/api/%2E/v1/auth/current',
    'http://acme.dev/x/../api/v1/auth/current',
    'http://acme.dev\\api\\v1\\auth\\current',
    '/api/v1/auth/current#',
    '/api/v1/auth/current#/x',
    '/api/v1/auth/"/../current',
    '/..',
  ])('%s is a bad request', async (target) => {
    const { get, bearer } = await server();
    expect((await get(target, bearer)).statuses).toEqual([400]);
  });

  test('in another spelling does not pass a rule of the application for the path', async () => {
    const made = await world();
    const bearer = `Authorization: Bearer ${made.tokens.admin?.token}\r\n`;
    const handler = toNodeHandler(made.api);
    const port = await serve((request, response) => {
      if (request.url?.startsWith('/api/v1/audit')) response.writeHead(403).end();
      else void handler(request, response);
    });
    const get = async (path: string) =>
      (await send(port, `GET ${path} HTTP/1.1\r\nHost: acme.dev\r\n${bearer}Connection: close\r\n\r\n`)).statuses[0];
    expect([await get('/api/v1/audit'), await get('/api/v1/endpoints')]).toEqual([403, 200]);
    const segments = ['', 'api', 'v1', 'audit'];
    const tricks = [
      '.',
      '..',
      '%2e',
      '%2e%2e',
      '.%2E',
      '\\',
      '\\..',
      '%5c..',
      '\t',
      '\v',
      '\x7f',
      '#',
      ';',
      '%00',
      '%09',
      '',
    ];
    for (let at = 1; at <= segments.length; at++) {
      for (const trick of tricks) {
        for (const put of [
          [trick],
          ['x', trick],
          [`${trick}${segments[at] ?? ''}`],
          [segments[at - 1], trick, segments[at - 1]],
        ]) {
          const path = [...segments.slice(0, at), ...put, ...segments.slice(at)].join('/');
          for (const each of [path, path.replaceAll('/', '\\').replace('\\', '/')]) {
            expect([each, await get(each)]).not.toEqual([each, 200]);
          }
        }
      }
    }
  });

  test('that the API refuses goes on unchanged to the next handler of Express', async () => {
    const made = await world();
    const app = express();
    app.use(toNodeHandler(made.api));
    app.use((request, response) => void response.json({ url: request.url }));
    const port = await serve(app);
    const { text } = await send(port, 'GET /x/%2e%2e/api/v1/audit HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(text).toContain('{"url":"/x/%2e%2e/api/v1/audit"}');
  });

  test('with a longer name than the base path is not found, and the host of an absolute target is ignored', async () => {
    const made = await world({ options: { basePath: '/admin' } });
    const token = made.tokens.admin?.token as string;
    for (const path of ['/adminX', '/admin2', '/Admin', '/x/admin', '/%61dmin']) {
      expect([path, (await made.ask(path + WHO, { token })).status]).toEqual([path, 404]);
    }
    expect((await made.ask(`/admin${WHO}`, { token })).status).toBe(200);
    const { get, bearer } = await server();
    expect((await get(`http://evil.dev${WHO}`, bearer)).statuses).toEqual([200]);
  });
});

describe('a request with the headers', () => {
  test.each([
    ['Authorization: Bearer {t}\r\nauthorization: Bearer {t}', 400],
    ['Authorization:\r\nAuthorization: Bearer {t}', 400],
    ['Authorization: Basic eDp5\r\nAuthorization: Bearer {t}', 400],
    ['Authorization: Bearer {t}\r\nAuthorization: Basic eDp5', 400],
    ['Authorization: Bearer {t}\r\nX-Yatai-Api-Token:', 400],
    ['X-Yatai-Api-Token:\r\nX-Yatai-Api-Token: {t}', 400],
    ['X-YATAI-API-TOKEN: {t},{t}', 400],
    ['Cookie: postern_session={s}\r\nCookie: postern_session=x', 400],
    ['Cookie: postern_session=; postern_session={s}', 400],
    ['Cookie: postern_session="{s}"', 401],
    ['Cookie: a=1, postern_session={s}', 401],
    ['Cookie: Postern_Session={s}', 401],
    ['Cookie: __Host-postern={s}', 401],
    ['Cookie: postern_session={t}', 401],
    ['Authorization: Bearer {s}', 401],
    ['X-Yatai-Api-Token: {s}', 401],
    ['X_Yatai_Api_Token: {t}', 401],
    ['Authorization: DPoP {t}', 401],
    ['Cookie: postern_session={s}', 200],
    ['Cookie: postern_session={s}\r\nAuthorization: Basic eDp5', 200],
  ])('%s gets %i', async (headers, status) => {
    const { get, token, session } = await server();
    const sent = headers.replaceAll('{t}', token).replaceAll('{s}', session);
    expect((await get(WHO, `${sent}\r\n`)).statuses).toEqual([status]);
  });

  test('of a cookie split by HTTP/2 is signed in (RFC 9113 section 8.2.3)', async () => {
    const made = await world({ options: { session: true } });
    const handler = toNodeHandler(made.api);
    const http2 = createHttp2Server((request, response) => void handler(request, response));
    await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', resolve));
    const client = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.close();
      http2.close();
    });
    const status = (cookie: string[]) =>
      new Promise((resolve, reject) => {
        const stream = client.request({ ':path': WHO, cookie });
        stream.on('response', (answer) => resolve(answer[':status'])).on('error', reject);
        stream.resume().end();
      });
    const session = await signedIn(made.api, made.tokens.admin?.token as string, 'http://acme.dev');
    expect(await status(['a=1', session, 'b=2'])).toBe(200);
    expect(await status([session, 'postern_session=x'])).toBe(400);
  });
});

describe('a token in an address', () => {
  const spellings = (token: string) => [
    token,
    token.replace('_', '%5F'),
    token.replace('p', '%70'),
    [...token].map((character) => `%${character.charCodeAt(0).toString(16)}`).join(''),
  ];

  test('is refused in every encoding, in the query and in the path', async () => {
    const made = await world();
    const token = made.tokens.user?.token as string;
    for (const spelling of spellings(token)) {
      for (const path of [`${TOKENS}?search=${spelling}`, `${TOKENS}?x=a&${spelling}=1`, `${TOKENS}/${spelling}`]) {
        const refused = await made.ask(path, { token: 'admin' });
        expect([path, refused.status, refused.body.code]).toEqual([path, 400, 'token_in_url']);
        expect(refused.text).not.toContain(token);
      }
    }
    expect((await made.ask(`${TOKENS}?search=50%25`, { token: 'admin' })).status).toBe(200);
    expect((await made.ask(`${TOKENS}/%ff`, { token: 'admin' })).status).toBe(404);
  });
});

describe('a request with NUL or an empty cursor', () => {
  test.each([
    `/api/v1/endpoints?cursor=%00`,
    `/api/v1/endpoints?cursor=`,
    `/api/v1/audit?cursor=%00`,
    `/api/v1/audit?subject=%00`,
    `${TOKENS}?search=%00`,
    `${TOKENS}?owner=%00`,
    `${TOKENS}?type=%00`,
  ])('at %s is refused before the store is asked', async (path) => {
    const made = await world();
    await made.ask(WHO, { token: 'admin' });
    const before = made.store.count();
    const refused = await made.ask(path, { token: 'admin' });
    expect([refused.status, refused.body.code, made.store.count()]).toEqual([400, 'input_invalid', before]);
  });
});

test('an invalid Host header gets an answer', async () => {
  const { api } = await world();
  const port = await serve(toNodeHandler(api));
  const status = async (text: string) => (await send(port, text)).statuses[0];
  expect(await status('GET /api/v1/auth/current HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n')).toBe(400);
  expect(await status('TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(400);
  expect(await status('GET http://evil.dev/api/v1/auth/current HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(
    401,
  );
  expect(await status('GET * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(400);
});
