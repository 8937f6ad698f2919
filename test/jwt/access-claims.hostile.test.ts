import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { accessTokens } from 'postern/jwt';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { TOKEN_ID } from '../../src/base/ids.js';
import { isEndpointId, isOrganizationName } from '../../src/domain/endpoint.js';
import { readAccessClaims } from '../../src/jwt/access-claims.js';
import { readCompact } from '../../src/jwt/compact.js';
import { generateKeys } from '../../src/jwt/keys.js';
import { mutationsOf } from '../support/mutations.js';
import { polluted } from '../support/polluted.js';
import { issueBoth } from './support/access.js';
import { base64url } from './support/tokens.js';

const name = z.string().min(1).max(200);
const thumbprint = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** The claims of access tokens as a schema: the oracle for the checks by hand. */
const CLAIMS_SCHEMA = z
  .object({
    sub: z.string(),
    client_id: z.string().regex(TOKEN_ID),
    secret_kid: thumbprint.optional(),
    jti: name,
    iat: z.number(),
    organization: z.custom<string>(isOrganizationName),
    owner: z.string().nullable(),
    ownership: z.enum(['personal', 'organization']),
    authorization_details: z.array(z.unknown()).max(2_000),
    methods: z.array(z.string()).min(1).optional(),
  })
  .refine(({ sub, owner, client_id }) => sub === (owner ?? client_id));

const DETAIL_SCHEMA = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('endpoint_access'),
    token_type: name,
    identifier: z.union([z.literal('*'), z.custom<string>(isEndpointId)]),
    uid: name.optional(),
  }),
  z.strictObject({ type: z.literal('scope_access'), token_type: name, scopes: z.array(name) }),
]);

const GOOD = {
  iss: 'https://auth.example',
  sub: 'zoe',
  jti: 'j1',
  iat: 1_700_000_000,
  client_id: '24F1OmEg5Kax8JU6cg9iYT',
  secret_kid: 'qUYy3kfJEJLvfq0DOOVuoNArrP3G9i2omK_olLdlwLM',
  organization: 'acme',
  owner: 'zoe',
  ownership: 'personal',
  methods: ['GET'],
  authorization_details: [
    { type: 'scope_access', token_type: 'developer', scopes: ['models:read', 'models:write'] },
    { type: 'endpoint_access', token_type: 'user', identifier: 'summarizer', uid: 'u1' },
    { type: 'endpoint_access', token_type: 'guest', identifier: '*' },
  ],
};

const ODD = [
  null,
  '',
  '*',
  0,
  -1,
  true,
  [],
  {},
  [''],
  ['x', 1],
  [null],
  { length: 1 },
  'x',
  'zoe',
  'acme',
  'a b',
  '\0',
  '\ud800',
  'ü',
  'x'.repeat(200),
  'x'.repeat(201),
  'x'.repeat(43),
  '24F1OmEg5Kax8JU6cg9iYT',
  '24F1OmEg5Kax8JU6cg9iYT\n',
  'qUYy3kfJEJLvfq0DOOVuoNArrP3G9i2omK_olLdlwLM\n',
  '__proto__',
  'personal',
  'organization',
  'scope_access',
  'endpoint_access',
  'developer',
  'user',
  'constructor',
  '1e999',
  [{ type: 'scope_access', token_type: 'user', scopes: ['a:b'] }],
  { type: 'endpoint_access', token_type: 'developer', identifier: 'a' },
  Array.from({ length: 2_001 }, () => ({ type: 'endpoint_access', token_type: 'user', identifier: 'a' })),
]; // prettier-ignore

/** As a token brings it: from JSON, without a prototype. A number can be infinite. */
function received(payload: object): Record<string, unknown> {
  const text = JSON.stringify(payload).replaceAll('"1e999"', '1e999');
  return Object.assign(Object.create(null), JSON.parse(text));
}

/** Every detail that the schema doesn't know is dropped, so that only the grants of the others are left. */
function byOracle(payload: Record<string, unknown>, named: boolean) {
  const claims = CLAIMS_SCHEMA.safeParse(payload);
  if (!claims.success) return null;
  const { authorization_details: given, ...rest } = claims.data;
  const details = given.map((each) => DETAIL_SCHEMA.safeParse(each)).flatMap(({ data }) => (data ? [data] : []));
  const types = [...new Set(details.map((each) => each.token_type))];
  const grants = types.map((type) => {
    const own = details.filter((each) => each.token_type === type);
    const scopes = own.flatMap((each) => (each.type === 'scope_access' ? [each.scopes] : []));
    const ends = own.flatMap((each) => (each.type === 'endpoint_access' ? [each] : []));
    if (scopes.length > 0 && ends.length > 0) return null;
    if (scopes.length > 0) return [type, { scopes: scopes.flat() }] as const;
    const all = ends.some(({ identifier }) => identifier === '*');
    const endpoints = ends.map(({ identifier: id, uid = null }) => ({ id, uid: named ? null : uid }));
    return [type, { endpoints: all ? '*' : endpoints }] as const;
  });
  if (grants.length === 0 || grants.includes(null)) return null;
  return {
    tokenId: rest.client_id,
    kid: rest.secret_kid ?? null,
    owner: rest.owner,
    ownership: rest.ownership,
    organization: rest.organization,
    grants: Object.fromEntries(grants as [string, object][]),
    methods: rest.methods ?? null,
    cnf: undefined,
  };
}

