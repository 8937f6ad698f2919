import { describe, expect, test } from 'vitest';
import { answer, approve, beginLogin, collect, DAY, READ } from './logins.js';
import { world } from './world.js';

describe('a phisher', () => {
  test('with a challenge and a link is not let in by a person who types the code of their own terminal', async () => {
    const made = await world();
    const [theirs, own] = [await beginLogin(made), await beginLogin(made)];
    for (const what of ['', '/approve', '/approve', '/deny']) {
      const refused = await answer(made, theirs, what, { ...(what === '/approve' && READ), user_code: own.user_code });
      expect([refused.status, refused.body.code]).toEqual([403, 'user_code_wrong']);
      expect(refused.body).not.toHaveProperty('from');
    }
    expect((await collect(made, theirs)).body.code).toBe('authorization_pending');
    expect((await approve(made, own)).status).toBe(200);
    expect((await collect(made, own)).status).toBe(200);
    expect((await collect(made, theirs)).status).toBe(401);
  });

  test('without a challenge gets at most a token for a day, with chosen grants only, that makes no others', async () => {
    const made = await world();
    const theirs = await beginLogin(made, false);
    expect((await answer(made, theirs, '', {})).body).toMatchObject({ bound: false, asked: null, types: null });
    expect((await answer(made, theirs, '/approve', {})).body.code).toBe('types_missing');
    const every = { types: { developer: { scopes: ['*'] } } };
    await answer(made, theirs, '/approve', every);
    const { token } = (await collect(made, theirs)).body;
    const [record] = (await made.postern.tokens.list()).items;
    expect(record).toMatchObject({ mayIssue: false, expiresAt: new Date(made.clock.now() + DAY) });

    const json = { name: 'for ever', ...every };
    const id = record?.id as string;
    for (const [method, path, body] of [
      ['POST', '/api/v1/api_tokens', json],
      ['POST', `/api/v1/api_tokens/${id}/rotate`, { grace: '1h' }],
      ['PATCH', `/api/v1/api_tokens/${id}`, { expired_at: null }],
      ['PATCH', `/api/v1/api_tokens/${made.tokens.shared?.id}`, { scopes: ['api'] }],
    ] as const) {
      const refused = await made.ask(path, { method, token, json: body });
      expect([path, refused.status, refused.body.code]).toEqual([path, 403, 'issuance_forbidden']);
    }
    // A second login and a session make no others either.
    const second = await beginLogin(made);
    const approval = { ...READ, user_code: second.user_code };
    expect((await answer(made, second, '/approve', approval, { token })).body.code).toBe('issuance_forbidden');
    made.clock.advance(DAY);
    expect((await made.postern.authenticate(token)).ok).toBe(false);
  });

  test('can not make an honest login look unbound, because a login with a challenge needs its code', async () => {
    const made = await world();
    const own = await beginLogin(made);
    for (const more of [{}, { user_code: '' }, { user_code: '--------' }, { user_code: null }]) {
      expect((await answer(made, own, '/approve', { ...READ, ...more })).status).toBe(403);
    }
  });
});

describe('a user code', () => {
  test('can be tried five times, counted over all concurrent tries and people', async () => {
    const made = await world();
    const login = await beginLogin(made);
    const guesses = Array.from({ length: 200 }, (_, i) => String.fromCharCode(66 + (i % 2)).repeat(8));
    const outcomes = await Promise.all(
      guesses.map((user_code, i) => answer(made, login, '', { user_code }, { person: i % 2 ? 'boss' : 'ada' })),
    );
    const told = outcomes.filter(({ body }) => body.code === 'user_code_wrong').length;
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(4);
    for (let i = 0; i < 5; i++) {
      await answer(made, login, '', { user_code: 'BBBBBBBB' }, { person: 'eve' });
    }
    // The right code is too late then, also for a person who waited a minute.
    made.clock.advance(60_000);
    const late = await answer(made, login, '', { user_code: login.user_code }, { token: 'writer' });
    expect([late.status, late.body.code]).toEqual([404, 'not_found']);
    expect((await collect(made, login)).body.code).toBe('expired_token');
  });

  test('does not get tries back by being typed right', async () => {
    const made = await world();
    const login = await beginLogin(made);
    for (let i = 0; i < 4; i++) {
      expect((await answer(made, login, '', { user_code: 'BBBBBBBB' })).body.code).toBe('user_code_wrong');
      expect((await answer(made, login, '', { user_code: login.user_code })).status).toBe(200);
    }
    expect((await answer(made, login, '', { user_code: 'BBBBBBBB' })).status).toBe(404);
    expect((await answer(made, login, '', { user_code: login.user_code })).status).toBe(404);
  });

  test('opens its own login only', async () => {
    const made = await world();
    const [first, second] = [await beginLogin(made), await beginLogin(made)];
    expect((await answer(made, first, '', { user_code: second.user_code })).body.code).toBe('user_code_wrong');
  });

  test('is not revealed by an approved login, which counts no tries', async () => {
    const made = await world();
    const login = await beginLogin(made);
    await approve(made, login);
    for (const user_code of ['BBBBBBBB', login.user_code]) {
      for (let i = 0; i < 6; i++) expect((await answer(made, login, '', { user_code })).status).toBe(409);
    }
    expect((await collect(made, login)).status).toBe(200);
  });

  test('is only in the first answer, and in no event', async () => {
    const events: unknown[] = [];
    const made = await world({ postern: { onEvent: (event) => void events.push(event) } });
    const login = await beginLogin(made);
    const texts: string[] = [];
    texts.push((await answer(made, login, '', { user_code: 'BBBBBBBB' })).text);
    texts.push((await answer(made, login, '', { user_code: login.user_code })).text);
    texts.push((await approve(made, login)).text);
    texts.push((await collect(made, login)).text, JSON.stringify(events));
    expect(texts.join()).not.toMatch(new RegExp(`${login.user_code}|${login.user_code.replace('-', '')}`));
  });
});

test.each([
  ['nothing', {}],
  ['every protected endpoint', { user: { endpoints: '*' } }],
  ['other scopes', { developer: { scopes: ['models:write'] } }],
])(
  'a caller with %s gets the same answer for a private and an absent endpoint, as when creating a token',
  async (_, types) => {
    const made = await world({
      options: { identify: () => ({ owner: 'ada', organization: 'acme', types: types as object }) },
    });
    await made.postern.endpoints.create({ id: 'hidden', access: 'private' });
    const heard = async (name: string) => {
      const asked = { types: { user: { endpoints: [name] } } };
      const login = await beginLogin(made, false);
      const approved = await answer(made, login, '/approve', asked, { person: 'ada' });
      const created = await made.ask('/api/v1/api_tokens', {
        method: 'POST',
        person: 'ada',
        json: { name: 'x', ...asked },
      });
      expect([approved.status, approved.body.code]).toEqual([created.status, created.body.code]);
      return [approved.status, approved.text.replaceAll(name, '…')];
    };
    expect(await heard('hidden')).toEqual(await heard('absent'));
  },
);

describe('behind a proxy with one address for all', () => {
  test('people can log in while a neighbour begins a hundred logins and polls without a pause', async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.1' } });
    const loud = await beginLogin(made);
    for (let i = 0; i < 100; i++) await beginLogin(made);
    let refused = 0;
    for (let i = 0; i < 2_000; i++) if ((await collect(made, loud)).status === 429) refused++;
    expect(refused).toBe(1_880);
    const login = await beginLogin(made);
    expect((await collect(made, login)).body.code).toBe('authorization_pending');
    expect((await approve(made, login)).status).toBe(200);
    expect((await collect(made, login)).status).toBe(200);
  });
});
