import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { derive } from 'postern/jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requirementOf } from '../../examples/mcp/requirement.js';
import { type Example, endExamples, runExample, startExample } from './child.js';

let example: Example;
let address: string;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  example = startExample('mcp/server.ts');
  for (const title of ['API token', 'exchanged', 'derived', 'another caller']) {
    const [, url = '', token = ''] = await example.until(new RegExp(`^${title}: .*client.ts (\\S+) (\\S+)$`, 'm'));
    address = url;
    tokens[title] = token;
  }
});
afterAll(async () => {
  example.signal('SIGTERM');
  expect(await example.ended).toMatchObject({ code: 0, stderr: '' });
  await endExamples();
});

async function connect(token = '') {
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const transport = new StreamableHTTPClientTransport(new URL(address), { requestInit });
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(transport as Transport);
  return { client, sessionId: transport.sessionId ?? '' };
}

/** One message, or a batch of them, as a client of one's own sends it. */
function post(body: unknown, token: string | undefined, sessionId?: string) {
  return fetch(address, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(sessionId && { 'Mcp-Session-Id': sessionId }),
    },
    body: JSON.stringify(body),
  });
}

const callOf = (name: string, id = 1) => {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: { title: 'Dune' } } };
};
const call = (client: Client, name: string) => client.callTool({ name, arguments: { title: 'Dune' } });

it.each(['API token', 'exchanged', 'derived'])('the client of the SDK searches with the token: %s', async (title) => {
  const { client } = await connect(tokens[title]);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['search', 'publish']);
  const found = [{ type: 'text', text: 'found Dune, for you' }];
  expect(await call(client, 'search')).toMatchObject({ content: found });
  if (title === 'API token') {
    expect(await call(client, 'publish')).toMatchObject({ content: [{ text: 'published Dune' }] });
  } else {
    await expect(call(client, 'publish')).rejects.toThrow('scope_missing');
  }
  await client.close();
});

it('without a token the answer is 401, and leads to the metadata', async () => {
  const refused = await post(callOf('search'), undefined);
  expect(refused.status).toBe(401);
  const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused);
  expect(resourceMetadataUrl).toBeInstanceOf(URL);
  expect(
    await discoverOAuthProtectedResourceMetadata(address, { resourceMetadataUrl: resourceMetadataUrl as URL }),
  ).toEqual(
    expect.objectContaining({
      resource: address,
      authorization_servers: [new URL(address).origin],
      scopes_supported: ['tools:search', 'tools:publish'],
    }),
  );
});

describe('the 401 of a caller without a valid token', () => {
  const scopeIn = (answer: Response) => [answer.status, extractWWWAuthenticateParams(answer).scope];

  it.each([undefined, 'pst_x'])('names the scopes of the tools that it calls: %s', async (token) => {
    expect(scopeIn(await post(callOf('publish'), token))).toEqual([401, 'tools:publish']);
    const batch = [callOf('search'), callOf('publish')];
    expect(scopeIn(await post(batch, token))).toEqual([401, 'tools:search tools:publish']);
  });

  it('names none for what needs none, nor for what is not read', async () => {
    const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize' };
    expect(scopeIn(await post(initialize, undefined))).toEqual([401, undefined]);
    expect(scopeIn(await post(callOf('erase'), undefined))).toEqual([401, undefined]);
    const large = { ...callOf('publish'), more: 'x'.repeat(20_000) };
    expect(scopeIn(await post(large, undefined))).toEqual([401, undefined]);
    expect(scopeIn(await fetch(address))).toEqual([401, undefined]);
  });

  it('comes, though the body does not', async () => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) });
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(address, { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
    expect(scopeIn(answer)).toEqual([401, undefined]);
    await answer.body?.cancel();
  });
});

describe('a tool that the token may not call', () => {
  it('is refused with the scope that is missing', async () => {
    const refused = await post(callOf('publish'), tokens.derived);
    expect(refused.status).toBe(403);
    expect(extractWWWAuthenticateParams(refused)).toMatchObject({
      scope: 'tools:publish',
      error: 'insufficient_scope',
    });
  });

  it('is refused also in a batch, and nothing of the batch runs', async () => {
    const { client, sessionId } = await connect(tokens.derived);
    const batch = [callOf('search', 1), callOf('publish', 2)];
    const refused = await post(batch, tokens.derived, sessionId);
    expect([refused.status, extractWWWAuthenticateParams(refused).scope]).toEqual([403, 'tools:search tools:publish']);
    expect(await refused.text()).not.toContain('Dune');
    const allowed = await post([callOf('search', 1), callOf('search', 2)], tokens.derived, sessionId);
    expect([allowed.status, (await allowed.text()).match(/found Dune/g)?.length]).toEqual([200, 2]);
    await client.close();
  });

  it('can not be reached by another token of one session', async () => {
    const { client, sessionId } = await connect(tokens['API token']);
    // The same principal: a token derived from the one that opened the session.
    const narrow = await derive(tokens['API token'] ?? '', { scopes: ['tools:search'], expiresIn: '5m' });
    expect((await post(callOf('search'), narrow, sessionId)).status).toBe(200);
    expect((await post(callOf('publish'), narrow, sessionId)).status).toBe(403);
    await client.close();
  });
});

it('a session is unknown to every other caller, and goes on for its own', async () => {
  const { client, sessionId } = await connect(tokens['API token']);
  const other = tokens['another caller'];
  for (const method of ['GET', 'DELETE']) {
    const headers = { Authorization: `Bearer ${other}`, 'Mcp-Session-Id': sessionId, Accept: 'text/event-stream' };
    expect((await fetch(address, { method, headers })).status).toBe(404);
  }
  const taken = await post(callOf('search'), other, sessionId);
  const invented = await post(callOf('search'), other, 'e7a5e7a5-0000-4000-8000-000000000000');
  expect([taken.status, await taken.text()]).toEqual([404, await invented.text()]);
  expect(await call(client, 'search')).toMatchObject({ content: [{ type: 'text' }] });
  await client.close();
});

it('client.ts shows what its token may do', async () => {
  const { code, stdout } = await runExample('mcp/client.ts', [address, tokens.derived ?? '']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^search: found Dune, for you\npublish: refused, .*scope_missing/);
});

describe('requirementOf', () => {
  const search = callOf('search');
  const needs = (body: unknown) => requirementOf('POST', body);

  it('names the scopes of all calls of a body', () => {
    expect(needs(search)).toEqual({ scope: ['tools:search'] });
    expect(needs([search, callOf('publish'), search])).toEqual({ scope: ['tools:search', 'tools:publish'] });
    expect(needs({ jsonrpc: '2.0', id: 1, method: 'tools/list' })).toEqual({ authenticated: true });
    expect(needs({ jsonrpc: '2.0', id: 1, result: {} })).toEqual({ authenticated: true });
  });

  it.each<unknown>([
    undefined,
    'tools/call',
    [[search]],
    [search, null],
    [search, callOf('erase')],
    callOf('constructor'),
    callOf('__proto__'),
    { ...search, params: { name: ['search'] } },
    { ...search, params: undefined },
    { ...search, method: 'tools/call ' },
    { ...search, method: 'TOOLS/CALL' },
    { ...search, method: ['tools/call'] },
    { ...search, method: 'resources/read' },
    { ...search, method: null },
  ])('refuses what it does not know: %j', (body) => {
    expect(needs(body)).toBeNull();
  });
});
