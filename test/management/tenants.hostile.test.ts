import { describe, expect, test } from 'vitest';
import { NOBODY, TOKENS, type World, world } from './world.js';

/** An answer with its bytes, headers and store calls, because a caller can time those. */
async function answerTo(made: World, path: string, asked: object) {
  const before = new Map(made.store.calls);
  const { status, text, headers } = await made.ask(path, asked);
  const calls = [...made.store.calls].map(([method, count]) => [method, count - (before.get(method) ?? 0)] as const);
  return { status, text, headers: [...headers], calls: calls.filter(([, count]) => count > 0).sort() };
}

describe.each([
  ['a manager', { token: 'admin' }],
  ['a person who manages', { person: 'boss' }],
  ['a person', { person: 'ada' }],
])("for %s another organization's token looks like a missing one, in bytes, headers and store calls,", (_, who) => {
  const theirs = (made: World, name = 'user') => made.tokens[`other-${name}`]?.id as string;

  test.each([
    ['GET', `${TOKENS}/{id}`, undefined],
    ['GET', `${TOKENS}/{id}/usage`, undefined],
    ['PATCH', `${TOKENS}/{id}`, { name: 'x' }],
    ['PATCH', `${TOKENS}/{id}`, { scopes: ['models:read'] }],
    ['PATCH', `${TOKENS}/{id}`, { expired_at: null }],
    ['DELETE', `${TOKENS}/{id}`, undefined],
    ['POST', `${TOKENS}/{id}/rotate`, { grace: '1h' }],
    ['POST', `${TOKENS}/{id}/revoke`, {}],
  ])('by %s %s', async (method, path, json) => {
    const made = await world();
    await made.ask('/api/v1/auth/current', who);
    for (const name of ['user', 'shared', 'admin']) {
      const there = await answerTo(made, path.replace('{id}', theirs(made, name)), { ...who, method, json });
      const nowhere = await answerTo(made, path.replace('{id}', NOBODY), { ...who, method, json });
      expect(there).toEqual(nowhere);
      expect(there.status).toBe(404);
    }
    for (const name of ['user', 'shared', 'admin']) {
      expect(await made.postern.tokens.get(theirs(made, name))).toMatchObject({ revokedAt: null, name });
    }
  });

  test.each([
    [`search=theirs`],
    ['owner=theirs'],
    ['owner=ada&search=theirs'],
    ['ownership=organization&search=theirs'],
    ['type=developer&search=theirs'],
  ])('in a list by %s', async (query) => {
    const made = await world();
    await made.ask('/api/v1/auth/current', who);
    const before = await answerTo(made, `${TOKENS}?${query}`, who);
    for (const ownership of ['personal', 'organization'] as const) {
      for (const owner of ['theirs', 'ada']) {
        const types = { developer: { scopes: ['models:read'] } } as const;
        await made.postern.tokens.create({ name: 'theirs', owner, ownership, organization: 'other', types });
      }
    }
    expect(await answerTo(made, `${TOKENS}?${query}`, who)).toEqual(before);
  });

  test("with a cursor of theirs, which leads to the caller's own", async () => {
    const made = await world();
    const theirs = (await made.postern.tokens.list({ organization: 'other', limit: 2 })).nextCursor;
    const { body } = await made.ask(`${TOKENS}?cursor=${theirs}&ownership=organization`, who);
    expect(body.items.every((each: { organization: { name: string } }) => each.organization.name === 'acme')).toBe(
      true,
    );
    expect(body.total).toBe(1);
  });

  test('in a login that they answered', async () => {
    const made = await world();
    const { code } = (await made.ask('/api/v1/auth/code')).body;
    const approved = await made.ask(`/api/v1/auth/requests/${code}/approve`, {
      method: 'POST',
      person: 'eve',
      json: { scopes: ['models:read'] },
    });
    expect(approved.status).toBe(200);
    await made.ask('/api/v1/auth/current', who);
    for (const [method, what] of [
      ['POST', ''],
      ['POST', '/approve'],
      ['POST', '/deny'],
    ] as const) {
      const json = {};
      const there = await answerTo(made, `/api/v1/auth/requests/${code}${what}`, { ...who, method, json });
      const nowhere = await answerTo(made, `/api/v1/auth/requests/${NOBODY}${what}`, { ...who, method, json });
      expect([there, there.status]).toEqual([nowhere, 404]);
    }
    expect((await made.ask(`/api/v1/auth/token?code=${code}`)).status).toBe(200);
  });
});

