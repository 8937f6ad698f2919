import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import {
  createServer as createHttp,
  request as forward,
  type IncomingHttpHeaders,
  type RequestListener,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { startNginx } from '../support/nginx.js';
import { freePort } from '../support/services.js';
import { requireTool } from '../support/tools.js';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';
import { served } from './server.js';

const postern = theCommandHere();
/** Node reads NODE_EXTRA_CA_CERTS when a process starts. */
const processes = theCommand();
let databases = 0;
const start = (words: readonly string[] = []) => served(postern, `doctor-${databases++}.db`, words);

async function doctor(
  endpoint: string,
  token: string,
  env: Record<string, string> = {},
  command: Pick<typeof postern, 'run'> = postern,
) {
  const { code, stdout, stderr } = await command.run(['doctor', '-o', 'json'], {
    env: { POSTERN_ENDPOINT: endpoint, POSTERN_API_TOKEN: token, ...env },
  });
  expect(stderr).toBe('');
  expect(stdout).not.toContain(token);
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

const about = (findings: readonly Finding[], check: string) => findings.find((each) => each.check === check);
const statusOf = (findings: readonly Finding[]) =>
  Object.fromEntries(findings.map(({ check, status }) => [check, status]));

/** Listens until the test is over. */
async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Passes calls on to a server, with other headers. */
function passingOn(url: string, changed: (headers: IncomingHttpHeaders) => IncomingHttpHeaders): RequestListener {
  return (request, response) => {
    const headers = changed(request.headers);
    const onward = forward(url + request.url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode as number, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  };
}

describe('postern doctor on a server', () => {
  it('finds nothing wrong with a good one', async () => {
    const { url, token } = await start();
    const { code, findings } = await doctor(url, token);
    expect({ code, ...statusOf(findings) }).toEqual({
      code: 0,
      node: 'ok',
      server: 'ok',
      clock: 'ok',
      version: 'ok',
      proxy: 'ok',
      login: 'ok',
      address: 'ok',
    });
    expect(about(findings, 'version')?.message).toMatch(/^The server is postern \d+\.\d+\.\d+/);
  });

  it('names a proxy that drops Authorization', async () => {
    const { url, token } = await start();
    const port = await startNginx(`location / {
      proxy_pass ${url}; proxy_set_header Host $http_host; proxy_set_header Authorization "";
    }`);
    const { code, findings } = await doctor(`http://127.0.0.1:${port}`, token);
    expect(code).toBe(1);
    expect(about(findings, 'proxy')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('drops the header Authorization'),
      next: expect.stringContaining('proxy_set_header'),
    });
    expect(about(findings, 'login')).toBeUndefined();
  });

  it('names a proxy that asks for a login of its own', async () => {
    const port = await startNginx(`location / {
      add_header WWW-Authenticate 'Basic realm="staff"' always; return 401;
    }`);
    const { code, findings } = await doctor(`http://127.0.0.1:${port}`, 'pst_x');
    expect(code).toBe(1);
    expect(about(findings, 'proxy')?.message).toContain('asks for another login (Basic)');
  });

  it('warns of a server that does not know its public address, until it is told', async () => {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const unaware = await start();
    const behind = await startNginx(`location / { proxy_pass ${unaware.url}; }`);
    const warned = await doctor(`http://127.0.0.1:${behind}`, unaware.token);
    expect(warned.code).toBe(0);
    expect(about(warned.findings, 'address')).toMatchObject({
      status: 'warning',
      next: expect.stringContaining(`--origin http://127.0.0.1:${behind}`),
    });
    const aware = await start(['--origin', origin]);
    const proxy = createHttp(passingOn(aware.url, (headers) => ({ ...headers, host: 'inside' })));
    await new Promise<void>((resolve) => proxy.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => void proxy.close());
    expect(about((await doctor(origin, aware.token)).findings, 'address')).toMatchObject({ status: 'ok' });
  });

  it('names a server that believes the forwarded host of any caller', async () => {
    const { url, token } = await start();
    // As an application does that builds requests from X-Forwarded-Host. Over plain HTTP, so without the scheme.
    const proxy = passingOn(url, ({ 'x-forwarded-host': host, origin, ...headers }) => ({
      ...headers,
      ...(origin && { origin: host ? origin.replace(/^https:/, 'http:') : origin }),
      ...(host && { host: String(host) }),
    }));
    const port = await listening(createHttp(proxy));
    const { code, findings } = await doctor(`http://127.0.0.1:${port}`, token);
    expect(code).toBe(1);
    expect(about(findings, 'address')).toMatchObject({
      status: 'problem',
      message: expect.stringContaining('X-Forwarded-Host'),
    });
  });

  it('judges the login: its end, its rights, a revoked token', async () => {
    const { url, call } = await start();
    const made = async (body: object) =>
      (await (await call('POST', '/api/v1/api_tokens', { body: { name: 'n', ...body } })).json()) as {
        uid: string;
        token: string;
      };
    const soon = new Date(Date.now() + 2 * 86_400_000).toISOString();
    const ending = await made({ scopes: ['iam:read'], expired_at: soon });
    const near = await doctor(url, ending.token);
    expect(near.code).toBe(0);
    expect(about(near.findings, 'login')).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('is valid until'),
      next: `postern login --endpoint ${url}`,
    });
    const narrow = await made({ scopes: ['models:read'] });
    const hidden = await doctor(url, narrow.token);
    expect(about(hidden.findings, 'login')).toMatchObject({ status: 'ok' });
    await call('DELETE', `/api/v1/api_tokens/${ending.uid}`);
    const gone = await doctor(url, ending.token);
    expect(gone.code).toBe(1);
    expect(about(gone.findings, 'login')).toMatchObject({ status: 'problem' });
  });

  it('names an address at which something else answers, or nothing', async () => {
    const port = await startNginx('location / { return 200 "hello"; }');
    const other = await doctor(`http://127.0.0.1:${port}`, 'pst_x');
    expect(other.code).toBe(1);
    expect(other.findings).toContainEqual(expect.objectContaining({ check: 'server', status: 'problem' }));
    const nothing = await doctor(`http://127.0.0.1:${await freePort()}`, 'pst_x');
    expect(nothing.code).toBe(1);
    expect(about(nothing.findings, 'server')?.message).toContain('nothing listens there');
  });

  it('names a certificate that ends soon, and one that is not valid', async () => {
    requireTool('OpenSSL');
    const { url, token } = await start();
    const [key, certificate] = [postern.path('doctor-key.pem'), postern.path('doctor-certificate.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, ...files], {
      stdio: 'pipe',
    });
    const proxy = passingOn(url, (headers) => headers);
    const port = await listening(createHttps({ key: readFileSync(key), cert: readFileSync(certificate) }, proxy));
    const authority = { NODE_EXTRA_CA_CERTS: certificate };
    const trusted = await doctor(`https://localhost:${port}`, token, authority, processes);
    expect(trusted.code).toBe(0);
    expect(about(trusted.findings, 'tls')).toMatchObject({ status: 'warning', next: 'Renew it.' });
    const strange = await doctor(`https://localhost:${port}`, token);
    expect(strange.code).toBe(1);
    expect(about(strange.findings, 'server')?.message).toContain('NODE_EXTRA_CA_CERTS');
  });

  it('examines no more than Node where there is nothing else', async () => {
    const { code, stdout } = await postern.run(['doctor']);
    expect(code).toBe(0);
    expect(stdout).toContain('There is nothing more to examine');
  });
});
