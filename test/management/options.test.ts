import { endpointAccess, scopeAccess } from 'postern';
import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { STATUSES } from '../../src/management/http/statuses.js';
import { thrown } from '../support/outcomes.js';
import { answerOf, init, world } from './world.js';

const { postern } = createTestPostern();

describe('the options of managementApi', () => {
  test.each([
    [{ identfy: () => null }, 'option_unknown', 'identfy'],
    [{ identify: 'ada' }, 'option_invalid', 'identify'],
    [{ describeOwner: {} }, 'option_invalid', 'describeOwner'],
    [{ permissions: { listTokens: 'iam:list' } }, 'option_invalid', 'permissions.listTokens'],
    [{ permissions: { listTokens: 5 } }, 'option_invalid', 'permissions.listTokens'],
    [{ permissions: { listToken: 'iam:read' } }, 'option_unknown', 'permissions.listToken'],
    [{ accessTokens: {} }, 'option_invalid', 'accessTokens'],
    [{ basePath: 'admin' }, 'option_invalid', 'basePath'],
    [{ basePath: '/admin/' }, 'option_invalid', 'basePath'],
    [{ basePath: '/a/../b' }, 'option_invalid', 'basePath'],
    [{ origin: 'https://acme.dev/' }, 'option_invalid', 'origin'],
    [{ origin: 'acme.dev' }, 'option_invalid', 'origin'],
    [{ origin: 'ftp://acme.dev' }, 'option_invalid', 'origin'],
    [{ session: 'yes' }, 'option_invalid', 'session'],
    [{ branding: { nam: 'Acme' } }, 'option_unknown', 'branding.nam'],
    [{ branding: { name: ' ' } }, 'option_invalid', 'branding.name'],
    [{ branding: { color: 'red' } }, 'option_invalid', 'branding.color'],
    [{ branding: { logo: 'data:text/html,<script>' } }, 'option_invalid', 'branding.logo'],
    [{ branding: { home: 'javascript:alert(1)' } }, 'option_invalid', 'branding.home'],
    [{ loginUrl: 'javascript:alert(1)' }, 'option_invalid', 'loginUrl'],
    [{ loginUrl: '//evil.example/login' }, 'option_invalid', 'loginUrl'],
    [{ signOut: 'logout' }, 'option_invalid', 'signOut'],
    [{ clientAddress: '127.0.0.1' }, 'option_invalid', 'clientAddress'],
  ])('are refused at construction: %j', (options, code, path) => {
    expect(thrown(() => managementApi(postern, options as never))).toMatchObject({ code, path });
  });

  test('are refused without an instance', () => {
    expect(thrown(() => managementApi({ ...postern } as never)).code).toBe('input_invalid');
  });

  test('must name the permissions if the token types have no iam:read', async () => {
    const { postern: own } = createTestPostern({
      tokenTypes: { job: scopeAccess({ jobs: { run: [], admin: ['run'] } }) },
    });
    expect(thrown(() => managementApi(own)).path).toBe('permissions.listTokens');
    const permissions = {
      listTokens: 'jobs:admin',
      manageTokens: 'jobs:admin',
      readEndpoints: null,
      manageEndpoints: null,
      readAudit: 'jobs:admin',
    };
    const api = managementApi(own, { permissions });
    const { token } = await own.tokens.create({ name: 'x', types: { job: { scopes: ['jobs:admin'] } } });
    const ask = async (path: string, asked = {}) =>
      answerOf(await api(new Request(`https://acme.dev${path}`, init({ token, ...asked }))));
    expect((await ask('/api/v1/api_tokens')).body.items[0].scopes).toEqual(['jobs:admin']);
    const made = await ask('/api/v1/api_tokens', { method: 'POST', json: { name: 'y', scopes: ['jobs:run'] } });
    expect(made.body.types).toEqual({ job: { scopes: ['jobs:run'] } });
    // BentoCloud's words belong to its own resources.
    const api_ = await ask('/api/v1/api_tokens', { method: 'POST', json: { name: 'y', scopes: ['api'] } });
    expect([api_.status, api_.body.code]).toEqual([400, 'scope_unknown']);
    expect((await ask('/api/v1/endpoints')).body.detail).toContain('Nobody');
  });
});

test('a manager of endpoints can grant every type of endpoint access', async () => {
  const { ask, tokens } = await world({
    postern: {
      tokenTypes: {
        user: endpointAccess(),
        partner: endpointAccess(),
        developer: scopeAccess({
          iam: { read: [], write: ['read'] },
          models: { read: [], write: ['read'] },
          deployments: { read: [], write: ['read'] },
        }),
      },
    } as never,
  });
  expect(tokens.admin).toBeDefined();
  const types = { partner: { endpoints: ['a'] } };
  expect((await ask('/api/v1/api_tokens', { method: 'POST', token: 'admin', json: { name: 'x', types } })).status).toBe(
    200,
  );
});

test('every error code has a status, and an outage never a 4xx', () => {
  for (const code of ['unavailable', 'closed', 'store_invalid', 'store_newer', 'driver_missing'] as const) {
    expect(STATUSES[code]).toBe(503);
  }
  expect(Object.values(STATUSES).every((status) => [400, 403, 404, 409, 500, 503].includes(status))).toBe(true);
});

describe('clientAddress', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['', null],
    ['a\u0000b', null],
    ['\u202e1.2.3.4', null],
    ['x'.repeat(201), null],
    [5, null],
    [undefined, null],
  ])('%j is recorded as %j in the audit', async (address, shown) => {
    const { ask, tokens } = await world({ options: { clientAddress: () => address as string } });
    expect((await ask(`/api/v1/api_tokens/${tokens.shared?.id}`, { method: 'DELETE', token: 'admin' })).status).toBe(
      200,
    );
    const { body } = await ask('/api/v1/audit?type=token.deleted', { token: 'admin' });
    expect(body.items[0].from).toBe(shown);
  });

  test('that throws is reported, and the call goes on', async () => {
    const broken = new Error('broken');
    const { ask, errors } = await world({
      options: {
        clientAddress: () => {
          throw broken;
        },
      },
    });
    expect((await ask('/api/v1/auth/current', { token: 'admin' })).status).toBe(200);
    expect(errors).toEqual([broken]);
  });
});

test("the console is mounted below the API's path, and can be left out", async () => {
  const { postern } = await world();
  const get = async (api: ReturnType<typeof managementApi>, path: string, method = 'GET') => {
    const answer = await api(new Request(`https://acme.dev${path}`, { method }));
    return [answer.status, answer.headers.get('content-type')];
  };
  const api = managementApi(postern, { basePath: '/admin' });
  const page = [200, 'text/html; charset=utf-8'];
  for (const path of ['/admin', '/admin/', '/admin/api_tokens', '/admin/api_tokens?code=abc', '/admin/sign-in']) {
    expect([path, ...(await get(api, path))]).toEqual([path, ...page]);
  }
  expect(await get(api, '/admin/', 'HEAD')).toEqual(page);
  expect((await get(api, '/admin/', 'POST'))[0]).toBe(404);
  expect((await get(api, '/'))[0]).toBe(404);
  expect((await get(api, '/administrator'))[0]).toBe(404);
  expect((await get(managementApi(postern, { basePath: '/admin', console: false }), '/admin/'))[0]).toBe(404);
});
