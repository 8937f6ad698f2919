import fc from 'fast-check';
import { accessTokens, generateKeys } from 'postern/jwt';
import { NOBODY, world } from './world.js';

/**
 * A text in names, descriptions, owners and labels of the other organization, and in no request. An answer with it is a
 * leak.
 */
export const CANARY = 'canary';

/** An endpoint of the other organization. Anyone may use the name for their own. */
const THEIRS = 'theirs';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

export async function hostileWorld() {
  const signed = accessTokens({
    issuer: 'https://auth.acme.dev',
    audience: 'https://api.acme.dev',
    keys: await generateKeys(),
  });
  const made = await world({
    options: { session: true, accessTokens: signed },
    postern: { authenticators: [signed] },
  });
  const theirs = await made.postern.tokens.create({
    name: CANARY,
    description: CANARY,
    owner: CANARY,
    organization: 'other',
    ownership: 'organization',
    types: { developer: { scopes: ['*'] }, user: { endpoints: '*' } },
    metadata: { labels: [{ key: CANARY, value: CANARY }] },
  });
  await made.postern.endpoints.create({ id: THEIRS, access: 'protected', organization: 'other' });
  // Enough that some are left after thousands of requests have deleted theirs.
  const spare: string[] = [];
  for (let i = 0; i < 400; i++) {
    const types = { developer: { scopes: ['models:read'] } } as const;
    spare.push((await made.postern.tokens.create({ name: `spare ${i}`, owner: 'boss', types })).record.id);
  }
  return { ...made, theirs, spare };
}

export type Hostile = Awaited<ReturnType<typeof hostileWorld>>;

const NEW_TOKEN = ['name', 'types', 'description', 'expires_in', 'labels', 'ownership'];

/** The routes, with fields that each may take. */
const CALLS: readonly (readonly [method: string, path: string, fields?: readonly string[]])[] = [
  ['GET', '/api/v1/auth/current'],
  ['GET', '/api/v1/current_org'],
  ['GET', '/api/v1/session'],
  ['POST', '/api/v1/session', ['token']],
  ['DELETE', '/api/v1/session'],
  ['GET', '/api/v1/api_tokens'],
  ['POST', '/api/v1/api_tokens', NEW_TOKEN],
  ['POST', '/api/v1/api_tokens', ['name', 'scopes', 'description', 'expired_at']],
  ['GET', '/api/v1/api_tokens/{uid}'],
  ['PATCH', '/api/v1/api_tokens/{uid}', ['name', 'types', 'expired_at', 'labels']],
  ['PATCH', '/api/v1/api_tokens/{uid}', ['description']],
  ['DELETE', '/api/v1/api_tokens/{uid}'],
  ['POST', '/api/v1/api_tokens/{uid}/rotate', ['grace']],
  ['POST', '/api/v1/api_tokens/{uid}/revoke', []],
  ['GET', '/api/v1/api_tokens/{uid}/usage'],
  ['GET', '/api/v1/endpoints'],
  ['POST', '/api/v1/endpoints', ['id', 'access']],
  ['GET', '/api/v1/endpoints/{endpoint}'],
  ['PATCH', '/api/v1/endpoints/{endpoint}', ['access']],
  ['DELETE', '/api/v1/endpoints/{endpoint}'],
  ['GET', '/api/v1/endpoints/{endpoint}/preview'],
  ['GET', '/api/v1/audit'],
  ['GET', '/api/v1/auth/code'],
  ['GET', '/api/v1/auth/token'],
  ['POST', '/api/v1/auth/requests/{code}', ['user_code']],
  ['POST', '/api/v1/auth/requests/{code}/approve', ['user_code', 'types', 'name', 'expires_in']],
  ['POST', '/api/v1/auth/requests/{code}/deny', ['user_code']],
  ['POST', '/api/v1/explain', ['token', 'requirement']],
  ['POST', '/oauth/introspect'],
  ['POST', '/oauth/revoke'],
  ['POST', '/oauth/token'],
  ['GET', '/.well-known/jwks.json'],
  ['GET', '/openapi.json'],
];
const METHODS = ['GET', 'POST', 'PATCH', 'DELETE', 'HEAD', 'PUT', 'OPTIONS'];

/** Mostly fitting values, sometimes any. */
const mostly = <T>(fitting: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 14, arbitrary: fitting as fc.Arbitrary<unknown> },
    { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
  );

const rarely = <T>(strange: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: strange });

