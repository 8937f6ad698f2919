import { afterEach, expect, it } from 'vitest';
import { endExamples, runExample, startExample } from './child.js';

afterEach(endExamples);

/** The method, address and headers of a printed curl command. */
function callOf(command: string): Promise<Response> {
  const [, url = ''] = /(http:\S+)/.exec(command) ?? [];
  const [, method = 'GET'] = /-X (\w+)/.exec(command) ?? [];
  const [, authorization = ''] = /"Authorization: ([^"]+)"/.exec(command) ?? [];
  return fetch(url, { method, headers: { authorization } });
}

async function statuses(file: string, last: string) {
  const example = startExample(file);
  await example.until(new RegExp(`^${last}: .*$`, 'm'));
  const status = async (title: string) => {
    const [line] = await example.until(new RegExp(`^${title}: .*$`, 'm'));
    const response = await callOf(line);
    await response.arrayBuffer();
    return response.status;
  };
  const end = async () => {
    example.signal('SIGTERM');
    return example.ended;
  };
  return { status, end };
}

it('derive.ts: the derived token can read, and nothing else', async () => {
  const { status, end } = await statuses('derive.ts', 'scope missing');
  expect([await status('API token'), await status('allowed'), await status('scope missing')]).toEqual([201, 200, 403]);
  expect(await end()).toMatchObject({ code: 0, stderr: '' });
});

it('access-tokens.ts: an exchanged token is accepted by a service with the public keys only', async () => {
  const { status, end } = await statuses('access-tokens.ts', 'scope missing');
  expect([await status('allowed'), await status('scope missing')]).toEqual([200, 403]);
  expect(await end()).toMatchObject({ code: 0, stderr: '' });
});

it('trusted-issuer.ts: tokens of both kinds are accepted on one route', async () => {
  const { status, end } = await statuses('trusted-issuer.ts', 'scope missing');
  expect([await status('allowed'), await status('API token'), await status('scope missing')]).toEqual([200, 200, 403]);
  expect(await end()).toMatchObject({ code: 0, stderr: '' });
});

it("authenticator.ts: the application's own sessions are accepted beside API tokens", async () => {
  const { status, end } = await statuses('authenticator.ts', 'scope missing');
  expect([await status('allowed'), await status('API token'), await status('scope missing')]).toEqual([200, 200, 403]);
  expect(await end()).toMatchObject({ code: 0, stderr: '' });
});

it('dpop.ts: the token with a new proof is accepted, and nothing else', async () => {
  const { code, stdout, stderr } = await runExample('dpop.ts');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/: +/)),
  ).toEqual([
    ['with its proof', '200'],
    ['the same proof again', '401'],
    ['a new proof', '200'],
    ['the token alone', '401'],
    ['as a plain bearer token', '401'],
  ]);
});

it('management-express.ts: only people of the application make tokens, and these are accepted', async () => {
  const example = startExample('management-express.ts');
  const [, url = ''] = await example.until(/(http:\S+?)\/$/m);
  expect((await fetch(`${url}/tokens/api/v1/api_tokens`)).status).toBe(401);
  const login = await fetch(`${url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ name: 'ada' }),
    redirect: 'manual',
  });
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
  const create = (headers: Record<string, string>) =>
    fetch(`${url}/tokens/api/v1/api_tokens`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'mine', types: { user: { endpoints: ['summarizer'] } } }),
    });
  expect((await create({ origin: 'https://evil.example' })).status).toBe(403);
  const made = await create({ origin: url });
  expect(made.status).toBe(200);
  const { token, user } = (await made.json()) as { token: string; user: { name: string } };
  expect(user.name).toBe('Ada Lovelace');
  const called = await fetch(`${url}/summarizer`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  expect([called.status, await called.json()]).toEqual([200, { summary: 'short', calledBy: 'ada' }]);
  expect((await fetch(`${url}/tokens/`, { headers: { cookie } })).headers.get('content-type')).toContain('text/html');
  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
});
