import { createHash, randomBytes } from 'node:crypto';
import { memoryRateLimiter } from 'postern/limits';
import { describe, expect, test } from 'vitest';
import { listening, type World, world } from './world.js';

const CODE = '/api/v1/auth/code';
const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');
const BOUND = `${CODE}?code_challenge=${challenge}&code_challenge_method=S256`;
const MINUTE = 60_000;
const DAY = 86_400_000;

/** The grants that everyone in these tests may give. */
const READ = { types: { developer: { scopes: ['models:read'] } } };
const asking = (types: object) => `&types=${encodeURIComponent(JSON.stringify(types))}`;

const begin = async ({ ask }: World, path = CODE): Promise<string> => (await ask(path)).body.code;
/** A login as our own command begins it. */
const beginBound = async ({ ask }: World, more = ''): Promise<{ code: string; user_code: string }> =>
  (await ask(BOUND + more)).body;
const requestOf = (code: string, what = '') => `/api/v1/auth/requests/${code}${what}`;

async function poll({ ask }: World, code: string, sent?: string) {
  const headers = sent === undefined ? {} : { 'x-postern-verifier': sent };
  const { status, body } = await ask(`/api/v1/auth/token?code=${code}`, { headers });
  return status === 200 ? (body.token as string) : `${status} ${body.code}`;
}

const open = ({ ask }: World, code: string, json: unknown = {}, who: object = { person: 'boss' }) =>
  ask(requestOf(code), { method: 'POST', json, ...who });

const approve = ({ ask }: World, code: string, who: object = { person: 'boss' }, json: unknown = READ) =>
  ask(requestOf(code, '/approve'), { method: 'POST', json, ...who });

