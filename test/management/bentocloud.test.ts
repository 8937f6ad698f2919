import { describe, expect, test } from 'vitest';
import { ISO, listening, world } from './world.js';

const USER = ['email', 'first_name', 'last_name', 'name'];
const ORGANIZATION = [
  'created_at',
  'deleted_at',
  'description',
  'labels',
  'name',
  'resource_type',
  'uid',
  'updated_at',
];
const TOKEN = [
  'created_at',
  'cut_fields',
  'dead_grants',
  'deleted_at',
  'description',
  'expired_at',
  'hint',
  'is_api_token',
  'is_expired',
  'is_global_access',
  'is_organization_token',
  'labels',
  'last_used_at',
  'name',
  'organization',
  'owner',
  'quota',
  'rate_limit',
  'resource_type',
  'revoked_at',
  'scopes',
  'types',
  'uid',
  'updated_at',
  'user',
];

/** The requests of BentoCloud's Python client: its header and all four fields, with `null` for missing ones. */
async function bentoCloud() {
  const made = await world();
  const url = await listening(made.api);
  const headers = { 'X-YATAI-API-TOKEN': made.tokens.admin?.token as string, 'X-Bentoml-Version': '1.4.38' };
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: what came
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  };
  return { ...made, call };
}

describe("BentoCloud's client", () => {
  test('finds its user and its organization, with every key', async () => {
    const { call } = await bentoCloud();
    const user = await call('GET', '/api/v1/auth/current');
    expect([user.status, user.body]).toEqual([200, { name: 'admin', email: 'admin', first_name: '', last_name: '' }]);
    const organization = await call('GET', '/api/v1/current_org');
    expect(organization.status).toBe(200);
    expect(Object.keys(organization.body).sort()).toEqual(ORGANIZATION);
    expect(organization.body).toMatchObject({
      name: 'acme',
      resource_type: 'organization',
      labels: [],
      description: '',
    });
    expect(organization.body.created_at).toMatch(ISO);
  });

  test('creates, lists, gets and deletes a token', async () => {
    const { call, postern } = await bentoCloud();
    const made = await call('POST', '/api/v1/api_tokens', {
      name: 'ci',
      description: 'nightly',
      scopes: ['api', 'read_organization'],
      expired_at: '2030-01-02 03:04:05.678901',
    });
    expect(made.status).toBe(200);
    expect(Object.keys(made.body).sort()).toEqual([...TOKEN, 'token'].sort());
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.body).toMatchObject({
      name: 'ci',
      description: 'nightly',
      scopes: ['api', 'read_organization'],
      expired_at: '2030-01-02T03:04:05.678Z',
      last_used_at: null,
      deleted_at: null,
      is_expired: false,
      is_api_token: true,
      is_organization_token: false,
      is_global_access: false,
      owner: 'admin',
    });
    expect(Object.keys(made.body.user).sort()).toEqual(USER);
    expect(Object.keys(made.body.organization).sort()).toEqual(ORGANIZATION);
    expect((await postern.authenticate(made.body.token)).ok).toBe(true);

    const { token, ...shown } = made.body;
    const got = await call('GET', `/api/v1/api_tokens/${made.body.uid}`);
    expect([got.status, got.body]).toEqual([200, { ...shown, limits: [] }]);
    const listed = await call('GET', '/api/v1/api_tokens?start=0&count=10&search=nightl');
    expect(listed.body).toEqual({ start: 0, count: 10, total: 1, more: false, items: [shown], next_cursor: null });

    const deleted = await call('DELETE', `/api/v1/api_tokens/${made.body.uid}`);
    expect(deleted.status).toBe(200);
    expect(deleted.body).toEqual({ ...shown, deleted_at: expect.stringMatching(ISO) });
    expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'token_unknown' });
    expect((await call('GET', `/api/v1/api_tokens/${made.body.uid}`)).status).toBe(404);
  });

  test('may send null for missing fields', async () => {
    const { call } = await bentoCloud();
    const body = { name: 'x', description: null, scopes: ['api'], expired_at: null };
    const made = await call('POST', '/api/v1/api_tokens', body);
    expect([made.status, made.body.description, made.body.expired_at]).toEqual([200, '', null]);
  });

  test('is told the existing types if a token has none', async () => {
    const { call } = await bentoCloud();
    const refused = await call('POST', '/api/v1/api_tokens', {
      name: 'x',
      description: null,
      scopes: null,
      expired_at: null,
    });
    expect([refused.status, refused.body.code]).toEqual([400, 'types_missing']);
    for (const word of ['user', 'developer', 'api', 'read_organization']) expect(refused.body.detail).toContain(word);
  });

  test('pages by number, and gets the total', async () => {
    const { call } = await bentoCloud();
    const page = async (query: string) => {
      const { body } = await call('GET', `/api/v1/api_tokens?${query}`);
      return [body.total, body.items.map(({ name }: { name: string }) => name)];
    };
    expect(await page('')).toEqual([7, ['shared', 'everywhere', 'user', 'writer', 'modeller', 'reader', 'admin']]);
    expect(await page('start=0&count=2')).toEqual([7, ['shared', 'everywhere']]);
    expect(await page('start=2&count=2')).toEqual([7, ['user', 'writer']]);
    expect(await page('start=6&count=2')).toEqual([7, ['admin']]);
    expect(await page('start=100&count=2')).toEqual([7, []]);
    expect(await page('search=ER')).toEqual([5, ['everywhere', 'user', 'writer', 'modeller', 'reader']]);
    expect(await page('search=')).toEqual([7, expect.anything()]);
    expect(await page('search=%25')).toEqual([0, []]);
  });
});
