import { readdir, readFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { endExamples, runExample, startExample } from './child.js';

const EXAMPLES = new URL('../../examples/', import.meta.url);

afterEach(endExamples);

it.each(['express.ts', 'fastify.ts', 'fetch.ts', 'hono.ts', 'nestjs.ts', 'node.ts'])(
  '%s lets its token through, denies another call, and ends on SIGTERM',
  async (file) => {
    const example = startExample(file);
    const [, url, token] = await example.until(/^allowed: .*?(http:\/\/\S+)\/summarizer .*Bearer (pst_\w+)/m);
    const headers = { authorization: `Bearer ${token}` };

    const reached = await fetch(`${url}/summarizer`, { method: 'POST', headers });
    expect([reached.status, await reached.json()]).toEqual([200, { summary: 'short', calledBy: 'you' }]);
    const denied = await fetch(`${url}/models`, { method: 'POST', headers });
    expect([denied.status, ((await denied.json()) as { code: string }).code]).toEqual([403, 'scope_missing']);
    const missing = await fetch(`${url}/summarizer`, { method: 'POST' });
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="postern"');
    await missing.arrayBuffer();

    example.signal('SIGTERM');
    expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  },
);

it('events.ts ends its stream when the token is revoked, and on SIGTERM', async () => {
  const example = startExample('events.ts');
  const [, url, token] = await example.until(/^a stream: .*?(http:\/\/\S+)\/events .*Bearer (pst_\w+)/m);
  const headers = { authorization: `Bearer ${token}` };

  const stream = await fetch(`${url}/events`, { headers });
  expect((await fetch(`${url}/token`, { method: 'DELETE', headers })).status).toBe(204);
  expect(await stream.text()).toMatch(/^data: \d[\s\S]*event: goodbye\ndata: token_revoked\n\n$/);
  expect((await fetch(`${url}/events`, { headers })).status).toBe(401);

  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
});

it('grpc.ts lets its token through, denies another call, and ends on SIGTERM', async () => {
  const example = startExample('grpc.ts');
  await example.until(/^token missing: .*$/m);
  const call = async (title: string) => {
    const [, args = ''] = await example.until(new RegExp(`^${title}: .*grpc-client.ts (.*)$`, 'm'));
    const { code, stdout } = await runExample('grpc-client.ts', args.split(' '));
    return [code, stdout.split(' ')[0]?.trim()];
  };
  expect(await call('allowed')).toEqual([0, 'OK']);
  expect(await call('scope missing')).toEqual([1, 'PERMISSION_DENIED']);
  expect(await call('token missing')).toEqual([1, 'UNAUTHENTICATED']);

  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
});

it('connect.ts lets its token through, denies another call, and ends on SIGTERM', async () => {
  const example = startExample('connect.ts');
  const [, url, token] = await example.until(/^allowed: .*?(http:\/\/\S+)\/Summarize .*Bearer (pst_\w+)/m);
  const call = async (method: string, headers: Record<string, string> = {}) => {
    const json = { 'content-type': 'application/json', ...headers };
    const answer = await fetch(`${url}/${method}`, { method: 'POST', headers: json, body: '"text"' });
    return [answer.status, await answer.json()];
  };
  const authorization = `Bearer ${token}`;
  expect(await call('Summarize', { authorization })).toEqual([200, 'short, for you']);
  expect(await call('CreateModel', { authorization })).toMatchObject([403, { code: 'permission_denied' }]);
  expect(await call('Summarize')).toMatchObject([401, { code: 'unauthenticated' }]);

  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
});

it('all examples are in the README, and short', async () => {
  const readme = await readFile(new URL('README.md', EXAMPLES), 'utf8');
  const files = (await readdir(EXAMPLES)).filter((file) => file.endsWith('.ts'));
  expect(files).toEqual(expect.arrayContaining(['express.ts', 'fastify.ts', 'grpc.ts', 'fetch.ts']));
  for (const file of files) {
    expect(readme).toContain(`[${file}](${file})`);
    expect((await readFile(new URL(file, EXAMPLES), 'utf8')).split('\n').length, file).toBeLessThan(62);
  }
});

it('drizzle-within writes an order and its token, or neither', async () => {
  const { code, stdout, stderr } = await runExample('drizzle-within/main.ts');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trim().split('\n')).toEqual([
    'after an order: orders 1, tokens 1',
    'its token is allowed: true',
    'the same order again: refused',
    'after it: orders 1, tokens 1',
  ]);
});