/** Requests to every route, most of them well-formed. */
export function requests(
  { tokens, theirs, spare }: Hostile,
  code: string,
  credentials: fc.Arbitrary<Record<string, string>>,
) {
  const strange = fc.constantFrom(
    ...['reader', 'modeller', 'writer', 'user', 'everywhere', 'shared'].map((name) => tokens[name]?.id as string),
    tokens['other-shared']?.id as string,
    theirs.record.id,
    NOBODY,
    '__proto__',
    '..%2f..',
    '%00',
    '%ff',
  );
  const uids = fc.oneof(strange, fc.constantFrom(...spare));
  const endpoints = fc.constantFrom('a', 'b', 'c', THEIRS, 'constructor', '%2e', '🙂');
  const secrets = fc.constantFrom(theirs.token, tokens.user?.token as string, 'nonsense', `${theirs.token}x`);
  const calls = fc
    .record({
      call: fc.constantFrom(...CALLS),
      other: rarely(fc.constantFrom(...METHODS)),
      uid: uids,
      endpoint: endpoints,
      junk: rarely(fc.constantFrom('/', '/..', '//', ';x', '%')),
    })
    .map(({ call: [method, path, fields = []], other, uid, endpoint, junk }) => ({
      method: other ?? method,
      path: path.replace('{uid}', uid).replace('{endpoint}', endpoint).replace('{code}', code) + (junk ?? ''),
      fields,
      isForm: path.startsWith('/oauth/'),
    }));
  const types = fc.record(
    {
      user: mostly(fc.record({ endpoints: mostly(fc.oneof(fc.constant('*'), fc.array(endpoints, { maxLength: 3 }))) })),
      developer: mostly(
        fc.record({
          scopes: mostly(
            fc.array(fc.constantFrom('*', 'models:read', 'iam:write', 'models:*', 'x:y'), { maxLength: 3 }),
          ),
        }),
      ),
    },
    { requiredKeys: [] },
  );
  const strangeTypes = fc.constantFrom({ root: { scopes: ['*'] } }, JSON.parse('{"__proto__":{"scopes":["*"]}}'));
  const fields = fc.record(
    {
      name: mostly(
        fc.oneof(
          { weight: 4, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }) },
          { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
        ),
      ),
      description: mostly(fc.option(fc.string({ maxLength: 40 }))),
      types: mostly(fc.oneof({ weight: 9, arbitrary: types }, { weight: 1, arbitrary: strangeTypes })),
      scopes: mostly(
        fc.option(fc.array(fc.constantFrom('api', 'read_organization', 'models:read', 'root'), { maxLength: 3 })),
      ),
      expired_at: mostly(
        fc.constantFrom(null, '2030-01-02 03:04:05.678901', '2020-01-01 00:00:00', '99999-01-01', 'never'),
      ),
      expires_in: mostly(fc.constantFrom('1h', '1d', '-1d', '1e9d')),
      labels: mostly(fc.array(fc.record({ key: fc.string(), value: fc.string() }), { maxLength: 2 })),
      ownership: mostly(fc.constantFrom('personal', 'organization')),
      grace: mostly(fc.constantFrom('1h', '0s', 'x')),
      id: mostly(endpoints),
      access: mostly(fc.constantFrom('public', 'protected', 'private')),
      token: mostly(secrets),
      requirement: mostly(
        fc.constantFrom(
          { endpoint: 'a' },
          { scope: 'models:read' },
          { authenticated: true },
          { public: true },
          { endpoint: THEIRS },
        ),
      ),
      organization: fc.constant('other'),
      owner: fc.constant('bob'),
    },
    { requiredKeys: [] },
  );
  const fitting = (names: readonly string[]) =>
    fc.tuple(fields, rarely(fc.constantFrom('owner', 'organization', 'token', 'admin'))).map(([all, extra]) => {
      return Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name) || name === extra));
    });
  const form = fc
    .record({ token: secrets, subject_token: secrets, grant_type: fc.constantFrom(EXCHANGE, EXCHANGE, 'password') })
    .map((each) => ({
      body: new URLSearchParams({
        ...each,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }).toString(),
      type: 'application/x-www-form-urlencoded',
    }));
  const json = (body: unknown) => ({ body: JSON.stringify(body), type: 'application/json' });
  const bodiesFor = (names: readonly string[], isForm: boolean) =>
    fc.oneof(
      { weight: 20, arbitrary: isForm ? form : fitting(names).map(json) },
      { weight: 1, arbitrary: form },
      { weight: 1, arbitrary: fields.map(json) },
      { weight: 1, arbitrary: fc.jsonValue().map(json) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('application/json', 'text/plain', 'x'))
          .map(([body, type]) => ({ body, type })),
      },
      { weight: 1, arbitrary: fc.constant({ body: `{"name":"${'x'.repeat(70_000)}"}`, type: 'application/json' }) },
    );
  const queries = fc.oneof(
    { weight: 14, arbitrary: fc.constant('') },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'count=1',
        'start=1&count=2',
        'ownership=organization',
        `owner=${CANARY}`,
        'access=public',
        `code=${code}`,
        'type=token.created',
        'cursor=0-0',
        `subject=${CANARY}`,
        'organization=other',
        `search=${CANARY}`,
      ),
    },
    { weight: 1, arbitrary: fc.webQueryParameters({ size: 'small' }) },
    {
      weight: 1,
      arbitrary: fc
        .dictionary(
          fc.constantFrom('start', 'count', 'cursor', 'type', 'search', 'owner', 'access', 'code'),
          fc.string(),
          { maxKeys: 3 },
        )
        .map((each) => new URLSearchParams(each).toString()),
    },
  );
  const odd = fc.oneof(
    { weight: 6, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom(
          'x-postern-verifier',
          'dpop',
          'x-forwarded-for',
          'x-forwarded-host',
          'x-http-method-override',
          'accept',
          'content-length',
          'x-organization',
          'origin',
        ),
        fc.string({ maxLength: 30 }).map((text) => text.replace(/[^\x21-\x7e]/g, 'x')),
        { maxKeys: 3 },
      ),
    },
  );
  return calls
    .chain(({ fields: names, isForm, ...call }) =>
      fc.record({ call: fc.constant(call), query: queries, body: bodiesFor(names, isForm), odd, credentials }),
    )
    .map(({ call: { method, path }, query, body, odd: more, credentials: sent }) => {
      const headers = { 'content-type': body.type, ...more, ...sent };
      const bodiless = method === 'GET' || method === 'HEAD';
      return {
        url: `https://acme.dev${path}${query === '' ? '' : `?${query}`}`,
        init: { method, headers, ...(!bodiless && { body: body.body as BodyInit }) },
      };
    });
}

export type Sent = ReturnType<typeof requests> extends fc.Arbitrary<infer T> ? T : never;