describe("BentoCloud's client", () => {
  test('waits, is approved in the browser, and gets its token once', async () => {
    const made = await world();
    const url = await listening(made.api);
    const begun = await fetch(url + CODE);
    expect(begun.status).toBe(200);
    const { code, ...rest } = (await begun.json()) as { code: string };
    expect([code, rest]).toEqual([expect.stringMatching(/^[0-9A-Za-z]{22}$/), {}]);
    const collect = () => fetch(`${url}/api/v1/auth/token?code=${code}`);
    const early = await collect();
    expect([early.status, early.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="postern"']);
    expect(await early.json()).toMatchObject({ code: 'authorization_pending' });

    expect((await approve(made, code)).body).toMatchObject({ status: 'approved' });
    const collected = await collect();
    expect(collected.headers.get('cache-control')).toBe('no-store');
    const { token, ...nothing } = (await collected.json()) as { token: string };
    expect(nothing).toEqual({});
    const outcome = await made.postern.authenticate(token);
    expect(outcome).toMatchObject({
      ok: true,
      principal: { owner: 'boss', organization: 'acme', ownership: 'personal' },
    });
    expect(await (await collect()).json()).toMatchObject({ code: 'expired_token' });
  });

  test('gets a token of 24 hours at most, and the page says so', async () => {
    const made = await world();
    const code = await begin(made);
    const shown = await open(made, code);
    expect(shown.body).toMatchObject({ bound: false, token_expires_in: '24h' });
    expect(shown.body.token_expires_at).toBe(new Date(made.clock.now() + DAY).toISOString());
    const longer = await approve(made, code, { person: 'boss' }, { ...READ, expires_in: '25h' });
    expect([longer.status, longer.body.path]).toEqual([400, 'expires_in']);
    await approve(made, code);
    const token = await poll(made, code);
    made.clock.advance(DAY - 1);
    expect((await made.postern.authenticate(token)).ok).toBe(true);
    made.clock.advance(1);
    expect((await made.postern.authenticate(token)).ok).toBe(false);
  });
});

describe('a login bound to its terminal', () => {
  test('is collected with the verifier only, and others can not spoil it', async () => {
    const made = await world();
    const { code, user_code } = await beginBound(made);
    expect(await poll(made, code)).toBe('401 access_denied');
    expect((await open(made, code, { user_code })).body).toMatchObject({
      bound: true,
      token_expires_at: null,
      token_expires_in: '90d',
    });
    await approve(made, code, { person: 'boss' }, { user_code, ...READ, expires_in: '30d', name: 'laptop' });
    for (const wrong of [
      undefined,
      '',
      'short',
      'A'.repeat(43),
      `${verifier}x`,
      challenge,
      `${verifier},${verifier}`,
    ]) {
      expect(await poll(made, code, wrong)).toBe('401 access_denied');
    }
    const token = await poll(made, code, verifier);
    expect(token).toMatch(/^pst_/);
    const { items } = await made.postern.tokens.list({ search: 'laptop' });
    expect(items[0]?.expiresAt?.getTime()).toBe(made.clock.now() + 30 * DAY);
  });

  test.each([
    ['the plain method', `${CODE}?code_challenge=${challenge}&code_challenge_method=plain`],
    ['no method', `${CODE}?code_challenge=${challenge}`],
    ['no challenge', `${CODE}?code_challenge_method=S256`],
    ['a short challenge', `${CODE}?code_challenge=abc&code_challenge_method=S256`],
    ['two challenges', `${BOUND}&code_challenge=${challenge}`],
  ])('with %s is refused', async (_, path) => {
    const made = await world();
    expect((await made.ask(path)).status).toBe(400);
  });
});

describe('a login code', () => {
  test('ends after five minutes, approved or not', async () => {
    const made = await world();
    const [waiting, approved] = [await begin(made), await begin(made)];
    await approve(made, approved);
    made.clock.advance(5 * MINUTE - 1);
    expect(await poll(made, waiting)).toBe('401 authorization_pending');
    made.clock.advance(1);
    expect(await poll(made, waiting)).toBe('401 expired_token');
    expect(await poll(made, approved)).toBe('401 expired_token');
    expect((await approve(made, waiting)).status).toBe(404);
  });

  test('is stored as a hash, and the store has no secret of a login before its collection', async () => {
    const made = await world();
    const written: string[] = [];
    const { putEntry } = made.store;
    made.store.putEntry = (...args) => {
      written.push(JSON.stringify(args));
      return putEntry(...args);
    };
    const { code, user_code } = await beginBound(made);
    await approve(made, code, { person: 'boss' }, { user_code, ...READ });
    const token = await poll(made, code, verifier);
    expect(token).toMatch(/^pst_/);
    for (const secret of [code, user_code, user_code.replace('-', ''), verifier, token])
      expect(written.join()).not.toContain(secret);
  });

  test.each(['', 'x', 'a'.repeat(21), 'a'.repeat(23), `${'a'.repeat(21)}%00`, '../../admin', 'a'.repeat(10_000)])(
    'of an invalid form (%j) costs no read',
    async (code) => {
      const made = await world();
      const before = made.store.count('findEntry');
      expect(await poll(made, code)).toBe('401 expired_token');
      expect(made.store.count('findEntry')).toBe(before);
    },
  );

  test('is collected once by concurrent polls', async () => {
    const made = await world();
    const code = await begin(made);
    await approve(made, code);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => poll(made, code)));
    expect(outcomes.filter((outcome) => outcome.startsWith('pst_'))).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === '401 expired_token')).toHaveLength(19);
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toHaveLength(1);
  });

  test('is answered once by concurrent answers', async () => {
    const made = await world();
    const code = await begin(made);
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => approve(made, code)),
      ...Array.from({ length: 10 }, () =>
        made.ask(requestOf(code, '/deny'), { method: 'POST', person: 'boss', json: {} }),
      ),
    ]);
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 19 }, () => 409)]);
  });

  test('whose entry was changed by hand is over', async () => {
    const made = await world();
    const code = await begin(made);
    made.store.answer('findEntry', (real) => real && { ...(real as object), value: '{"status":"approved"}' });
    expect(await poll(made, code)).toBe('401 expired_token');
  });
});

