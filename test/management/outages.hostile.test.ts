import { describe, expect, test } from 'vitest';
import { type Asked, TOKENS, type World, world } from './world.js';

type Call = (made: World, code: string) => readonly [path: string, asked: Asked];

const idOf = (made: World, name = 'shared') => made.tokens[name]?.id as string;
const json = { name: 'new', scopes: ['models:read'] };
const READ = { scopes: ['models:read'] };

const CALLS: Readonly<Record<string, Call>> = {
  'create a token': () => [TOKENS, { method: 'POST', json }],
  'update a token': (made) => [`${TOKENS}/${idOf(made)}`, { method: 'PATCH', json: { ...json, expired_at: null } }],
  'delete a token': (made) => [`${TOKENS}/${idOf(made)}`, { method: 'DELETE' }],
  'rotate a token': (made) => [`${TOKENS}/${idOf(made)}/rotate`, { method: 'POST', json: { grace: '1h' } }],
  'revoke a token': (made) => [`${TOKENS}/${idOf(made)}/revoke`, { method: 'POST', json: {} }],
  'list tokens': () => [TOKENS, {}],
  'look at a token': (made) => [`${TOKENS}/${idOf(made)}/usage`, {}],
  'create an endpoint': () => ['/api/v1/endpoints', { method: 'POST', json: { id: 'new' } }],
  'update an endpoint': () => ['/api/v1/endpoints/a', { method: 'PATCH', json: { access: 'public' } }],
  'delete an endpoint': () => ['/api/v1/endpoints/a', { method: 'DELETE' }],
  'preview an endpoint': () => ['/api/v1/endpoints/a/preview?access=public', {}],
  'read the audit log': () => ['/api/v1/audit', {}],
  'look at a login': (_, code) => [`/api/v1/auth/requests/${code}`, { method: 'POST', json: {} }],
  'approve a login': (_, code) => [`/api/v1/auth/requests/${code}/approve`, { method: 'POST', json: READ }],
  'refuse a login': (_, code) => [`/api/v1/auth/requests/${code}/deny`, { method: 'POST', json: {} }],
  'revoke by secret': (made) => [
    '/oauth/revoke',
    { method: 'POST', form: { token: made.tokens.user?.token as string } },
  ],
  introspect: (made) => ['/oauth/introspect', { method: 'POST', form: { token: made.tokens.user?.token as string } }],
};

/** The stored state of an organization, without the parts that a repeated attempt changes. */
async function stateOf({ postern, ask }: World, code: string) {
  const records = (await postern.tokens.list({ limit: 100 })).items.map(({ lastUsedAt, ...record }) => record);
  return {
    records,
    endpoints: (await postern.endpoints.list()).items,
    audit: (await postern.audit.list({ limit: 100 })).items.length,
    // The status, or the reason of its absence.
    login: await ask(`/api/v1/auth/requests/${code}`, { method: 'POST', json: {}, person: 'boss' }).then(
      ({ body }) => body.status,
    ),
  };
}

async function prepared() {
  // Without a cache every call meets the failing store.
  const made = await world({ postern: { cache: false } });
  const { code } = (await made.ask('/api/v1/auth/code')).body;
  return { made, code: code as string };
}

describe.each([
  ['a token', { token: 'admin' }],
  ['a person', { person: 'boss' }],
] as const)('a store that fails for %s', (_, who) => {
  test.each(Object.entries(CALLS))('who would %s gives 503, and nothing is half done', async (_name, call) => {
    const good = await prepared();
    const before = new Map(good.made.store.calls);
    const [path, asked] = call(good.made, good.code);
    const started = await stateOf(good.made, good.code);
    const used = new Map(good.made.store.calls);
    expect((await good.made.ask(path, { ...who, ...asked })).status).toBe(200);
    const methods = [...good.made.store.calls]
      .filter(([method, count]) => count > (used.get(method) ?? 0))
      .map(([method]) => method);
    expect([methods.length > 0, before.size > 0]).toEqual([true, true]);
    const changes = (await stateOf(good.made, good.code)).audit - started.audit;

    for (const method of methods) {
      for (const how of ['reject', 'throw', 'written'] as const) {
        const { made, code } = await prepared();
        const [at, sent] = call(made, code);
        const untouched = await stateOf(made, code);
        made.store.fail(method, how, new Error('canary: connect ECONNREFUSED 10.0.0.1'));
        const { status, text, headers } = await made.ask(at, { ...who, ...sent });
        made.store.mend();
        expect([method, how, status, headers.get('retry-after')]).toEqual([method, how, 503, '5']);
        expect(text).not.toMatch(/canary|ECONNREFUSED/);
        const after = await stateOf(made, code);
        if (how !== 'written') expect([method, how, after]).toEqual([method, how, untouched]);
        // A change is written together with its audit entry, or not at all.
        else expect([0, changes]).toContain(after.audit - untouched.audit);
      }
    }
  });
});
