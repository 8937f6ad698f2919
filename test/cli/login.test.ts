import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { theCommandHere } from './here.js';
import { runHere } from './host.js';
import { type Served, served } from './server.js';

const postern = theCommandHere();
let databases = 0;

/** The printed address with its code, and the printed user code. */
const SHOWN = /\/api_tokens\?code=(\S+)[\s\S]*?\n {2}([A-Z]{4}-[A-Z]{4})\n/;

async function saved() {
  return parse(await readFile(postern.path('config.yaml'), 'utf8'));
}

describe('login to postern serve', () => {
  let server: Served;
  beforeEach(async () => {
    server = await served(postern, `login-${databases++}.db`);
  });
  afterEach(() => rm(postern.path('config.yaml'), { force: true }));

  it('keeps the context in a file of mode 0600', async () => {
    const { code } = await postern.run(['login', '--api-token', server.token, '--endpoint', `${server.url}/`]);
    expect(code).toBe(0);
    expect((await stat(postern.path('config.yaml'))).mode & 0o777).toBe(0o600);
    expect(await saved()).toEqual({
      current_context: 'default',
      contexts: [{ name: 'default', endpoint: server.url, api_token: server.token, email: 'admin' }],
    });
  });

  it('reads the token from stdin, a file or the environment, and the address from the context', async () => {
    await writeFile(postern.path('token'), `${server.token}\n`, { mode: 0o600 });
    const ways = [
      [['--api-token', '-'], { input: `${server.token}\n` }],
      [['--api-token'], { input: server.token }],
      [['--api-token-file', 'token'], {}],
      [['--api-token-file', '-'], { input: server.token }],
      [[], { env: { POSTERN_API_TOKEN: server.token } }],
    ] as const;
    for (const [index, [words, options]] of ways.entries()) {
      const endpoint = index === 0 ? ['--endpoint', server.url] : [];
      const ended = await postern.run(['login', ...endpoint, '--context', `way-${index}`, ...words], options);
      expect(ended, words.join(' ')).toMatchObject({
        code: 0,
        stdout: 'Successfully logged in as user "admin" in organization "default".\n',
      });
    }
    const { contexts } = await saved();
    expect(contexts.map(({ api_token }: { api_token: string }) => api_token)).toEqual(ways.map(() => server.token));
  });

  it('refuses a wrong token and a user token, and keeps neither', async () => {
    const wrong = `pst_${'0'.repeat(49)}`;
    expect(await postern.run(['login', '--api-token', wrong, '--endpoint', server.url])).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error validating token: HTTP 401: Bad credentials (${server.url})\n`,
    });
    const body = { name: 'user', types: { user: { endpoints: '*' } } };
    const { token } = await (await server.call('POST', '/api/v1/api_tokens', { body })).json();
    const user = await postern.run(['login', '--api-token', token, '--endpoint', server.url]);
    expect(user).toMatchObject({ code: 1, stdout: '' });
    expect(user.stderr).toMatch(/^Error validating token: HTTP 403: .+ \(http:\S+\)\n$/);
    await expect(saved()).rejects.toThrow('ENOENT');
  });

  it('goes through the browser, and only its own terminal can collect the token', async () => {
    const scopes = ['--scope', 'iam:read', '--scope', 'models:write'];
    const login = postern.start(['login', '--endpoint', server.url, '--no-browser', ...scopes]);
    const [, code = '', user_code = ''] = await login.until(SHOWN, 'stderr');
    const asked = { developer: { scopes: ['iam:read', 'models:write'] } };
    const request = await server.call('POST', `/api/v1/auth/requests/${code}`, { body: { user_code } });
    expect(await request.json()).toMatchObject({ status: 'pending', bound: true, asked, from: '127.0.0.1' });
    // A person who has read the code can neither collect the token nor spoil the login.
    const overheard = await fetch(`${server.url}/api/v1/auth/token?code=${code}`);
    expect([overheard.status, await overheard.json()]).toMatchObject([401, { code: 'access_denied' }]);
    const body = { user_code, name: 'laptop' };
    const approved = await server.call('POST', `/api/v1/auth/requests/${code}/approve`, { body });
    expect(approved.status).toBe(200);
    expect(await login.ended).toMatchObject({
      code: 0,
      stdout: 'Successfully logged in as user "admin" in organization "default".\n',
    });
    const { contexts } = await saved();
    expect(contexts[0].api_token).toMatch(/^pst_/);
    expect(contexts[0].api_token).not.toBe(server.token);
    const list = await postern.run(['api-token', 'list', '-o', 'json']);
    expect(JSON.parse(list.stdout).map(({ name }: { name: string }) => name)).toEqual(['laptop', 'bootstrap']);
  });

  it('explains wrong wanted grants', async () => {
    const words = ['login', '--endpoint', server.url, '--no-browser', '--scope', 'model:read'];
    const { code, stderr } = await postern.run(words);
    expect(code).toBe(1);
    expect(stderr).toContain('model:read');
  });

  it('ends if the login is refused in the browser', async () => {
    const login = postern.start(['login', '--endpoint', server.url, '--no-browser']);
    const [, code = '', user_code = ''] = await login.until(SHOWN, 'stderr');
    const denied = await server.call('POST', `/api/v1/auth/requests/${code}/deny`, { body: { user_code } });
    expect(denied.status).toBe(200);
    const ended = await login.ended;
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain(
      'postern: the login was refused: This login was refused in the browser. Run postern login again.',
    );
    await expect(saved()).rejects.toThrow('ENOENT');
  });
});

describe('login to another server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const token = `pst_${'1'.repeat(49)}`;
  const env = { POSTERN_CONFIG: '/nonexistent/postern/config.yaml' };
  const login = (endpoint: string) => runHere(['login', '--api-token', token, '--endpoint', endpoint], { env });

  it('says that nothing listens there', async () => {
    const endpoint = await serve(() => {});
    const server = servers.pop() as Server;
    await new Promise((resolve) => server.close(resolve));
    expect(await login(endpoint)).toMatchObject({
      code: 3,
      stdout: '',
      stderr: `postern: ${endpoint} can't be reached (nothing listens there). Is the server running, and is the address right?\n`,
    });
  });

  it('sends no token after a redirect', async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{}');
    });
    const endpoint = await serve((_, response) => response.writeHead(302, { location: `${elsewhere}/login` }).end());
    const { code, stderr } = await login(endpoint);
    expect(code).toBe(1);
    expect(stderr).toContain(`answers with a redirect to ${elsewhere}/login`);
    expect(seen).toEqual([]);
  });

  it.each([
    ['an HTML page', 200, '<!doctype html>', 1, 'did not answer like a postern server'],
    ['other JSON', 200, '{"hello":1}', 1, 'did not answer like a postern server'],
    [
      'an outage',
      503,
      '{"detail":"The store can not be reached."}',
      3,
      'failed: The store can not be reached. Try again later.',
    ],
    ['a refusal with escape codes for a terminal', 403, '{"detail":"\\u001b[2J\\u202e"}', 1, '\\u{1b}[2J\\u{202e}'],
  ])('explains %s in a sentence', async (_, status, body, code, sentence) => {
    const endpoint = await serve((_request, response) => response.writeHead(status).end(body));
    const ended = await login(endpoint);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(sentence);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stderr).not.toContain(token);
  });

  it.each([
    ['an invalid URL', 'example'],
    ['another scheme', 'ftp://example.com'],
    ['a password', 'https://me:hunter2@example.com'],
    ['a query', 'https://example.com/?a=1'],
  ])('refuses an endpoint that is or has %s', async (_, endpoint) => {
    const { code, stderr } = await login(endpoint);
    expect(code).toBe(2);
    expect(stderr).not.toContain('hunter2');
  });

  it('warns if the token would be sent in clear', async () => {
    const { stderr } = await login('http://postern.invalid');
    expect(stderr).toMatch(/^Warning: http:\/\/postern\.invalid is not https: anyone on the way can read your token/);
    expect((await login('https://postern.invalid')).stderr).not.toContain('Warning');
  });

  describe('login through the browser', () => {
    const begin = (answer: (query: URLSearchParams, verifier: unknown) => [number, object], userCode?: string) =>
      serve((request, response) => {
        const url = new URL(request.url ?? '', 'http://x');
        const [status, body] = url.pathname.endsWith('/auth/code')
          ? [200, { code: 'abcdefghijklmnopqrstuv', user_code: userCode }]
          : answer(url.searchParams, request.headers['x-postern-verifier']);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    const pending: [number, object] = [401, { code: 'authorization_pending', detail: 'not yet' }];

    it('opens the page from a terminal, and not in a pipe', async () => {
      const endpoint = await begin(() => [401, { code: 'access_denied', detail: 'no' }]);
      const page = `${endpoint}/api_tokens?code=abcdefghijklmnopqrstuv`;
      const onTerminal = await runHere(['login', '--endpoint', endpoint], { env, terminal: true });
      expect(onTerminal).toMatchObject({ code: 1, opened: [page] });
      expect(onTerminal.stderr).toContain(page);
      expect((await runHere(['login', '--endpoint', endpoint], { env })).opened).toEqual([]);
      const asked = await runHere(['login', '--endpoint', endpoint, '--no-browser'], { env, terminal: true });
      expect(asked.opened).toEqual([]);
    });

    it('shows the user code if the server sends a valid one', async () => {
      const refused = (): [number, object] => [401, { code: 'access_denied', detail: 'no' }];
      const shown = await runHere(['login', '--endpoint', await begin(refused, 'BCDF-GHJK')], { env });
      expect(shown.stderr).toContain('It asks for this code:\n\n  BCDF-GHJK\n');
      const none = await runHere(['login', '--endpoint', await begin(refused)], { env });
      expect(none.stderr).not.toContain('this code');
      const odd = await runHere(['login', '--endpoint', await begin(refused, '\u001b[2J')], { env });
      expect(odd.stderr).toContain('gave no code to log in with');
      expect(odd.stderr).not.toContain('\u001b');
    });

    it('polls once a second for five minutes', async () => {
      let asked = 0;
      const endpoint = await begin(() => {
        asked++;
        return pending;
      });
      const { code, stderr } = await runHere(['login', '--endpoint', endpoint], { env });
      expect(code).toBe(1);
      expect(stderr).toContain('nobody approved this login within five minutes. Run postern login again');
      expect(asked).toBe(300);
    });

    it('survives a short absence of the server', async () => {
      let asked = 0;
      const endpoint = await begin(() => {
        asked++;
        return asked < 5 ? [503, {}] : [401, { code: 'expired_token', detail: 'This login is over.' }];
      });
      const { code, stderr } = await runHere(['login', '--endpoint', endpoint], { env });
      expect(code).toBe(1);
      expect(stderr).toContain('the login was refused: This login is over.');
      expect(asked).toBe(5);
    });
  });
});
