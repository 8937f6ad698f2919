import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  answer,
  approve,
  asking,
  begin,
  beginLogin,
  boundTo,
  CODE,
  challengeOf,
  DAY,
  MINUTE,
  poll,
  READ,
  requestOf,
} from './logins.js';
import { listening, world } from './world.js';

const challenge = challengeOf(randomBytes(32).toString('base64url'));
const BOUND = boundTo(challenge);

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
    const shown = await answer(made, code, '', {});
    expect(shown.body).toMatchObject({ bound: false, token_expires_in: '24h' });
    expect(shown.body.token_expires_at).toBe(new Date(made.clock.now() + DAY).toISOString());
    const longer = await approve(made, code, { ...READ, expires_in: '25h' });
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
    const { code, user_code, verifier } = await beginLogin(made);
    expect(await poll(made, code)).toBe('401 access_denied');
    expect((await answer(made, code, '', { user_code })).body).toMatchObject({
      bound: true,
      token_expires_at: null,
      token_expires_in: '90d',
    });
    await approve(made, code, { user_code, ...READ, expires_in: '30d', name: 'laptop' });
    for (const wrong of [
      undefined,
      '',
      'short',
      'A'.repeat(43),
      `${verifier}x`,
      challengeOf(verifier),
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
    const { code, user_code, verifier } = await beginLogin(made);
    await approve(made, code, { user_code, ...READ });
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
      ...Array.from({ length: 10 }, () => answer(made, code, '/deny', {})),
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

describe('a login with a user code', () => {
  test('has a code of eight letters without look-alikes, in two groups', async () => {
    const made = await world();
    const codes = new Set<string>();
    for (let i = 0; i < 100; i++) codes.add((await beginLogin(made)).user_code);
    expect(codes.size).toBe(100);
    for (const code of codes) expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  test('is shown, approved and refused only with the code', async () => {
    const made = await world();
    for (const what of ['', '/approve', '/deny']) {
      const { code, user_code, verifier } = await beginLogin(made);
      const ask = (json: object) => answer(made, code, what, json);
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
    const { code, user_code } = await beginLogin(made);
    const letters = user_code.replace('-', '');
    for (const typed of [user_code, letters, letters.toLowerCase(), [...letters].join(' '), ` ${user_code}. `]) {
      for (let i = 0; i < 2; i++) expect((await answer(made, code, '', { user_code: typed })).status).toBe(200);
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
      expect((await made.ask(`${BOUND}&${asking({ user: { endpoints: [id] } })}`)).status).toBe(200);
    }
  });
});

test('login routes are not found if logins are switched off', async () => {
  const { ask } = await world({ options: { login: false } });
  for (const path of [CODE, '/api/v1/auth/token?code=x']) expect((await ask(path)).status).toBe(401);
  expect((await ask(requestOf('x'), { person: 'boss' })).status).toBe(404);
});
