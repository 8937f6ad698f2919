import { describe, expect, test } from 'vitest';
import { ISO, world } from './world.js';

test('our own clients page by cursor, and filter', async () => {
  const { ask } = await world();
  const names = async (query: string) => {
    const { body } = await ask(`/api/v1/api_tokens?${query}`, { token: 'admin' });
    return [body.total, body.items.map(({ name }: { name: string }) => name), body.next_cursor] as const;
  };
  const [, first, cursor] = await names('count=3');
  expect(first).toEqual(['shared', 'everywhere', 'user']);
  expect(await names(`count=10&cursor=${cursor}`)).toEqual([7, ['writer', 'modeller', 'reader', 'admin'], null]);
  expect(await names('ownership=organization')).toEqual([1, ['shared'], null]);
  expect(await names('type=user')).toEqual([2, ['everywhere', 'user'], null]);
  expect(await names('owner=ada&type=developer')).toEqual([2, ['writer', 'modeller'], null]);
  expect(await names('owner=nobody')).toEqual([0, [], null]);
  const both = await ask(`/api/v1/api_tokens?start=1&cursor=${cursor}`, { token: 'admin' });
  expect([both.status, both.body.path]).toEqual([400, 'cursor']);
});

test('a token has all documented fields on the wire', async () => {
  const { ask, tokens, clock, postern } = await world({ options: { describeOwner: describe } });
  function describe(owner: string, organization: string) {
    return owner === 'bob' ? { name: 'Bob B.', email: `bob@${organization}`, firstName: 'Bob' } : null;
  }
  const get = async (name: string) => (await ask(`/api/v1/api_tokens/${tokens[name]?.id}`, { token: 'admin' })).body;
  expect(await get('everywhere')).toMatchObject({
    is_global_access: true,
    types: { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } },
    // BentoCloud has no word for these scopes.
    scopes: ['models:read'],
    user: { name: 'Bob B.', email: 'bob@acme', first_name: 'Bob', last_name: '' },
  });
  expect(await get('shared')).toMatchObject({ is_organization_token: true });
  expect((await get('user')).scopes).toEqual([]);
  expect((await get('admin')).scopes).toEqual([
    'api',
    'read_organization',
    'write_organization',
    'read_cluster',
    'write_cluster',
  ]);

  await postern.tokens.update(tokens.user?.id as string, { expiresAt: new Date(clock.now() + 1_000) });
  expect((await get('user')).is_expired).toBe(false);
  clock.advance(1_000);
  expect((await get('user')).is_expired).toBe(true);
  const revoked = await ask(`/api/v1/api_tokens/${tokens.shared?.id}/revoke`, { method: 'POST', token: 'admin' });
  expect(revoked.body.revoked_at).toMatch(ISO);
});

test('a failing describeOwner hides no token', async () => {
  const down = new Error('directory is down');
  const { ask, errors } = await world({ options: { describeOwner: () => Promise.reject(down) } });
  const { status, body } = await ask('/api/v1/api_tokens?owner=bob', { token: 'admin' });
  expect([status, body.items[0].user.name]).toEqual([200, 'bob']);
  expect(new Set(errors)).toEqual(new Set([down]));
});

