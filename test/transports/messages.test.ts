import fastify from 'fastify';
import { createPostern, type Postern } from 'postern';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as grpcGuard } from 'postern/grpc';
import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { thrown } from '../support/outcomes.js';
import * as grpc from './grpc/harness.js';

const postern = () => createTestPostern().postern as Postern;
const handler = () => new Response('reached');

describe('an error message names the fix for', () => {
  test.each<[string, () => unknown, string, string]>([
    [
      'a guard without its instance',
      () => expressGuard({ scope: 'models:read' } as never, undefined as never),
      'input_invalid',
      'the instance comes before it, as in guard(postern, requirement)',
    ],
    [
      'a guard of a function without its instance',
      () => fetchGuard((() => null) as never, handler as never, undefined as never),
      'input_invalid',
      'the instance comes before it',
    ],
    [
      'a guard of a copy of its instance',
      () => expressGuard({ ...postern() }, { authenticated: true }),
      'input_invalid',
      'not a copy',
    ],
    [
      'no options',
      () => (createPostern as () => unknown)(),
      'option_invalid',
      'createPostern({ store: memoryStore() })',
    ],
    ['no store', () => createPostern({} as never), 'option_invalid', 'memoryStore()'],
    [
      'a requirement in the plural',
      () => expressGuard(postern(), { scopes: 'models:read' } as never),
      'requirement_invalid',
      'did you mean "scope"?',
    ],
    [
      'a requirement in another English',
      () => expressGuard(postern(), { scope: 'models:read', organisation: 'x' } as never),
      'requirement_invalid',
      'did you mean "organization"?',
    ],
    [
      'an option of a guard',
      () => expressGuard(postern(), { authenticated: true }, { relm: 'x' } as never),
      'option_unknown',
      'did you mean "realm"?',
    ],
    [
      'an option of an instance',
      () => createTestPostern({ token_prefix: 'x' } as never).postern,
      'option_unknown',
      'did you mean "tokenPrefix"?',
    ],
    [
      'an option in an option',
      () => createTestPostern({ cache: { tll: '1s' } } as never).postern,
      'option_unknown',
      'did you mean "ttl"?',
    ],
    [
      'an option that is like no other',
      () => createTestPostern({ verbose: true } as never).postern,
      'option_unknown',
      'check its spelling',
    ],
    [
      'a prefix with its separator',
      () => createTestPostern({ tokenPrefix: 'sk_live' }).postern,
      'option_invalid',
      'such as "sklive" (the underscore is added)',
    ],
    [
      'a number meant as seconds',
      () => createTestPostern({ cache: { ttl: 3600 as never } }).postern,
      'option_invalid',
      "a number has no unit: write '3600s' or '3600ms'",
    ],
    [
      'a number meant as seconds, in a gRPC guard',
      () => grpcGuard(postern(), {}, { recheckInterval: 5_000 as never }),
      'option_invalid',
      "write '5000s' or '5000ms'",
    ],
  ])('%s', (_, work, code, message) => {
    const error = thrown(work);
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });

  test('a lifetime meant as seconds', async () => {
    const create = postern().tokens.create({ name: 'x', types: { developer: { scopes: [] } }, expiresIn: 90 } as never);
    await expect(create).rejects.toMatchObject({ code: 'input_invalid', message: expect.stringContaining("'90s'") });
  });

  test('a plugin of Fastify that is registered twice on one instance', async () => {
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern: postern() });
    const again = app.register(posternPlugin, { postern: postern() });
    await expect(again.then(() => app.ready())).rejects.toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('register it once'),
    });
  });
});

describe('an organization of undefined from a requirement function', () => {
  const lost = { scope: 'models:read', organization: undefined } as const;

  async function setUp() {
    const made = createTestPostern();
    const { token } = await made.postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const faults = () => made.events.filter((event) => event.type === 'fault').map(({ error }) => error);
    return { ...made, postern: made.postern as Postern, token, faults };
  }

  test.each([
    ['a value', () => lost],
    ['a promise', async () => lost],
    ['an endpoint', () => ({ endpoint: 'a', organization: undefined })],
  ])('is a reported fault over HTTP, given as %s', async (_, requirement) => {
    const { postern: made, token, faults } = await setUp();
    const guarded = fetchGuard(made, requirement as never, handler);
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${token}` } });
    expect((await guarded(request)).status).toBe(500);
    expect(faults()).toEqual([expect.objectContaining({ code: 'requirement_invalid', path: 'organization' })]);
  });

  test('is INTERNAL over gRPC', async () => {
    const { postern: made, token, faults } = await setUp();
    const interceptors = [grpcGuard(made, { '/a.B/': () => lost })];
    const running = await grpc.startServer({ interceptors, echo: { '/a.B/C': 'unary' } });
    const client = grpc.insecure(running.address);
    onTestFinished(() => {
      client.close();
      running.close();
    });
    const { code } = await grpc.call(client, { path: '/a.B/C', form: 'unary', metadata: grpc.bearer(token) });
    expect([code, faults().length]).toEqual([13, 1]);
  });

  test('differs from an unknown endpoint, which is denied as unknown', async () => {
    const { postern: made, token, faults } = await setUp();
    const guarded = fetchGuard(made, () => ({ endpoint: undefined }), handler);
    const request = new Request('http://x/', { headers: { authorization: `Bearer ${token}` } });
    expect([(await guarded(request)).status, faults()]).toEqual([404, []]);
  });
});

describe('a management API mounted without its basePath', () => {
  afterEach(() => void vi.unstubAllEnvs());

  const detail = async (basePath: string, path: string, environment: string) => {
    vi.stubEnv('NODE_ENV', environment);
    const response = await managementApi(postern(), { basePath })(new Request(`http://x${path}`));
    return [response.status, ((await response.json()) as { detail: string }).detail] as const;
  };

  test.each([
    ['', '/admin/api/v1/api_tokens', "write managementApi(postern, { basePath: '/admin' })"],
    ['/admin', '/api/v1/api_tokens', 'answers below "/admin"'],
    ['/admin', '/admin/admin/api/v1/endpoints', "basePath: '/admin/admin'"],
  ])('is explained in its 404: %j for %s', async (basePath, path, said) => {
    expect(await detail(basePath, path, 'development')).toEqual([404, expect.stringContaining(said)]);
  });

  test('is not explained in production, nor for unrelated paths', async () => {
    const nothing = [404, 'There is nothing here.'];
    expect(await detail('', '/admin/api/v1/api_tokens', 'production')).toEqual(nothing);
    expect(await detail('/admin', '/else', 'development')).toEqual(nothing);
  });
});
