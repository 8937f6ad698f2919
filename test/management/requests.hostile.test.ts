import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CANARY, type Hostile, hostileWorld, requests, type Sent } from './random-requests.js';
import { signedIn, type World } from './world.js';

const WRITES = [
  'insertTokens',
  'replaceToken',
  'deleteTokens',
  'insertEndpoint',
  'replaceEndpoint',
  'deleteEndpoint',
] as const;

const RUNS = 2_000;
const SEED = 20_261_124;

/** The whole state of the other organization, with its audit entries. */
async function snapshot({ postern }: World) {
  const all = [
    await postern.tokens.list({ organization: 'other', limit: 1_000 }),
    await postern.endpoints.list({ organization: 'other', limit: 1_000 }),
    await postern.audit.list({ organization: 'other', limit: 1_000 }),
  ];
  // Signing in with their token is a use of it.
  return JSON.stringify(all, (key, value) => (key === 'lastUsedAt' ? undefined : value));
}

/** Signing in with a token or exchanging it proves its holder, so these answers are no leak. */
function isHolder({ url, init }: Sent, { theirs }: Hostile): boolean {
  return /\/(session|token)$/.test(new URL(url).pathname) && String(init.body).includes(theirs.token);
}

/** Sends them all and checks each answer. Returns the number of answers of each status. */
async function run(
  made: Hostile,
  arbitrary: fc.Arbitrary<Sent>,
  look: (sent: Sent, status: number, text: string) => void,
) {
  const statuses: Record<number, number> = {};
  await fc.assert(
    fc.asyncProperty(arbitrary, async (sent) => {
      const response = await made.api(new Request(sent.url, sent.init));
      const text = await response.text();
      statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      expect([response.status, response.status < 500]).toEqual([response.status, true]);
      look(sent, response.status, text);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  return statuses;
}

const OPEN = /^\/(api\/v1\/auth\/(code|token)|api\/v1\/session|oauth\/token|\.well-known\/jwks\.json|openapi\.json)$/;

test('2,000 random requests without a good credential change and reveal nothing', {
  timeout: 120_000,
}, async () => {
  const made = await hostileWorld();
  const { code } = (await made.ask('/api/v1/auth/code')).body;
  const credentials = fc.oneof(
    fc.constant({}),
    fc.constantFrom<Record<string, string>>(
      { authorization: 'Bearer nonsense' },
      { authorization: `Bearer ${made.theirs.token}x` },
      { authorization: `Bearer ${made.theirs.token}, Bearer ${made.theirs.token}` },
      { authorization: 'Basic eDp5' },
      { 'x-yatai-api-token': 'nonsense' },
      { authorization: `Bearer ${made.theirs.token}`, 'x-yatai-api-token': made.theirs.token },
      { cookie: 'app=nobody' },
      { cookie: '__Host-postern=nonsense', 'sec-fetch-site': 'same-origin' },
      // A person's session from another site.
      { cookie: 'app=boss', 'sec-fetch-site': 'cross-site', 'x-hostile': 'site' },
    ),
    fc.string({ maxLength: 40 }).map((text) => ({ authorization: text.replace(/[^\x21-\x7e]/g, ' ') })),
  );
  const before = await snapshot(made);
  const writes = () => made.store.count(...WRITES, 'deleteEntry');
  const written = writes();
  const changes = JSON.stringify(await made.postern.audit.list({ organization: '*', limit: 1_000 }));

  const statuses = await run(made, requests(made, code, credentials), (sent, status, text) => {
    const { url, init } = sent;
    const fromOtherSite = 'x-hostile' in init.headers && (init.method === 'GET' || init.method === 'HEAD');
    if (status === 200 && !fromOtherSite) expect(new URL(url).pathname).toMatch(OPEN);
    if (isHolder(sent, made)) return;
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(made.theirs.record.id);
  });

  expect(writes()).toBe(written);
  expect(JSON.stringify(await made.postern.audit.list({ organization: '*', limit: 1_000 }))).toBe(changes);
  expect(await snapshot(made)).toBe(before);
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '400', '401', '403', '404', '405', '413', '415']),
  );
});

test('2,000 random requests of managers neither read nor change the other organization', {
  timeout: 120_000,
}, async () => {
  const made = await hostileWorld();
  const { code } = (await made.ask('/api/v1/auth/code')).body;
  const credentials = fc.constantFrom<Record<string, string>>(
    { authorization: `Bearer ${made.tokens.admin?.token}` },
    { 'x-yatai-api-token': made.tokens.admin?.token as string },
    { cookie: 'app=boss', 'sec-fetch-site': 'same-origin' },
    { cookie: await signedIn(made.api, made.tokens.admin?.token as string), 'sec-fetch-site': 'same-origin' },
    { cookie: 'app=ada', 'sec-fetch-site': 'same-origin' },
  );
  const before = await snapshot(made);
  const writes = () => made.store.count(...WRITES);
  const written = writes();

  const statuses = await run(made, requests(made, code, credentials), (sent, _status, text) => {
    if (isHolder(sent, made)) return;
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain(made.theirs.record.id);
    expect(text).not.toContain('"organization":"other"');
  });

  expect(await snapshot(made)).toBe(before);
  expect(writes() - written).toBeGreaterThan(50);
  expect(statuses[200]).toBeGreaterThan(300);
  expect(Object.keys(statuses)).toEqual(
    expect.arrayContaining(['200', '400', '403', '404', '405', '409', '413', '415']),
  );
});