describe("for a manager of endpoints another organization's endpoint looks like a missing one", () => {
  test.each([
    ['GET', '/api/v1/endpoints/{id}', undefined],
    ['GET', '/api/v1/endpoints/{id}/preview?access=public', undefined],
    ['PATCH', '/api/v1/endpoints/{id}', { access: 'public' }],
    ['DELETE', '/api/v1/endpoints/{id}', undefined],
  ])('by %s %s', async (method, path, json) => {
    const made = await world();
    await made.postern.endpoints.create({ id: 'theirs', access: 'private', organization: 'other' });
    await made.ask('/api/v1/auth/current', { token: 'admin' });
    const there = await answerTo(made, path.replace('{id}', 'theirs'), { token: 'admin', method, json });
    const nowhere = await answerTo(made, path.replace('{id}', 'nothing'), { token: 'admin', method, json });
    expect([there, there.status]).toEqual([nowhere, 404]);
    expect(await made.postern.endpoints.get('theirs', { organization: 'other' })).toMatchObject({ access: 'private' });
  });

  test('and its name is free', async () => {
    const made = await world();
    await made.postern.endpoints.create({ id: 'theirs', access: 'private', organization: 'other' });
    const made1 = await made.ask('/api/v1/endpoints', { method: 'POST', token: 'admin', json: { id: 'theirs' } });
    expect([made1.status, made1.body.organization]).toEqual([200, 'acme']);
  });

  test('and a preview neither counts nor names their tokens', async () => {
    const made = await world();
    const preview = () => made.ask('/api/v1/endpoints/a/preview?access=private', { token: 'admin' });
    const before = (await preview()).text;
    await made.postern.tokens.create({ name: 'x', organization: 'other', types: { user: { endpoints: '*' } } });
    expect((await preview()).text).toBe(before);
  });
});

test("another organization's token is told as inactive and can not be revoked by its secret", async () => {
  const made = await world();
  const found = made.tokens['other-everywhere']?.token as string;
  const unknown = `${found.slice(0, -1)}${found.endsWith('x') ? 'y' : 'x'}`;
  for (const token of [found, unknown]) {
    const introspected = await made.ask('/oauth/introspect', { method: 'POST', token: 'admin', form: { token } });
    expect([introspected.status, introspected.text]).toEqual([200, '{"active":false}']);
    const revoked = await made.ask('/oauth/revoke', { method: 'POST', token: 'admin', form: { token } });
    expect([revoked.status, revoked.text]).toEqual([200, '{}']);
  }
  expect((await made.postern.authenticate(found)).ok).toBe(true);
});

test('the audit log shows one organization for any query', async () => {
  const made = await world();
  const theirs = (await made.postern.audit.list({ organization: 'other', limit: 3 })).nextCursor;
  for (const query of [
    `subject=${made.tokens['other-user']?.id}`,
    'subject=x',
    `cursor=${theirs}`,
    'type=token.created',
    'count=1000',
  ]) {
    const { status, text } = await made.ask(`/api/v1/audit?${query}`, { token: 'reader' });
    expect([query, status]).toEqual([query, 200]);
    expect(text).not.toContain('"organization":"other"');
    expect(text).not.toContain(made.tokens['other-user']?.id);
  }
  for (const query of ['organization=other', 'organization=*', 'subject=a&subject=b']) {
    expect((await made.ask(`/api/v1/audit?${query}`, { token: 'reader' })).status).toBe(400);
  }
});