describe('an approver', () => {
  test("sees the terminal's host, address and time, and the wanted grants", async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.7' } });
    const code = await begin(made, `${CODE}?${asking(READ.types).slice(1)}`);
    const asked = made.clock.now();
    made.clock.advance(30_000);
    const { status, body } = await open(made, code, {}, { person: 'ada' });
    expect([status, body]).toEqual([
      200,
      {
        from: '192.0.2.7',
        created_at: new Date(asked).toISOString(),
        expires_at: new Date(asked + 5 * MINUTE).toISOString(),
        bound: false,
        status: 'pending',
        asked: READ.types,
        types: null,
        token_expires_at: new Date(made.clock.now() + DAY).toISOString(),
        token_expires_in: '24h',
      },
    ]);
  });

  test("grants the wanted or the chosen grants, in our words or BentoCloud's", async () => {
    const made = await world();
    for (const [json, scopes] of [
      [{}, ['models:write']],
      [{ types: { developer: { scopes: ['models:read'] } } }, ['models:read']],
      [{ scopes: ['read_organization'] }, ['iam:read']],
    ] as const) {
      const code = await begin(made, `${CODE}?${asking({ developer: { scopes: ['models:write'] } }).slice(1)}`);
      expect((await approve(made, code, { person: 'boss' }, json)).body.types).toEqual({ developer: { scopes } });
      const outcome = await made.postern.authenticate(await poll(made, code));
      expect(outcome).toMatchObject({ principal: { types: { developer: { scopes } } } });
    }
  });

  test.each([
    ["grants beyond a person's own", { person: 'ada' }, { scopes: ['api'] }, 403, 'scope_missing'],
    [
      'an endpoint that is not reached',
      { person: 'ada' },
      { types: { user: { endpoints: ['b'] } } },
      403,
      'endpoint_not_granted',
    ],
    ['an unknown endpoint', { person: 'ada' }, { types: { user: { endpoints: ['zz'] } } }, 403, 'endpoint_not_granted'],
    ['an unknown endpoint', { person: 'boss' }, { types: { user: { endpoints: ['zz'] } } }, 400, 'endpoint_unknown'],
    ['nothing if nothing was wanted', { person: 'boss' }, {}, 400, 'types_missing'],
    ['anything as a person without rights', { person: 'bob' }, READ, 403, 'scope_missing'],
    ['with a token that manages no tokens', { token: 'reader' }, {}, 403, 'scope_missing'],
    ['with a token for endpoints only', { token: 'user' }, {}, 403, 'scope_missing'],
    ['without credentials', {}, {}, 401, 'token_missing'],
    [
      'from a page of another site',
      { headers: { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' } },
      {},
      403,
      'origin_mismatch',
    ],
    ['an invalid lifetime', { person: 'boss' }, { ...READ, expires_in: 'long' }, 400, 'input_invalid'],
    ['an unknown field', { person: 'boss' }, { owner: 'bob' }, 400, 'option_unknown'],
  ])('may not approve %s, as %j', async (_, who, json, status, code) => {
    const made = await world();
    const login = await begin(made);
    const refused = await approve(made, login, who, json);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(await poll(made, login)).toBe('401 authorization_pending');
  });

  test('with a token makes a token of its owner', async () => {
    const made = await world();
    const code = await begin(made);
    expect((await approve(made, code, { token: 'writer' })).status).toBe(200);
    const outcome = await made.postern.authenticate(await poll(made, code));
    expect(outcome).toMatchObject({
      principal: { owner: 'ada', grants: { scopes: ['models:read'] } },
    });
  });

  test.each([
    ['is revoked', (made: World, id: string) => made.postern.tokens.revoke(id)],
    ['is deleted', (made: World, id: string) => made.postern.tokens.delete(id)],
    [
      'expires',
      async (made: World, id: string) => {
        await made.postern.tokens.update(id, { expiresAt: new Date(made.clock.now() + 1) });
        made.clock.advance(1);
      },
    ],
    [
      'loses grants',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['iam:write', 'models:read'] } } }),
    ],
    [
      'loses the right to manage',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['models:write'] } } }),
    ],
  ])('that %s before the collection leaves no token and a used-up code', async (_, change) => {
    const made = await world();
    const [first, second] = [await begin(made), await begin(made)];
    const json = { types: { developer: { scopes: ['models:write'] } } };
    for (const code of [first, second]) {
      expect((await approve(made, code, { token: 'writer' }, json)).status).toBe(200);
    }
    expect(await poll(made, first)).toMatch(/^pst_/);
    await change(made, made.tokens.writer?.id as string);
    expect(await poll(made, second)).toBe('401 access_denied');
    expect(await poll(made, second)).toBe('401 expired_token');
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toHaveLength(1);
  });

  test('may not use a derived token, or one with limits', async () => {
    const { derive } = await import('postern/jwt');
    const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
    const code = await begin(made);
    const narrow = await derive(made.tokens.writer?.token as string, { clock: made.clock.now });
    expect((await approve(made, code, { token: narrow })).body.code).toBe('issuance_forbidden');
    const rateLimit = { points: 100, duration: '1m' } as const;
    await made.postern.tokens.update(made.tokens.writer?.id as string, { rateLimit });
    expect((await approve(made, code, { token: 'writer' })).body.code).toBe('limits_forbidden');
  });

  test('of another organization can not find a login answered here', async () => {
    const made = await world();
    const code = await begin(made);
    await approve(made, code);
    expect((await open(made, code, {}, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code, { person: 'boss' })).status).toBe(409);
    expect((await open(made, 'a'.repeat(22), {}, { person: 'eve' })).status).toBe(404);
  });

  test('can refuse, and the terminal is told', async () => {
    const made = await world();
    const code = await begin(made);
    const denied = await made.ask(requestOf(code, '/deny'), { method: 'POST', person: 'ada', json: {} });
    expect([denied.status, denied.body.status]).toEqual([200, 'denied']);
    expect(await poll(made, code)).toBe('401 access_denied');
    expect((await approve(made, code)).status).toBe(409);
  });

  test('is named in the audit, with the address of the collection', async () => {
    const made = await world({
      options: { clientAddress: ({ headers }) => headers.get('x-test-address') ?? '192.0.2.1' },
    });
    const code = await begin(made);
    await approve(made, code, { token: 'writer' });
    await made.ask(`/api/v1/auth/token?code=${code}`, { headers: { 'x-test-address': '192.0.2.9' } });
    const { items } = await made.postern.audit.list({ type: 'token.created', limit: 1 });
    expect(items[0]).toMatchObject({
      actor: { kind: 'principal', tokenId: made.tokens.writer?.id, owner: 'ada' },
      after: { name: 'Login from 192.0.2.1' },
    });
    expect(items[0]?.from).toBe('192.0.2.9');
  });
});

