import { readFile, stat, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { theCommand } from './command.js';
import { theCommandHere } from './here.js';
import { served } from './server.js';

const postern = theCommand();
const here = theCommandHere();

describe('postern serve', () => {
  it('prints its address, then the bootstrap token, which it shows only once', async () => {
    const first = await served(postern, 'twice.db');
    first.process.signal('SIGTERM');
    const ended = await first.process.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/^Listening on http:\/\/127\.0\.0\.1:\d+\nBootstrap token: pst_[0-9A-Za-z]{49}\n$/);
    expect(ended.stderr).not.toContain(first.token);

    const second = postern.start(['serve', '--port', '0', '--database', 'twice.db']);
    const [, url = ''] = await second.until(/^Listening on (\S+)\n/);
    const current = await fetch(`${url}/api/v1/auth/current`, { headers: { authorization: `Bearer ${first.token}` } });
    expect([current.status, await current.json()]).toMatchObject([200, { name: 'admin' }]);
    second.signal('SIGINT');
    expect(await second.ended).toMatchObject({ code: 0, stdout: `Listening on ${url}\n` });
  });

  it('makes one bootstrap token if several start together on one file', async () => {
    const all = Array.from({ length: 4 }, () => postern.start(['serve', '--port', '0', '--database', 'crowd.db']));
    const urls = await Promise.all(all.map(async (each) => (await each.until(/^Listening on (\S+)\n/))[1] as string));
    const [, token = ''] = await Promise.any(all.map((each) => each.until(/Bootstrap token: (\S+)\n/)));
    for (const url of urls) {
      const answer = await fetch(`${url}/api/v1/api_tokens`, { headers: { authorization: `Bearer ${token}` } });
      expect(await answer.json()).toMatchObject({ total: 1, items: [{ name: 'bootstrap' }] });
    }
    for (const each of all) each.signal('SIGTERM');
    const outputs = (await Promise.all(all.map(({ ended }) => ended))).map(({ stdout }) => stdout);
    expect(outputs.join('').match(/Bootstrap token: /g)).toHaveLength(1);
  });

  it('writes the bootstrap token to a file of mode 0600 on request', async () => {
    const args = ['serve', '--port', '0', '--database', 'file.db', '--bootstrap-token-file', 'bootstrap-token'];
    const server = postern.start(args);
    const [, url = ''] = await server.until(/^Listening on (\S+)\n/);
    await server.until(/The bootstrap token is in /, 'stderr');
    const path = postern.path('bootstrap-token');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const token = (await readFile(path, 'utf8')).trim();
    const answer = await fetch(`${url}/api/v1/auth/current`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    server.signal('SIGTERM');
    const { code, stdout, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(token);

    // The second start has the same arguments: the file exists, and nothing is written.
    const again = postern.start(args);
    await again.until(/^Listening on /);
    again.signal('SIGTERM');
    expect((await again.ended).code).toBe(0);
  });

  it('does not start without a bootstrap token if its file exists', async () => {
    await writeFile(here.path('occupied'), 'of someone else');
    const args = ['serve', '--port', '0', '--database', 'occupied.db', '--bootstrap-token-file', 'occupied'];
    const { code, stderr } = await here.run(args);
    expect(code).toBe(1);
    expect(stderr).toContain('exists already');
    expect(await readFile(here.path('occupied'), 'utf8')).toBe('of someone else');
  });

  it('says that its port is in use, and makes no token', async () => {
    const occupant = createServer();
    await new Promise<void>((resolve) => occupant.listen(0, '127.0.0.1', resolve));
    const { port } = occupant.address() as AddressInfo;
    const { code, stdout, stderr } = await here.run(['serve', '--port', `${port}`, '--database', 'busy.db']);
    await new Promise((resolve) => occupant.close(resolve));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `postern: port ${port} of 127.0.0.1 is in use. Stop the program that listens there, or give another --port (0 takes a free one).\n`,
    );
    const list = await here.run(['api-token', 'list', '--store', 'sqlite:busy.db', '-o', 'json']);
    expect(JSON.parse(list.stdout)).toEqual([]);
  });

  it('guards its demo endpoint like any other', async () => {
    const server = await served(here, 'demo.db');
    const call = async (token?: string, path = '/demo/anything') => {
      const answer = await fetch(server.url + path, token ? { headers: { authorization: `Bearer ${token}` } } : {});
      return answer.status;
    };
    const body = { name: 'user', types: { user: { endpoints: ['demo'] } } };
    const { uid, token } = await (await server.call('POST', '/api/v1/api_tokens', { body })).json();
    const other = await server.call('POST', '/api/v1/endpoints', { body: { id: 'other' } });
    expect(other.status).toBe(200);
    const elsewhere = { name: 'elsewhere', types: { user: { endpoints: ['other'] } } };
    const stranger = await (await server.call('POST', '/api/v1/api_tokens', { body: elsewhere })).json();

    expect(await call(token)).toBe(200);
    expect(await call(token, '/demo')).toBe(200);
    expect([await call(), await call('wrong'), await call(stranger.token)]).toEqual([401, 401, 403]);
    await server.call('PATCH', '/api/v1/endpoints/demo', { body: { access: 'public' } });
    expect(await call()).toBe(200);
    await server.call('PATCH', '/api/v1/endpoints/demo', { body: { access: 'private' } });
    expect([await call(), await call(token)]).toEqual([404, 404]);
    await server.call('PATCH', '/api/v1/endpoints/demo', { body: { access: 'protected' } });
    await server.call('POST', `/api/v1/api_tokens/${uid}/revoke`, { body: {} });
    expect(await call(token)).toBe(401);
    expect(await call(undefined, '/demonstration')).toBe(404);
  });

  it('writes the address of a change into the audit log', async () => {
    const server = await served(here, 'audited.db');
    await server.call('PATCH', '/api/v1/endpoints/demo', { body: { access: 'public' } });
    const { items } = await (await server.call('GET', '/api/v1/audit')).json();
    expect(items[0]).toMatchObject({ type: 'endpoint.updated', from: '127.0.0.1' });
  });

  it('serves the console, unless it is switched off', async () => {
    const server = await served(here, 'console.db');
    const page = await fetch(server.url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect((await fetch(`${server.url}/api/v1/session`)).status).toBe(401);
    const bare = here.start(['serve', '--port', '0', '--database', 'console.db', '--no-console']);
    const [, url = ''] = await bare.until(/^Listening on (\S+)\n/);
    expect((await fetch(url)).status).toBe(404);
  });

  it('finishes running calls before it ends', async () => {
    const server = await served(postern, 'farewell.db');
    const { hostname, port, host } = new URL(server.url);
    const open = () => {
      const socket = connect(Number(port), hostname);
      const seen = { socket, answer: '' };
      socket.setEncoding('utf8').on('data', (text) => {
        seen.answer += text;
      });
      return seen;
    };
    const body = JSON.stringify({ name: 'late', types: { developer: { scopes: ['models:read'] } } });
    const credential = `Host: ${host}\r\nAuthorization: Bearer ${server.token}\r\n`;
    // One call lacks its body, and one the end of its head.
    const begun = open();
    begun.socket.write(`POST /api/v1/api_tokens HTTP/1.1\r\n${credential}Content-Type: application/json\r\n`);
    begun.socket.write(`Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`);
    await expect.poll(() => begun.answer).toContain('100 Continue');
    const half = open();
    half.socket.write(`GET /api/v1/current_org HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await expect.poll(() => half.answer).toContain('401');
    half.socket.write('GET /api/v1/current_org HTTP/1.1\r\n');
    // An answer on another connection shows that the server has read what was written before.
    await server.call('GET', '/api/v1/current_org');

    server.process.signal('SIGTERM');
    // It accepts no new connections.
    const isTaken = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(Number(port), hostname, () => resolve(true));
        socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
      });
    await expect.poll(isTaken).toBe(false);
    begun.socket.write(body);
    half.answer = '';
    half.socket.write(`${credential}\r\n`);
    expect((await server.process.ended).code).toBe(0);
    for (const { answer } of [begun, half]) {
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r$/m);
      expect(answer).toMatch(/^connection: close\r$/im);
    }
    const list = await postern.run(['api-token', 'list', '--store', 'sqlite:farewell.db', '-o', 'json']);
    expect(JSON.parse(list.stdout)).toMatchObject([{ name: 'late' }, { name: 'bootstrap' }]);
  });

  it('uses another organization, prefix and public address', async () => {
    const words = ['--organization', 'acme', '--token-prefix', 'acme'];
    const server = here.start(['serve', '--port', '0', '--database', 'acme.db', ...words]);
    const [, url = ''] = await server.until(/^Listening on (\S+)\n/);
    const [, token = ''] = await server.until(/Bootstrap token: (acme_\w{49})\n/);
    const answer = await fetch(`${url}/api/v1/current_org`, { headers: { authorization: `Bearer ${token}` } });
    expect(await answer.json()).toMatchObject({ name: 'acme' });
    const bad = await here.run(['serve', '--port', '0', '--database', 'acme.db', '--origin', 'https://acme.dev/path']);
    expect(bad).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('origin') });
  });

  it('does not start on a file that is not its database', async () => {
    await writeFile(here.path('letter.db'), 'Dear Sir or Madam, '.repeat(100));
    const { code, stdout, stderr } = await here.run(['serve', '--port', '0', '--database', 'letter.db']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^postern: .*letter\.db.*\n$/);
  });
});