describe('an update', () => {
  test('changes the given fields only', async () => {
    const { ask, tokens } = await world();
    const path = `/api/v1/api_tokens/${tokens.user?.id}`;
    const before = (await ask(path, { token: 'admin' })).body;
    const patch = (json: unknown) => ask(path, { method: 'PATCH', token: 'admin', json });
    const { limits, ...same } = before;
    expect([limits, (await patch({})).body]).toEqual([[], same]);
    expect(
      (await patch({ name: null, description: null, types: null, scopes: null, labels: null })).body,
    ).toMatchObject({
      name: 'user',
      types: before.types,
    });
    const labels = [{ key: 'team', value: 'nlp' }];
    const changed = await patch({ name: 'renamed', labels, expired_at: '2030-01-01T00:00:00+02:00' });
    expect(changed.body).toMatchObject({
      name: 'renamed',
      description: before.description,
      types: before.types,
      labels,
      expired_at: '2029-12-31T22:00:00.000Z',
    });
    expect((await patch({ expired_at: null })).body.expired_at).toBeNull();
    expect((await patch({ scopes: ['read_cluster'], types: { user: { endpoints: ['b'] } } })).body.types).toEqual({
      user: { endpoints: ['b'] },
      developer: { scopes: ['cluster:read'] },
    });
  });

  test("keeps the application's own metadata", async () => {
    const { ask, postern } = await world();
    const { record } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      metadata: { secret: 'mine', labels: [{ key: 'a', value: 'b' }, 'odd', { key: 1 }] },
    });
    const path = `/api/v1/api_tokens/${record.id}`;
    const shown = await ask(path, { token: 'admin' });
    expect(shown.body.labels).toEqual([{ key: 'a', value: 'b' }]);
    expect(shown.text).not.toContain('mine');
    await ask(path, { method: 'PATCH', token: 'admin', json: { labels: [] } });
    expect((await postern.tokens.get(record.id))?.metadata).toEqual({ secret: 'mine', labels: [] });
  });

  test('by rotation keeps the old secret until its grace ends', async () => {
    const { ask, tokens, postern, clock } = await world();
    const path = `/api/v1/api_tokens/${tokens.shared?.id}/rotate`;
    const rotated = await ask(path, { method: 'POST', token: 'admin', json: { grace: '1h' } });
    expect([rotated.status, rotated.body.name]).toEqual([200, 'shared']);
    const works = async (token: string | undefined) => (await postern.authenticate(token)).ok;
    expect([await works(rotated.body.token), await works(tokens.shared?.token)]).toEqual([true, true]);
    clock.advance(3_600_000);
    expect([await works(rotated.body.token), await works(tokens.shared?.token)]).toEqual([true, false]);
    const wrong = await ask(path, { method: 'POST', token: 'admin', json: { grace: 'soon' } });
    expect([wrong.status, wrong.body.path]).toEqual([400, 'grace']);
  });

  test('of an ended token is a conflict', async () => {
    const { ask, tokens, postern } = await world();
    await postern.tokens.revoke(tokens.shared?.id as string);
    const rotated = await ask(`/api/v1/api_tokens/${tokens.shared?.id}/rotate`, { method: 'POST', token: 'admin' });
    expect([rotated.status, rotated.body.code]).toEqual([409, 'token_revoked']);
  });
});

test('usage is told by endpoint', async () => {
  const { ask, store, clock, tokens } = await world();
  const tokenId = tokens.user?.id as string;
  const counts = [
    { day: 20_454, endpoint: '', scope: '', count: 2 },
    { day: 20_454, endpoint: 'a', scope: '', count: 3 },
  ];
  await store.recordUsage([{ tokenId, lastUsedAt: clock.now(), counts }]);
  const last_used_at = new Date(clock.now()).toISOString();
  expect((await ask(`/api/v1/api_tokens/${tokenId}/usage`, { token: 'admin' })).body).toEqual({
    items: [
      { endpoint: null, count: 2, last_used_at },
      { endpoint: 'a', count: 3, last_used_at },
    ],
  });
  expect((await ask(`/api/v1/api_tokens/${tokenId}`, { token: 'admin' })).body.last_used_at).toBe(last_used_at);
});

