import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { expect, it } from 'vitest';

/** Headers in which proxies name another path, host or scheme. Anybody can send them. */
const LIES = {
  'x-forwarded-prefix': '//evil.example/x',
  'x-forwarded-path': '/evil',
  'x-forwarded-uri': 'https://evil.example/',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-original-url': '/evil',
  'x-rewrite-url': '/evil',
  'x-script-name': '/evil',
  forwarded: 'host=evil.example;proto=https',
};

/** An open redirect, and a poisoned copy in a shared cache, need an answer that depends on such a header. */
it('no answer depends on a header that names another path, host or scheme', async () => {
  const { postern, token } = createTestPostern();
  const secret = await token({ scopes: ['*'] });
  for (const basePath of ['', '/admin']) {
    const api = managementApi(postern, { basePath, session: true });
    const ask = async (path: string, method: string, headers: object) => {
      const body = method === 'POST' ? JSON.stringify({ token: secret }) : null;
      const init = { method, body, headers: { 'content-type': 'application/json', ...headers } };
      const response = await api(new Request(`http://acme.dev${basePath}${path}`, init));
      const cookies = response.headers.getSetCookie().map((cookie) => cookie.replace(/=[^;]+/, '=…'));
      const rest = [...response.headers].filter(([name]) => name !== 'set-cookie');
      return [response.status, rest, cookies, await response.text()];
    };
    const pages = ['', '/', '/api_tokens', '/endpoints', '/audit', '/sign-in', '/openapi.json', '/nothing'];
    for (const path of pages) {
      const [status, headers, , body] = await ask(path, 'GET', {});
      expect(await ask(path, 'GET', LIES), path).toEqual([status, headers, [], body]);
      expect(status === 200 || status === 404, path).toBe(true);
    }
    const own = { origin: 'http://acme.dev' };
    const signIn = await ask('/api/v1/session', 'POST', own);
    expect(signIn[0]).toBe(200);
    expect(await ask('/api/v1/session', 'POST', { ...own, ...LIES })).toEqual(signIn);
    // Nor does such a header make a page of another site one of this server's.
    const foreign = { origin: 'https://evil.example' };
    expect((await ask('/api/v1/session', 'POST', { ...foreign, ...LIES }))[0]).toBe(403);
  }
});
