import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, request as forward } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { proxyFor } from '../../src/cli/proxy/proxy-for.js';
import { startForwardProxy } from '../support/forward-proxy.js';
import { freePort } from '../support/services.js';
import { requireTool } from '../support/tools.js';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';
import { type Served, served } from './server.js';

const postern = theCommand();
const here = theCommandHere();
let databases = 0;

/** A server that only a proxy knows by this name. */
async function start() {
  const server = await served(here, `proxied-${databases++}.db`);
  const { port } = new URL(server.url);
  const run = (endpoint: string, words: readonly string[], env: Record<string, string>) =>
    postern.run(words, { env: { POSTERN_ENDPOINT: endpoint, POSTERN_API_TOKEN: server.token, ...env } });
  return { server, port, endpoint: `http://postern.test:${port}`, run };
}

const LIST = ['api-token', 'list'];

/** The same server over TLS, under the name `postern.test`. */
async function overTls({ url }: Served) {
  requireTool('OpenSSL');
  const [key, certificate] = [postern.path('key.pem'), postern.path('certificate.pem')];
  const subject = ['-subj', '/CN=postern.test', '-addext', 'subjectAltName=DNS:postern.test'];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
    stdio: 'pipe',
  });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const onward = forward(url + request.url, { method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `https://postern.test:${(server.address() as AddressInfo).port}`, certificate };
}