describe('endpoints over the API', () => {
  test('are created, changed, read and deleted', async () => {
    const { ask } = await world();
    const call = (method: string, path: string, json?: unknown) =>
      ask(`/api/v1/endpoints${path}`, { method, token: 'admin', ...(json !== undefined && { json }) });
    const made = await call('POST', '', { id: 'c' });
    expect(made.body).toEqual({
      id: 'c',
      organization: 'acme',
      access: 'protected',
      created_at: expect.stringMatching(ISO),
      updated_at: expect.stringMatching(ISO),
    });
    expect([(await call('POST', '', { id: 'c' })).status, (await call('POST', '', { id: '/' })).status]).toEqual([
      409, 400,
    ]);
    expect((await call('PATCH', '/c', { access: 'public' })).body.access).toBe('public');
    expect((await call('GET', '/c')).body.access).toBe('public');
    const first = await call('GET', '?count=2');
    expect(first.body.items.map(({ id }: { id: string }) => id)).toEqual(['a', 'b']);
    expect((await call('GET', `?cursor=${first.body.next_cursor}`)).body).toMatchObject({
      items: [{ id: 'c' }],
      next_cursor: null,
    });
    expect([(await call('DELETE', '/c')).body.id, (await call('DELETE', '/c')).status]).toEqual(['c', 404]);
    for (const [method, path, json] of [
      ['GET', '/c', undefined],
      ['PATCH', '/c', { access: 'public' }],
      ['GET', '/c/preview?access=public', undefined],
    ] as const) {
      expect([(await call(method, path, json)).status, method]).toEqual([404, method]);
    }
  });

  test('have previews of who gains and loses access, with only those tokens that the caller may see', async () => {
    const { ask, postern } = await world();
    const preview = (token: string) => ask('/api/v1/endpoints/a/preview?access=private', { token });
    const types = { developer: { scopes: ['deployments:read'] } } as const;
    const { token: deployer } = await postern.tokens.create({ name: 'deployer', types });
    expect((await preview(deployer)).body).toMatchObject({ lose_count: 2, lose: [], gain: [] });
    const { body } = await preview('admin');
    expect(body).toMatchObject({
      from: 'protected',
      to: 'private',
      open_to_anyone: false,
      gain_count: 0,
      lose_count: 2,
    });
    expect(body.lose.map(({ token }: { token: { name: string } }) => token.name).sort()).toEqual([
      'everywhere',
      'user',
    ]);
    const { body: open } = await ask('/api/v1/endpoints/a/preview?access=public', { token: 'admin' });
    expect(open).toMatchObject({ open_to_anyone: true, lose_count: 0, gain_count: 6 });
    expect((await ask('/api/v1/endpoints/a/preview', { token: 'admin' })).status).toBe(400);
  });
});

test('the audit log tells who did what and from where, page by page', async () => {
  const { ask, tokens, clock } = await world({ options: { clientAddress: () => '192.0.2.7' } });
  await ask('/api/v1/endpoints/a', { method: 'PATCH', token: 'admin', json: { access: 'private' } });
  clock.advance(1);
  await ask(`/api/v1/api_tokens/${tokens.shared?.id}`, { method: 'DELETE', person: 'boss' });
  const first = await ask('/api/v1/audit?count=1', { token: 'admin' });
  expect(first.body.items).toEqual([
    expect.objectContaining({
      type: 'token.deleted',
      at: expect.stringMatching(ISO),
      actor: { kind: 'principal', token_id: null, owner: 'boss' },
      from: '192.0.2.7',
      organization: 'acme',
      subject: tokens.shared?.id,
      before: expect.objectContaining({ name: 'shared' }),
      after: null,
    }),
  ]);
  const second = await ask(`/api/v1/audit?count=1&cursor=${first.body.next_cursor}`, { token: 'admin' });
  expect(second.body.items[0]).toMatchObject({
    type: 'endpoint.updated',
    actor: { kind: 'principal', token_id: tokens.admin?.id, owner: 'admin' },
  });
  const created = await ask('/api/v1/audit?type=token.created&count=1000', { token: 'admin' });
  expect(created.body.items).toHaveLength(7);
  expect(created.body.items.every(({ organization }: { organization: string }) => organization === 'acme')).toBe(true);
  expect((await ask('/api/v1/audit?type=token.read', { token: 'admin' })).status).toBe(400);
});