describe('the claims of access tokens, read by hand', () => {
  test('are the same as by the schema, for good claims', () => {
    for (const named of [true, false]) {
      expect(readAccessClaims(received(GOOD), { named })).toEqual(byOracle(received(GOOD), named));
      expect(byOracle(received(GOOD), named)).not.toBeNull();
    }
  });

  test('are the same as by the schema, for each odd value in each place', () => {
    const accepted = { good: 0, refused: 0 };
    const holders = [GOOD, ...GOOD.authorization_details] as Record<string, unknown>[];
    for (const holder of holders) {
      for (const key of [...Object.keys(holder), 'uid', 'scopes', 'x']) {
        for (const value of [...ODD, undefined]) {
          const swapped = { ...holder, [key]: value };
          const at = holders.indexOf(holder) - 1;
          const details = GOOD.authorization_details.map((each, index) => (index === at ? swapped : each));
          const payload = received(at < 0 ? swapped : { ...GOOD, authorization_details: details });
          const read = readAccessClaims(payload, { named: false });
          expect(read, `${key}: ${JSON.stringify(value)?.slice(0, 80)}`).toEqual(byOracle(payload, false));
          accepted[read === null ? 'refused' : 'good']++;
        }
      }
    }
    expect(accepted.good).toBeGreaterThan(100);
    expect(accepted.refused).toBeGreaterThan(100);
  });

  test('are the same as by the schema, for random changes', () => {
    fc.assert(
      fc.property(mutationsOf(GOOD, ODD), fc.boolean(), (mutated, named) => {
        const payload = received(mutated);
        expect(readAccessClaims(payload, { named })).toEqual(byOracle(payload, named));
      }),
      { numRuns: 3_000 },
    );
  });

  test.each<[string, object, Record<string, unknown>]>([
    ['an endpoint', { type: 'endpoint_access', token_type: 'user' }, { identifier: '*' }],
    ['scopes', { type: 'scope_access', token_type: 'developer' }, { scopes: ['models:write'] }],
    ['a type', { token_type: 'user', identifier: '*' }, { type: 'endpoint_access' }],
    ['a token type', { type: 'endpoint_access', identifier: '*' }, { token_type: 'user' }],
  ])('take no detail from a polluted prototype: %s', async (_, detail, inherited) => {
    const payload = received({ ...GOOD, authorization_details: [detail] });
    const found = await polluted(inherited, async () => readAccessClaims(payload, { named: false }));
    expect(found).toBeNull();
  });

  test('take no claim from a polluted prototype', async () => {
    const { ownership, ...without } = GOOD;
    const payload = received(without);
    expect(await polluted({ ownership }, async () => readAccessClaims(payload, { named: false }))).toBeNull();
  });
});

describe.each(['EdDSA', 'ES256'] as const)('an access token of %s', (alg) => {
  test('is accepted only as it was signed, and only if jose accepts it too (random changes of its text)', async () => {
    const clock = testClock();
    const options = { issuer: 'https://auth.example', audience: 'https://api.example' };
    const signed = accessTokens({ ...options, keys: await generateKeys({ alg }) });
    const { postern } = createTestPostern({ clock, authenticators: [signed] });
    const { accessToken } = await signed.exchange(postern, (await issueBoth({ postern })).token);
    const jwks = await signed.jwks();
    const verifier = accessTokens.verifier({ ...options, jwks, parents: 'unchecked' });
    const other = createTestPostern({ clock, authenticators: [verifier] }).postern;
    const key = await crypto.subtle.importKey(
      'jwk',
      jwks.keys[0] as JsonWebKey,
      alg === 'EdDSA' ? { name: 'Ed25519' } : { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['verify'],
    );
    const verdicts = async (token: string) => {
      const { allowed } = await other.authorize({ token, requirement: { scope: 'models:write' } });
      const byJose = await jwtVerify(token, key, {
        ...options,
        algorithms: [alg],
        currentDate: new Date(clock.now()),
      }).then(
        () => true,
        () => false,
      );
      return { allowed, byJose };
    };
    expect(await verdicts(accessToken)).toEqual({ allowed: true, byJose: true });
    const parts = accessToken.split('.') as [string, string, string];
    const header = readCompact(accessToken)?.header as object;
    const ours = JSON.stringify(header);
    const heads = [
      { ...header, alg: 'none' },
      { ...header, alg: 'HS256' },
      { ...header, alg: alg === 'EdDSA' ? 'ES256' : 'EdDSA' },
      { ...header, crit: ['b64'], b64: false },
      { ...header, jwk: jwks.keys[0] },
      { ...header, jku: 'https://evil.example' },
      { ...header, x5u: 'https://evil.example' },
      { ...header, typ: 'JWT' },
      { ...header, kid: undefined },
      ours.replace('{', '{"alg":"none",'),
      ours.replace('}', ',"alg":"none"}'),
      `${ours} `,
      `\ufeff${ours}`,
      ours.replace('{', '{"__proto__":{"b64":false},'),
    ]; // prettier-ignore
    const text = fc.oneof(
      fc
        .tuple(fc.nat(accessToken.length - 1), fc.constantFrom(...'AZaz09-_.=+/ \n\0é'))
        .map(([at, by]) => accessToken.slice(0, at) + by + accessToken.slice(at + 1)),
      fc
        .tuple(fc.nat(accessToken.length), fc.constantFrom('A', '.', '=', ' ', '\n'))
        .map(([at, more]) => accessToken.slice(0, at) + more + accessToken.slice(at)),
      fc.nat(accessToken.length - 1).map((at) => accessToken.slice(0, at)),
      fc.constantFrom(...heads).map((head) => [base64url(head), parts[1], parts[2]].join('.')),
      fc.shuffledSubarray(parts, { minLength: 3 }).map((all) => all.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        const { allowed, byJose } = await verdicts(token);
        expect(allowed).toBe(token === accessToken);
        if (allowed) expect(byJose).toBe(true);
      }),
      { numRuns: 1_500 },
    );
  });
});