describe('the command behind a proxy', () => {
  it.each(['HTTP_PROXY', 'http_proxy'])('names the whole address of an http server to the one in %s', async (name) => {
    const { endpoint, run } = await start();
    const proxy = await startForwardProxy();
    const listed = await run(endpoint, LIST, { [name]: `http://${proxy.host}` });
    expect(listed, listed.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('bootstrap') });
    expect(proxy.seen).toEqual([expect.stringContaining(`GET ${endpoint}/api/v1/api_tokens`)]);
    // A body goes through, and the scheme may be left out.
    const words = ['api-token', 'create', '--name', 'new', '--scope', 'iam:read'];
    expect((await run(endpoint, words, { [name]: proxy.host })).stdout).toMatch(/^pst_\w{49}\n$/);
  });

  it.each(['HTTPS_PROXY', 'https_proxy'])('reaches an https server through a tunnel of the one in %s', async (name) => {
    const { server, run } = await start();
    const { endpoint, certificate } = await overTls(server);
    const proxy = await startForwardProxy();
    const env = { [name]: `http://${proxy.host}`, NODE_EXTRA_CA_CERTS: certificate };
    const listed = await run(endpoint, LIST, env);
    expect(listed, listed.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('bootstrap') });
    expect(proxy.seen).toEqual([`CONNECT ${new URL(endpoint).host}`]);
    expect(proxy.bytes()).not.toContain(server.token);
    // The proxy can't stand in for the server: its certificate is checked, and its name.
    const unknown = await run(endpoint, LIST, { [name]: proxy.host });
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('is signed by itself') });
    const misnamed = await run(endpoint.replace('postern.test', 'other.test'), LIST, env);
    expect(misnamed).toMatchObject({ code: 3, stderr: expect.stringContaining('is for another name') });
  });

  it('leaves out what NO_PROXY names, and this machine', async () => {
    const { server, endpoint, run } = await start();
    const proxy = await startForwardProxy();
    for (const name of ['NO_PROXY', 'no_proxy']) {
      const direct = await run(endpoint, LIST, { HTTP_PROXY: proxy.host, [name]: 'example.com, .test' });
      expect(direct).toMatchObject({ code: 3, stderr: expect.stringContaining('its name is unknown') });
    }
    expect((await run(server.url, LIST, { HTTP_PROXY: proxy.host, HTTPS_PROXY: proxy.host })).code).toBe(0);
    expect(proxy.seen).toEqual([]);
  });

  it('proves itself to the proxy, whose password no message shows', async () => {
    const { endpoint, run, server } = await start();
    const tls = await overTls(server);
    const proxy = await startForwardProxy(`Basic ${Buffer.from('me:hunter 2').toString('base64')}`);
    const named = (password: string) => ({
      HTTP_PROXY: `http://me:${password}@${proxy.host}`,
      HTTPS_PROXY: `http://me:${password}@${proxy.host}`,
      NODE_EXTRA_CA_CERTS: tls.certificate,
      POSTERN_DEBUG: '1',
    });
    for (const address of [endpoint, tls.endpoint]) {
      expect((await run(address, LIST, named('hunter%202'))).code).toBe(0);
      const refused = await run(address, LIST, named('swordfish'));
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain('407');
      expect(refused.stdout + refused.stderr).not.toMatch(/swordfish|hunter/);
    }
  });

  it('says that the proxy is down, and not the server', async () => {
    const { endpoint, run } = await start();
    const host = `127.0.0.1:${await freePort()}`;
    for (const address of [endpoint, 'https://postern.test']) {
      const env = { HTTP_PROXY: `http://me:hunter2@${host}`, HTTPS_PROXY: `http://me:hunter2@${host}` };
      const { code, stderr } = await run(address, LIST, env);
      expect(code).toBe(3);
      expect(stderr).toContain(
        `postern: the proxy ${host} can't be reached (ECONNREFUSED). Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.\n`,
      );
    }
    const socks = await run(endpoint, LIST, { HTTP_PROXY: 'socks5://me:hunter2@proxy.test' });
    expect(socks).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^postern: HTTP_PROXY names no http .*socks5:/m),
    });
    expect(socks.stderr).not.toContain('hunter2');
  });

  it('follows no redirect through the proxy, so that a token goes to no other server', async () => {
    const { run } = await start();
    const proxy = await startForwardProxy();
    const redirecting = createHttp((_request, response) => {
      response.writeHead(307, { location: 'http://elsewhere.test/' }).end();
    });
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void redirecting.close());
    const address = `http://postern.test:${(redirecting.address() as AddressInfo).port}`;
    const { code, stderr } = await run(address, LIST, { HTTP_PROXY: proxy.host });
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('answers with a redirect') });
    expect(proxy.seen).toHaveLength(1);
  });

  it('loads none of the code for proxies where none is named', async () => {
    const report = 'process.on("exit", () => console.error(process.moduleLoadList.includes("NativeModule https")))';
    const loaded = async (env: Record<string, string>) => {
      const options = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(report)}` };
      return (await postern.run(['--version'], { env: { ...env, ...options } })).stderr;
    };
    expect(await loaded({ NO_PROXY: '*', HTTP_PROXY: '' })).toBe('false\n');
    expect(await loaded({ HTTP_PROXY: 'proxy.test' })).toBe('true\n');
  });
});

describe('the proxy for an address', () => {
  const PROXY = { HTTP_PROXY: 'http://upper:1', http_proxy: 'http://lower:2', HTTPS_PROXY: 'http://secure:3' };
  const hostFor = (address: string, env: Record<string, string>) => proxyFor(new URL(address), env)?.host ?? null;

  it('goes by the scheme, and lower case wins', () => {
    expect(hostFor('http://a.dev', PROXY)).toBe('lower:2');
    expect(hostFor('https://a.dev', PROXY)).toBe('secure:3');
    expect(hostFor('https://a.dev', { HTTP_PROXY: 'http://upper:1' })).toBeNull();
    expect(hostFor('http://a.dev', {})).toBeNull();
  });

  it('is not the one that a visitor of a web server names', () => {
    const cgi = { HTTP_PROXY: 'http://evil:1', REQUEST_METHOD: 'GET' };
    expect(hostFor('http://a.dev', cgi)).toBeNull();
    expect(hostFor('http://a.dev', { ...cgi, http_proxy: 'http://lower:2' })).toBe('lower:2');
  });

  it.each([
    ['*', 'http://a.dev', true],
    ['a.dev', 'http://a.dev', true],
    ['a.dev', 'http://b.a.dev', true],
    ['.a.dev', 'http://a.dev', true],
    ['*.a.dev', 'http://b.a.dev', true],
    ['A.DEV', 'http://a.dev', true],
    ['a.dev', 'http://aa.dev', false],
    ['x, a.dev y', 'http://a.dev', true],
    ['a.dev:80', 'http://a.dev', true],
    ['a.dev:8080', 'http://a.dev', false],
    ['', 'http://a.dev', false],
    ['10.1.2.3', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['10.0.0.0/99', 'http://10.1.2.3', false],
    ['2.3', 'http://10.1.2.3', false],
    ['[fd00::1]', 'http://[fd00::1]', true],
    ['fd00::/8', 'http://[fd00::1]', true],
    ['[fd00::1]:81', 'http://[fd00::1]', false],
  ])('with NO_PROXY=%s for %s', (list, address, isExcepted) => {
    expect(hostFor(address, { HTTP_PROXY: 'proxy:1', NO_PROXY: list })).toBe(isExcepted ? null : 'proxy:1');
  });

  it.each(['http://localhost:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'http://a.localhost'])(
    'is none for %s',
    (own) => {
      expect(hostFor(own, PROXY)).toBeNull();
    },
  );
});
