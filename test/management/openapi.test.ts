import Ajv from 'ajv/dist/2020.js';
import { accessTokens, generateKeys } from 'postern/jwt';
import { describe, expect, test } from 'vitest';
import { type Asked, type World, world } from './world.js';

type Json = Record<string, unknown>;

async function documented() {
  const signed = accessTokens({
    issuer: 'https://auth.acme.dev',
    audience: 'https://api.acme.dev',
    keys: await generateKeys(),
  });
  const made = await world({
    options: { accessTokens: signed, session: true, basePath: '' },
    postern: { authenticators: [signed] },
  });
  const { body } = await made.ask('/openapi.json');
  return {
    ...made,
    document: body as Json & {
      paths: Record<string, Record<string, Json>>;
      components: { schemas: Record<string, Json> };
    },
  };
}

const operationsOf = (paths: Record<string, Record<string, Json>>) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => ({ path, method, ...each })),
  );

test('the OpenAPI document is readable by anyone and cached for a while', async () => {
  const { ask } = await world();
  const { status, headers, body } = await ask('/openapi.json');
  expect([status, headers.get('cache-control'), body.openapi]).toEqual([200, 'public, max-age=300', '3.1.1']);
});

test('the OpenAPI document has exactly the routes of the API', async () => {
  const { document } = await documented();
  expect(
    operationsOf(document.paths)
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
      .sort(),
  ).toEqual(
    [
      'DELETE /api/v1/api_tokens/{uid}',
      'DELETE /api/v1/endpoints/{id}',
      'DELETE /api/v1/session',
      'GET /.well-known/jwks.json',
      'GET /api/v1/api_tokens',
      'GET /api/v1/api_tokens/{uid}',
      'GET /api/v1/api_tokens/{uid}/usage',
      'GET /api/v1/audit',
      'GET /api/v1/auth/code',
      'GET /api/v1/auth/current',
      'GET /api/v1/auth/token',
      'GET /api/v1/current_org',
      'GET /api/v1/endpoints',
      'GET /api/v1/endpoints/{id}',
      'GET /api/v1/endpoints/{id}/preview',
      'GET /api/v1/session',
      'GET /api/v1/usage',
      'GET /openapi.json',
      'PATCH /api/v1/api_tokens/{uid}',
      'PATCH /api/v1/endpoints/{id}',
      'POST /api/v1/api_tokens',
      'POST /api/v1/api_tokens/{uid}/reset_limits',
      'POST /api/v1/api_tokens/{uid}/revoke',
      'POST /api/v1/api_tokens/{uid}/rotate',
      'POST /api/v1/auth/requests/{code}',
      'POST /api/v1/auth/requests/{code}/approve',
      'POST /api/v1/auth/requests/{code}/deny',
      'POST /api/v1/endpoints',
      'POST /api/v1/explain',
      'POST /api/v1/session',
      'POST /oauth/introspect',
      'POST /oauth/revoke',
      'POST /oauth/token',
    ].sort(),
  );
});

test('every operation has a unique name, its parameters and its refusals, and every reference resolves', async () => {
  const { document } = await documented();
  const operations = operationsOf(document.paths) as unknown as {
    path: string;
    operationId: string;
    security?: unknown[];
    parameters: { name: string; in: string; required: boolean }[];
    responses: Record<string, Json>;
  }[];
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { path, parameters, responses, security, operationId } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(parameters.filter((each) => each.in === 'path' && each.required).map(({ name }) => name)).toEqual(named);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(['200', '400', '503']));
    // A route without a credential has no refusal for a missing one.
    if (security === undefined)
      expect([operationId, ...Object.keys(responses)]).toEqual(expect.arrayContaining(['401', '403']));
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
    ([, reference]) => reference as string,
  );
  expect(references.length).toBeGreaterThan(20);
  for (const reference of new Set(references)) {
    expect(reference).toMatch(/^#\/components\/schemas\/\w+$/);
    expect(document.components.schemas).toHaveProperty([reference.split('/').at(-1) as string]);
  }
});

