import { readFile, stat } from 'node:fs/promises';
import { createPostern } from 'postern';
import { verifyHop } from 'postern/jwt';
import { sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import { theCommandHere } from '../cli/here.js';
import { forwarded } from './world.js';

const postern = theCommandHere();

async function database(name: string): Promise<string> {
  const instance = createPostern({ store: sqliteStore({ filename: postern.path(name) }), organization: 'acme' });
  await instance.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token } = await instance.tokens.create({ name: 'x', owner: 'ada', types: { user: { endpoints: '*' } } });
  await instance.close();
  return token;
}

const PATTERN = ['--host-pattern', '{endpoint}.{organization}.cloud.test'];

describe('postern gateway', () => {
  it('answers a proxy, and its error page', async () => {
    const token = await database('http.db');
    const args = ['--listen', '127.0.0.1:0', '--store', 'sqlite:http.db', '--trusted-proxy', '127.0.0.1', ...PATTERN];
    const running = postern.start(['gateway', ...args]);
    const [, url = ''] = await running.until(/^Listening on (http\S+)\n/m);
    const ask = (path: string, ...rest: Parameters<typeof forwarded>) =>
      fetch(url + path, { headers: Object.fromEntries(forwarded(...rest).headers) });
    expect((await ask('/auth', { token })).headers.get('x-postern-owner')).toBe('ada');
    expect((await ask('/auth')).status).toBe(401);
    expect((await ask('/denied')).status).toBe(401);
    expect((await ask('/denied', { token })).status).toBe(503);
    for (const path of ['/', '/healthz', '/readyz', '/.well-known/jwks.json', '/api/v1']) {
      expect((await fetch(url + path)).status).toBeGreaterThanOrEqual(400);
    }
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it('makes keys for hops, and serves the public ones elsewhere', async () => {
    const token = await database('hop.db');
    const places = ['--listen', '127.0.0.1:0', '--jwks-listen', '127.0.0.1:0', '--grpc-listen', '127.0.0.1:0'];
    const hop = ['--hop-issuer', 'https://auth.acme.test', '--hop-keys', 'hop-keys.json'];
    const args = ['gateway', '--store', 'sqlite:hop.db', '--trusted-proxy', '127.0.0.1', ...PATTERN, ...places, ...hop];
    const running = postern.start(args);
    const [, url = ''] = await running.until(/^Listening on (http\S+)\n/m);
    const [, jwks = ''] = await running.until(/^Keys at (\S+)\n/m);
    await running.until(/^Listening on grpc:\/\/127\.0\.0\.1:\d+\n/m);
    expect((await stat(postern.path('hop-keys.json'))).mode & 0o777).toBe(0o600);
    const { headers } = await fetch(`${url}/auth`, { headers: Object.fromEntries(forwarded({ token }).headers) });
    const request = { method: 'GET', url: '/', headers };
    const options = { issuer: 'https://auth.acme.test', audience: 'acme/summarizer', jwks };
    expect(await verifyHop(request, options)).toMatchObject({ owner: 'ada' });
    const [{ d }] = JSON.parse(await readFile(postern.path('hop-keys.json'), 'utf8'));
    expect(await (await fetch(jwks)).text()).not.toContain(d);
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  it.each([
    [[], /nothing names the endpoint/],
    [PATTERN, /nobody may ask yet/],
    [[...PATTERN, '--trusted-proxy', '127.0.0.1'], /there is no store/],
    [[...PATTERN, '--trusted-proxy', 'x', '--store', 'sqlite:http.db'], /is no network/],
    [['--host-pattern', 'x.test', '--trusted-proxy', '127.0.0.1'], /is no host pattern/],
    [[...PATTERN, '--endpoint-header', 'X-E'], /cannot be used with/],
    [[...PATTERN, '--trusted-proxy', '127.0.0.1', '--store', 'sqlite:http.db', '--listen', 'nowhere'], /is no address/],
    [[...PATTERN, '--trusted-proxy', '127.0.0.1', '--store', 'sqlite:http.db', '--hop-keys', 'k'], /--hop-issuer/],
  ])('says the remedy for %j', async (args, message) => {
    const ended = await postern.start(['gateway', ...args]).ended;
    expect(ended.code).toBeGreaterThan(0);
    expect(ended.stderr).toMatch(message);
    expect(ended.stdout).toBe('');
  });

  it('has help with examples', async () => {
    const { stdout } = await postern.start(['gateway', '--help']).ended;
    for (const option of ['--listen', '--grpc-listen', '--host-pattern', '--trusted-proxy', '--store']) {
      expect(stdout).toContain(option);
    }
    expect(stdout).toContain('Examples:');
  });
});
