import { request } from 'node:http';
import type { ManagementApi } from 'postern/management';
import { expect, test } from 'vitest';
import { listening, PEOPLE, signedIn, type World, world } from './world.js';

/* Who sends a body has all the time in the world to send it: what they may do counts when it has come. */

const CHANGES: readonly [method: string, path: string, body: object][] = [
  ['POST', '/endpoints', { id: 'backdoor', access: 'public' }],
  ['PATCH', '/endpoints/a', { access: 'public' }],
  ['POST', '/api_tokens', { name: 'child', types: { developer: { scopes: ['*'] } } }],
  ['PATCH', '/api_tokens/{shared}', { name: 'renamed' }],
  ['POST', '/api_tokens/{shared}/rotate', {}],
  ['POST', '/api_tokens/{shared}/revoke', {}],
];

/** A world with a request on its way whose last byte is missing, and what sends it. */
async function underWay([method, path, body]: (typeof CHANGES)[number], made: World, headers: Record<string, string>) {
  let asked: Request | undefined;
  const api: ManagementApi = (given, arrival) => {
    asked = given;
    return made.api(given, arrival);
  };
  const { port } = new URL(await listening(api));
  const text = JSON.stringify(body);
  const call = request({
    port,
    method,
    path: `/api/v1${path.replace('{shared}', made.tokens.shared?.id as string)}`,
    headers: { 'content-type': 'application/json', 'content-length': text.length, ...headers },
  });
  const status = new Promise<number | undefined>((resolve, reject) => {
    call.on('error', reject).on('response', (answer) => resolve(answer.resume().statusCode));
  });
  call.write(text.slice(0, -1));
  await expect.poll(() => asked?.bodyUsed).toBe(true);
  return () => {
    call.end(text.slice(-1));
    return status;
  };
}

/** What a change would change. */
async function standing({ postern }: World) {
  const [tokens, endpoints] = await Promise.all([postern.tokens.list({ organization: '*' }), postern.endpoints.list()]);
  return {
    tokens: tokens.items.map(({ id, name, revokedAt, hint }) => ({ id, name, revokedAt, hint })),
    endpoints: endpoints.items.map(({ id, access }) => ({ id, access })),
  };
}

const ENDS: Readonly<Record<string, (made: World, id: string) => unknown>> = {
  revoked: ({ postern }, id) => postern.tokens.revoke(id),
  deleted: ({ postern }, id) => postern.tokens.delete(id),
  expired: ({ clock }) => clock.advance('2h'),
  'narrowed to nothing that manages': ({ postern }, id) =>
    postern.tokens.update(id, { types: { developer: { scopes: ['models:read'] } } }),
};

test.each(CHANGES.flatMap((change) => Object.keys(ENDS).map((end) => [change[0], change[1], end, change] as const)))(
  '%s %s is refused to a token that was %s while its body came',
  async (_method, _path, end, change) => {
    const made = await world();
    const { token, record } = await made.postern.tokens.create({
      name: 'mallory',
      types: { developer: { scopes: ['*'] } },
      expiresIn: '1h',
    });
    const finish = await underWay(change, made, { authorization: `Bearer ${token}` });
    await ENDS[end]?.(made, record.id);
    const before = await standing(made);
    expect([401, 403]).toContain(await finish());
    expect(await standing(made)).toEqual(before);
  },
);

test.each(CHANGES)('%s %s of a session is refused once its token has ended', async (...change) => {
  const made = await world({ options: { session: true, origin: 'https://acme.dev' } });
  const cookie = await signedIn(made.api, made.tokens.admin?.token as string);
  const finish = await underWay(change, made, { cookie, 'sec-fetch-site': 'same-origin' });
  await made.postern.tokens.revoke(made.tokens.admin?.id as string);
  const before = await standing(made);
  expect(await finish()).toBe(401);
  expect(await standing(made)).toEqual(before);
});

test.each(CHANGES)('%s %s of a person is refused once the application knows them no more', async (...change) => {
  let boss = PEOPLE.boss ?? null;
  const made = await world({ options: { identify: () => boss } });
  const finish = await underWay(change, made, { 'sec-fetch-site': 'same-origin' });
  boss = null;
  const before = await standing(made);
  expect(await finish()).toBe(401);
  expect(await standing(made)).toEqual(before);
});

test('who brings nothing that could say who they are sends no body', async () => {
  const { api } = await world({ options: { identify: undefined, session: true } });
  let read = false;
  const pull = () => {
    read = true;
  };
  for (const headers of [{}, { authorization: 'Basic eDp5' }, { cookie: 'app=boss' }]) {
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const init = { method: 'POST', headers: headers as Record<string, string>, body, duplex: 'half' } as RequestInit;
    expect((await api(new Request('https://acme.dev/api/v1/api_tokens', init))).status).toBe(401);
  }
  expect(read).toBe(false);
});

test('of what a stranger sends nothing is judged but its size', async () => {
  const { ask } = await world();
  for (const [headers, status] of [
    [{ authorization: 'Bearer nonsense' }, 401],
    [{}, 401],
    [{ authorization: 'Bearer nonsense', 'x-yatai-api-token': 'x' }, 400],
  ] as const) {
    const refused = await ask('/api/v1/api_tokens?count=x', { method: 'POST', headers, body: '{"no json' });
    expect([refused.status, refused.body.code]).toEqual([status, expect.stringMatching(/^token_/)]);
  }
});