describe('answers match the OpenAPI document', () => {
  const calls: [string, string, Asked][] = [
    ['GET', '/api/v1/auth/current', {}],
    ['GET', '/api/v1/current_org', {}],
    ['GET', '/api/v1/session', {}],
    ['GET', '/api/v1/api_tokens', {}],
    ['POST', '/api/v1/api_tokens', { json: { name: 'x', scopes: ['api'], labels: [{ key: 'a', value: 'b' }] } }],
    ['GET', '/api/v1/api_tokens/{uid}', {}],
    ['PATCH', '/api/v1/api_tokens/{uid}', { json: { expired_at: '2030-01-01 00:00:00.000000' } }],
    ['POST', '/api/v1/api_tokens/{uid}/rotate', { json: { grace: '1h' } }],
    ['GET', '/api/v1/api_tokens/{uid}/usage', {}],
    ['GET', '/api/v1/api_tokens/{uid}/usage?by=day', {}],
    ['GET', '/api/v1/usage', {}],
    ['POST', '/api/v1/api_tokens/{uid}/reset_limits', {}],
    ['POST', '/api/v1/api_tokens/{uid}/revoke', {}],
    ['GET', '/api/v1/audit', {}],
    ['GET', '/api/v1/endpoints', {}],
    ['POST', '/api/v1/endpoints', { json: { id: 'z' } }],
    ['PATCH', '/api/v1/endpoints/{id}', { json: { access: 'private' } }],
    ['GET', '/api/v1/endpoints/{id}', {}],
    ['GET', '/api/v1/endpoints/{id}/preview?access=public', {}],
    ['DELETE', '/api/v1/endpoints/{id}', {}],
    ['GET', '/api/v1/auth/code', {}],
    ['POST', '/api/v1/auth/requests/{code}', {}],
    ['POST', '/api/v1/auth/requests/{code}/approve', { json: { scopes: ['models:read'] } }],
    ['GET', '/api/v1/auth/token?code={code}', {}],
    ['POST', '/api/v1/explain', { json: { requirement: { endpoint: 'b' } } }],
    ['POST', '/oauth/introspect', { form: { token: 'x' } }],
    ['GET', '/.well-known/jwks.json', {}],
    ['DELETE', '/api/v1/api_tokens/{uid}', {}],
  ];

  function compiled(document: { components: { schemas: Record<string, Json> } }) {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'root', components: document.components } as object);
    return (schema: unknown) =>
      ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"root#/components')));
  }

  async function filled({ tokens, ask }: World): Promise<Record<string, string>> {
    return { uid: tokens.shared?.id as string, id: 'a', code: (await ask('/api/v1/auth/code')).body.code };
  }

  test('for every route', async () => {
    const made = await documented();
    const compile = compiled(made.document);
    const values = await filled(made);
    for (const [method, template, asked] of calls) {
      const path = template.replace(/\{(\w+)\}/g, (_, name) => values[name] as string);
      const answer = await made.ask(path, { method, token: 'admin', ...asked });
      expect([answer.status, template, answer.text]).toEqual([200, template, expect.anything()]);
      const operation = made.document.paths[template.split('?')[0] as string]?.[method.toLowerCase()] as {
        responses: Record<string, { content: Record<string, { schema: unknown }> }>;
      };
      const validate = compile(operation.responses['200']?.content['application/json']?.schema);
      expect([template, validate(answer.body), validate.errors]).toEqual([template, true, null]);
    }
  });

  test('for refusals', async () => {
    const made = await documented();
    const validate = compiled(made.document)({ $ref: '#/components/schemas/Problem' });
    for (const asked of [
      {},
      { token: 'user' },
      { token: 'admin', method: 'POST', json: {} },
      { token: 'admin', method: 'PUT' },
    ]) {
      const { body } = await made.ask('/api/v1/api_tokens', asked);
      expect([validate(body), validate.errors]).toEqual([true, null]);
    }
  });
});
