import { afterEach, expect, test } from 'vitest';
import { endExamples, startExample } from '../examples/child.js';

afterEach(endExamples);

test('in the example, a person of the application makes a working token in their own session', async () => {
  const example = startExample('management-express.ts');
  const [, url] = await example.until(/^log in, and make a token: {2}(http:\/\/\S+)\/$/m);
  const logIn = async (name: string) => {
    const body = new URLSearchParams({ name });
    const response = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' });
    return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  };
  const cookie = await logIn('ada');
  const make = (types: object, headers: Record<string, string> = { cookie, origin: url as string }) =>
    fetch(`${url}/tokens/api/v1/api_tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ name: 'mine', types }),
    });

  expect((await fetch(`${url}/tokens/`)).headers.get('content-type')).toBe('text/html; charset=utf-8');
  const made = await make({ user: { endpoints: ['summarizer'] } });
  const { token, user } = (await made.json()) as { token: string; user: { name: string } };
  expect([made.status, user.name]).toEqual([200, 'Ada Lovelace']);
  const called = await fetch(`${url}/summarizer`, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  expect(await called.json()).toEqual({ summary: 'short', calledBy: 'ada' });

  expect((await make({ developer: { scopes: ['*'] } })).status).toBe(403);
  expect((await make({ user: { endpoints: ['summarizer'] } }, { cookie })).status).toBe(403);
  expect((await make({ user: { endpoints: ['summarizer'] } }, {})).status).toBe(401);
  const grace = { cookie: await logIn('grace'), origin: url as string };
  expect((await make({ developer: { scopes: ['*'] } }, grace)).status).toBe(200);

  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
});
