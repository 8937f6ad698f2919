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

/** What everyone here may grant. */
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

describe('a login bound to who began it', () => {
  test('is collected with the verifier alone, and others can not spoil it', async () => {
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
    ['plain', `${CODE}?code_challenge=${challenge}&code_challenge_method=plain`],
    ['no method', `${CODE}?code_challenge=${challenge}`],
    ['no challenge', `${CODE}?code_challenge_method=S256`],
    ['a short one', `${CODE}?code_challenge=abc&code_challenge_method=S256`],
    ['two', `${BOUND}&code_challenge=${challenge}`],
  ])('with %s is refused', async (_, path) => {
    const made = await world();
    expect((await made.ask(path)).status).toBe(400);
  });
});

describe('the code', () => {
  test('lives for five minutes, approved or not', async () => {
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

  test('is kept as its hash, and no secret of a login is ever in the store before it is collected', async () => {
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
    'that is none (%j) reads nothing',
    async (code) => {
      const made = await world();
      const before = made.store.count('findEntry');
      expect(await poll(made, code)).toBe('401 expired_token');
      expect(made.store.count('findEntry')).toBe(before);
    },
  );

  test('is collected once, however many ask at once', async () => {
    const made = await world();
    const code = await begin(made);
    await approve(made, code);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => poll(made, code)));
    expect(outcomes.filter((outcome) => outcome.startsWith('pst_'))).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === '401 expired_token')).toHaveLength(19);
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toHaveLength(1);
  });

  test('is answered once, however many answer at once', async () => {
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

  test('of a login that was changed by hand is over', async () => {
    const made = await world();
    const code = await begin(made);
    made.store.answer('findEntry', (real) => real && { ...(real as object), value: '{"status":"approved"}' });
    expect(await poll(made, code)).toBe('401 expired_token');
  });
});

describe('who approves', () => {
  test('sees who asks, from where and since when, and for what', async () => {
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

  test('grants what was asked for, or what they choose, in our words or in theirs', async () => {
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
    ['more than a person holds', { person: 'ada' }, { scopes: ['api'] }, 403, 'scope_missing'],
    [
      'an endpoint that she does not reach',
      { person: 'ada' },
      { types: { user: { endpoints: ['b'] } } },
      403,
      'endpoint_not_granted',
    ],
    [
      'one that is not there',
      { person: 'ada' },
      { types: { user: { endpoints: ['zz'] } } },
      403,
      'endpoint_not_granted',
    ],
    ['one that is not there', { person: 'boss' }, { types: { user: { endpoints: ['zz'] } } }, 400, 'endpoint_unknown'],
    ['nothing, where nothing was asked for', { person: 'boss' }, {}, 400, 'types_missing'],
    ['anything, of a person who holds nothing', { person: 'bob' }, READ, 403, 'scope_missing'],
    ['a token that manages no tokens', { token: 'reader' }, {}, 403, 'scope_missing'],
    ['a token of endpoints alone', { token: 'user' }, {}, 403, 'scope_missing'],
    ['nobody', {}, {}, 401, 'token_missing'],
    [
      'a page of another site',
      { headers: { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' } },
      {},
      403,
      'origin_mismatch',
    ],
    ['a life that is none', { person: 'boss' }, { ...READ, expires_in: 'long' }, 400, 'input_invalid'],
    ['a field that is none', { person: 'boss' }, { owner: 'bob' }, 400, 'option_unknown'],
  ])('may not: %s, of %j', async (_, who, json, status, code) => {
    const made = await world();
    const login = await begin(made);
    const refused = await approve(made, login, who, json);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(await poll(made, login)).toBe('401 authorization_pending');
  });

  test('with a token: what is made is its owner’s', async () => {
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
      'holds less',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['iam:write', 'models:read'] } } }),
    ],
    [
      'manages no tokens any more',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['models:write'] } } }),
    ],
  ])('and %s before it is collected: there is no token, and the code is used up', async (_, change) => {
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

  test('not with what was derived from a token, nor with one that has limits', async () => {
    const { derive } = await import('postern/jwt');
    const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
    const code = await begin(made);
    const narrow = await derive(made.tokens.writer?.token as string, { clock: made.clock.now });
    expect((await approve(made, code, { token: narrow })).body.code).toBe('issuance_forbidden');
    const rateLimit = { points: 100, duration: '1m' } as const;
    await made.postern.tokens.update(made.tokens.writer?.id as string, { rateLimit });
    expect((await approve(made, code, { token: 'writer' })).body.code).toBe('limits_forbidden');
  });

  test('in another organization: the login that was answered there is not there', async () => {
    const made = await world();
    const code = await begin(made);
    await approve(made, code);
    expect((await open(made, code, {}, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code, { person: 'boss' })).status).toBe(409);
    expect((await open(made, 'a'.repeat(22), {}, { person: 'eve' })).status).toBe(404);
  });

  test('or refuses: the terminal is told', async () => {
    const made = await world();
    const code = await begin(made);
    const denied = await made.ask(requestOf(code, '/deny'), { method: 'POST', person: 'ada', json: {} });
    expect([denied.status, denied.body.status]).toEqual([200, 'denied']);
    expect(await poll(made, code)).toBe('401 access_denied');
    expect((await approve(made, code)).status).toBe(409);
  });

  test('is named in the audit, with where the token was collected', async () => {
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

describe('a login that shows a code', () => {
  test('gives one of eight letters without look-alikes, in two groups', async () => {
    const made = await world();
    const codes = new Set<string>();
    for (let i = 0; i < 100; i++) codes.add((await beginBound(made)).user_code);
    expect(codes.size).toBe(100);
    for (const code of codes) expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  test('is shown, approved and refused to nobody who does not type it', async () => {
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

  test('takes it in any case, with whatever stands between the letters, and however often it is right', async () => {
    const made = await world();
    const { code, user_code } = await beginBound(made);
    const letters = user_code.replace('-', '');
    for (const typed of [user_code, letters, letters.toLowerCase(), [...letters].join(' '), ` ${user_code}. `]) {
      for (let i = 0; i < 2; i++) expect((await open(made, code, { user_code: typed })).status).toBe(200);
    }
  });

  test.each([
    ['no JSON', '{', 'input_invalid'],
    ['an unknown type', '{"admin":{"scopes":["*"]}}', 'type_unknown'],
    ['an unknown scope', '{"developer":{"scopes":["models:delete"]}}', 'scope_unknown'],
    ['nothing', '{}', 'types_missing'],
    ['a prototype', '{"__proto__":{"scopes":["*"]}}', 'type_unknown'],
  ])('and asks for %s is not begun', async (_, types, code) => {
    const made = await world();
    const refused = await made.ask(`${BOUND}&types=${encodeURIComponent(types)}`);
    expect([refused.status, refused.body.code]).toEqual([400, code]);
    expect(made.store.count('putEntry')).toBe(0);
  });

  test('tells nobody which endpoints there are', async () => {
    const made = await world();
    for (const id of ['a', 'nowhere']) {
      expect((await made.ask(BOUND + asking({ user: { endpoints: [id] } }))).status).toBe(200);
    }
  });
});

describe('how often', () => {
  const clientAddress = ({ headers }: Request) => headers.get('x-test-address');
  const begun = async (made: World, times: number, address: string) => {
    const answers = await Promise.all(
      Array.from({ length: times }, () => made.ask(CODE, { headers: { 'x-test-address': address } })),
    );
    return answers.filter(({ status }) => status === 200).length;
  };

  test('logins begin is bounded by address, far above what one terminal needs', async () => {
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

  test('logins begin is bounded in all, whatever the addresses', async () => {
    const made = await world({ options: { clientAddress } });
    let all = 0;
    for (let i = 0; i < 21; i++) all += await begun(made, 300, `192.0.2.${i}`);
    expect(all).toBe(6_000);
    expect(made.store.count('putEntry')).toBe(6_000);
  });

  test('a login is asked for is counted for itself: another one from the same address goes on', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const [eager, other] = [await begin(made), await begin(made)];
    for (let i = 0; i < 120; i++) expect(await poll(made, eager)).toBe('401 authorization_pending');
    expect(await poll(made, eager)).toBe('429 rate_limited');
    expect(await poll(made, other)).toBe('401 authorization_pending');
  });

  test('a person answers is counted for them: another one from the same address goes on', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const code = await begin(made);
    for (let i = 0; i < 60; i++) await open(made, 'a'.repeat(22));
    expect((await open(made, code)).status).toBe(429);
    expect((await open(made, code, {}, { person: 'ada' })).status).toBe(200);
    made.clock.advance(MINUTE);
    expect((await open(made, code)).status).toBe(200);
  });

  test('is counted by the limiter that processes share, where there is one; one that is down lets nobody in', async () => {
    const keys: string[] = [];
    let down = false;
    const inner = memoryRateLimiter();
    const consume: typeof inner.consume = (key, ...rest) => {
      keys.push(key);
      return down ? Promise.reject(new Error('redis is down')) : inner.consume(key, ...rest);
    };
    const made = await world({ options: { clientAddress }, postern: { rateLimiter: { consume } } });
    expect(await begun(made, 1, '192.0.2.1')).toBe(1);
    expect(keys).toEqual(['login:begin:address:192.0.2.1', 'login:begin:all:']);
    const code = await begin(made);
    await poll(made, code);
    expect(keys.join()).not.toContain(code);
    down = true;
    expect((await made.ask(CODE)).status).toBe(503);
  });
});

test('are not there where they are switched off', async () => {
  const { ask } = await world({ options: { login: false } });
  for (const path of [CODE, '/api/v1/auth/token?code=x']) expect((await ask(path)).status).toBe(401);
  expect((await ask(requestOf('x'), { person: 'boss' })).status).toBe(404);
});