describe('a login with a user code', () => {
  test('has a code of eight letters without look-alikes, in two groups', async () => {
    const made = await world();
    const codes = new Set<string>();
    for (let i = 0; i < 100; i++) codes.add((await beginBound(made)).user_code);
    expect(codes.size).toBe(100);
    for (const code of codes) expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  test('is shown, approved and refused only with the code', async () => {
    const made = await world();
    for (const what of ['', '/approve', '/deny']) {
      const { code, user_code } = await beginBound(made);
      const ask = (json: object) => made.ask(requestOf(code, what), { method: 'POST', person: 'boss', json });
      const more = what === '/approve' ? READ : {};
      for (const json of [{}, { user_code: null }]) {
        const missing = await ask({ ...more, ...json });
        expect([missing.status, missing.body.code, missing.body.path]).toEqual([403, 'user_code_missing', 'user_code']);
        expect(Object.keys(missing.body)).not.toContain('from');
      }
      const wrong = await ask({ ...more, user_code: 'BBBB-BBBB' });
      expect([wrong.status, wrong.body.code, wrong.body.detail]).toEqual([
        403,
        'user_code_wrong',
        'This is not the code that the terminal shows. 4 more tries.',
      ]);
      expect(await poll(made, code, verifier)).toBe('401 authorization_pending');
      expect((await ask({ ...more, user_code })).status).toBe(200);
    }
  });

  test('accepts the code in any case and with any separators, as often as it is right', async () => {
    const made = await world();
    const { code, user_code } = await beginBound(made);
    const letters = user_code.replace('-', '');
    for (const typed of [user_code, letters, letters.toLowerCase(), [...letters].join(' '), ` ${user_code}. `]) {
      for (let i = 0; i < 2; i++) expect((await open(made, code, { user_code: typed })).status).toBe(200);
    }
  });

  test.each([
    ['grants that are not JSON', '{', 'input_invalid'],
    ['an unknown type', '{"admin":{"scopes":["*"]}}', 'type_unknown'],
    ['an unknown scope', '{"developer":{"scopes":["models:delete"]}}', 'scope_unknown'],
    ['no grants', '{}', 'types_missing'],
    ['a type named like a member of a prototype', '{"__proto__":{"scopes":["*"]}}', 'type_unknown'],
  ])('wanting %s is refused', async (_, types, code) => {
    const made = await world();
    const refused = await made.ask(`${BOUND}&types=${encodeURIComponent(types)}`);
    expect([refused.status, refused.body.code]).toEqual([400, code]);
    expect(made.store.count('putEntry')).toBe(0);
  });

  test('does not tell which endpoints exist', async () => {
    const made = await world();
    for (const id of ['a', 'nowhere']) {
      expect((await made.ask(BOUND + asking({ user: { endpoints: [id] } }))).status).toBe(200);
    }
  });
});

describe('the rate limit of logins', () => {
  const clientAddress = ({ headers }: Request) => headers.get('x-test-address');
  const begun = async (made: World, times: number, address: string) => {
    const answers = await Promise.all(
      Array.from({ length: times }, () => made.ask(CODE, { headers: { 'x-test-address': address } })),
    );
    return answers.filter(({ status }) => status === 200).length;
  };

  test('bounds their start by address, far above the need of one terminal', async () => {
    const made = await world({ options: { clientAddress } });
    expect(await begun(made, 20, '192.0.2.1')).toBe(20);
    expect(await begun(made, 300, '192.0.2.1')).toBe(280);
    expect(await begun(made, 1, '192.0.2.2')).toBe(1);
    const refused = await made.ask(CODE, { headers: { 'x-test-address': '192.0.2.1' } });
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '60',
    ]);
    made.clock.advance(MINUTE);
    expect(await begun(made, 1, '192.0.2.1')).toBe(1);
  });

  test('bounds their start in all, from any number of addresses', async () => {
    const made = await world({ options: { clientAddress } });
    let all = 0;
    for (let i = 0; i < 21; i++) all += await begun(made, 300, `192.0.2.${i}`);
    expect(all).toBe(6_000);
    expect(made.store.count('putEntry')).toBe(6_000);
  });

  test('bounds polls for each login, not for others of the same address', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const [eager, other] = [await begin(made), await begin(made)];
    for (let i = 0; i < 120; i++) expect(await poll(made, eager)).toBe('401 authorization_pending');
    expect(await poll(made, eager)).toBe('429 rate_limited');
    expect(await poll(made, other)).toBe('401 authorization_pending');
  });

  test('bounds answers of each person, not of others at the same address', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const code = await begin(made);
    for (let i = 0; i < 60; i++) await open(made, 'a'.repeat(22));
    expect((await open(made, code)).status).toBe(429);
    expect((await open(made, code, {}, { person: 'ada' })).status).toBe(200);
    made.clock.advance(MINUTE);
    expect((await open(made, code)).status).toBe(200);
  });

  test('uses the shared limiter of the instance, and refuses if that is down', async () => {
    const keys: string[] = [];
    let down = false;
    const inner = memoryRateLimiter();
    const consume: typeof inner.consume = (key, ...rest) => {
      keys.push(key);
      return down ? Promise.reject(new Error('redis is down')) : inner.consume(key, ...rest);
    };
    const made = await world({ options: { clientAddress }, postern: { rateLimiter: { ...inner, consume } } });
    expect(await begun(made, 1, '192.0.2.1')).toBe(1);
    expect(keys).toEqual(['login:begin:address:192.0.2.1', 'login:begin:all:']);
    const code = await begin(made);
    await poll(made, code);
    expect(keys.join()).not.toContain(code);
    down = true;
    expect((await made.ask(CODE)).status).toBe(503);
  });
});

test('login routes are not found if logins are switched off', async () => {
  const { ask } = await world({ options: { login: false } });
  for (const path of [CODE, '/api/v1/auth/token?code=x']) expect((await ask(path)).status).toBe(401);
  expect((await ask(requestOf('x'), { person: 'boss' })).status).toBe(404);
});
