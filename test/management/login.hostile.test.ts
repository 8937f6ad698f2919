import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PEOPLE, signedIn, type World, world } from './world.js';

const CODE = '/api/v1/auth/code';
const READ = { types: { developer: { scopes: ['models:read'] } } };
const DAY = 86_400_000;

/** Begins a login as the terminal or a phisher. */
async function begin({ ask }: World, bound = true) {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const { body } = await ask(bound ? `${CODE}?code_challenge=${challenge}&code_challenge_method=S256` : CODE);
  return { code: body.code as string, user_code: body.user_code as string, verifier };
}

type Begun = Awaited<ReturnType<typeof begin>>;

const collect = ({ ask }: World, { code, verifier }: Begun) =>
  ask(`/api/v1/auth/token?code=${code}`, { headers: { 'x-postern-verifier': verifier } });

const answer = ({ ask }: World, { code }: Begun, what: string, json: object, who: object = { person: 'boss' }) =>
  ask(`/api/v1/auth/requests/${code}${what}`, { method: 'POST', json, ...who });

describe('a phisher', () => {
  test('with a challenge and a link is not let in by a person who types the code of their own terminal', async () => {
    const made = await world();
    const [theirs, own] = [await begin(made), await begin(made)];
    for (const what of ['', '/approve', '/approve', '/deny']) {
      const refused = await answer(made, theirs, what, { ...(what === '/approve' && READ), user_code: own.user_code });
      expect([refused.status, refused.body.code]).toEqual([403, 'user_code_wrong']);
      expect(refused.body).not.toHaveProperty('from');
    }
    expect((await collect(made, theirs)).body.code).toBe('authorization_pending');
    expect((await answer(made, own, '/approve', { ...READ, user_code: own.user_code })).status).toBe(200);
    expect((await collect(made, own)).status).toBe(200);
    expect((await collect(made, theirs)).status).toBe(401);
  });

  test('without a challenge gets at most a token for a day, with chosen grants only, that makes no others', async () => {
    const made = await world();
    const theirs = await begin(made, false);
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
    const second = await begin(made);
    const approval = { ...READ, user_code: second.user_code };
    expect((await answer(made, second, '/approve', approval, { token })).body.code).toBe('issuance_forbidden');
    made.clock.advance(DAY);
    expect((await made.postern.authenticate(token)).ok).toBe(false);
  });

  test('can not make an honest login look unbound, because a login with a challenge needs its code', async () => {
    const made = await world();
    const own = await begin(made);
    for (const more of [{}, { user_code: '' }, { user_code: '--------' }, { user_code: null }]) {
      expect((await answer(made, own, '/approve', { ...READ, ...more })).status).toBe(403);
    }
  });
});

describe('a user code', () => {
  test('can be tried five times, counted over all concurrent tries and people', async () => {
    const made = await world();
    const login = await begin(made);
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
    const login = await begin(made);
    for (let i = 0; i < 4; i++) {
      expect((await answer(made, login, '', { user_code: 'BBBBBBBB' })).body.code).toBe('user_code_wrong');
      expect((await answer(made, login, '', { user_code: login.user_code })).status).toBe(200);
    }
    expect((await answer(made, login, '', { user_code: 'BBBBBBBB' })).status).toBe(404);
    expect((await answer(made, login, '', { user_code: login.user_code })).status).toBe(404);
  });

  test('opens its own login only', async () => {
    const made = await world();
    const [first, second] = [await begin(made), await begin(made)];
    expect((await answer(made, first, '', { user_code: second.user_code })).body.code).toBe('user_code_wrong');
  });

  test('is not revealed by an approved login, which counts no tries', async () => {
    const made = await world();
    const login = await begin(made);
    await answer(made, login, '/approve', { ...READ, user_code: login.user_code });
    for (const user_code of ['BBBBBBBB', login.user_code]) {
      for (let i = 0; i < 6; i++) expect((await answer(made, login, '', { user_code })).status).toBe(409);
    }
    expect((await collect(made, login)).status).toBe(200);
  });

  test('is only in the first answer, and in no event', async () => {
    const events: unknown[] = [];
    const made = await world({ postern: { onEvent: (event) => void events.push(event) } });
    const login = await begin(made);
    const texts: string[] = [];
    texts.push((await answer(made, login, '', { user_code: 'BBBBBBBB' })).text);
    texts.push((await answer(made, login, '', { user_code: login.user_code })).text);
    texts.push((await answer(made, login, '/approve', { ...READ, user_code: login.user_code })).text);
    texts.push((await collect(made, login)).text, JSON.stringify(events));
    expect(texts.join()).not.toMatch(new RegExp(`${login.user_code}|${login.user_code.replace('-', '')}`));
  });
});

describe('an approved login', () => {
  test('is collected once, also by two holders of the verifier', async () => {
    const made = await world();
    const login = await begin(made);
    await answer(made, login, '/approve', { ...READ, user_code: login.user_code });
    const all = await Promise.all(Array.from({ length: 20 }, () => collect(made, login)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toHaveLength(1);
  });

  test.each([
    ['at once', {}],
    ['with a grace', { grace: '1h' }],
  ] as const)("is void once the approver's secret is rotated %s", async (_, rotation) => {
    const made = await world({ options: { session: true } });
    const { id, token } = made.tokens.writer as { id: string; token: string };
    const session = { headers: { 'sec-fetch-site': 'same-origin', cookie: await signedIn(made.api, token) } };
    const logins = [await begin(made), await begin(made)] as const;
    for (const [i, who] of [{ token }, session].entries()) {
      const login = logins[i] as Begun;
      expect((await answer(made, login, '/approve', { ...READ, user_code: login.user_code }, who)).status).toBe(200);
    }
    await made.postern.tokens.rotate(id, rotation);
    for (const login of logins) expect((await collect(made, login)).body.code).toBe('access_denied');
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toEqual([]);
  });

  test.each([
    ['a person', { person: 'ada' }],
    ['a token', { token: 'writer' }],
  ])('of a leaver (%s) can not be collected after revokeOwned', async (_, who) => {
    const made = await world();
    const [before, after] = [await begin(made), await begin(made)];
    const approve = (login: Begun, as: object) =>
      answer(made, login, '/approve', { ...READ, user_code: login.user_code }, as);
    expect((await approve(before, who)).status).toBe(200);
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    expect((await collect(made, before)).body.code).toBe('access_denied');
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toEqual([]);
    // A later person of the same name is let in.
    expect((await approve(after, { person: 'ada' })).status).toBe(200);
    expect((await collect(made, after)).status).toBe(200);
  });

  test.each([
    ['findEntry', 1],
    ['findEntry', 2],
    ['findEntry', 3],
    ['findEntry', 4],
    ['findEntry', 5],
    ['insertToken', 1],
  ] as const)(
    'of a leaver makes no living token if revokeOwned runs during the collection (%s, %i)',
    async (method, nth) => {
      const made = await world();
      const login = await begin(made);
      await answer(made, login, '/approve', { ...READ, user_code: login.user_code }, { person: 'ada' });
      const gate = made.store.hold(method, 'after');
      const collecting = collect(made, login);
      let held = await gate.next();
      for (let i = 1; i < nth; i++) {
        held.release();
        held = await gate.next();
      }
      gate.end();
      await made.postern.tokens.revokeOwned({ owner: 'ada' });
      held.release();
      const outcome = await collecting;
      const { items } = await made.postern.tokens.list({ search: 'Login' });
      expect(items.filter(({ revokedAt }) => revokedAt === null)).toEqual([]);
      if (outcome.status === 200) expect((await made.postern.authenticate(outcome.body.token)).ok).toBe(false);
    },
  );

  test('of a leaver can not be collected after a second revokeOwned a day after the first', async () => {
    const made = await world();
    const approve = async () => {
      const login = await begin(made);
      expect(
        (await answer(made, login, '/approve', { ...READ, user_code: login.user_code }, { person: 'ada' })).status,
      ).toBe(200);
      return login;
    };
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    made.clock.advance(DAY - 60_000);
    const [kept, ended] = [await approve(), await approve()];
    // The first end is forgotten between approval and collection, which ends no login.
    made.clock.advance(90_000);
    expect((await collect(made, kept)).status).toBe(200);
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    expect((await collect(made, ended)).body.code).toBe('access_denied');
    const { items } = await made.postern.tokens.list({ search: 'Login' });
    expect(items.filter(({ revokedAt }) => revokedAt === null)).toEqual([]);
  });

  test('is not made by a person who left before the rest of the body of the approval arrived', async () => {
    let person = PEOPLE.ada ?? null;
    const made = await world({ options: { identify: () => person } });
    const login = await begin(made);
    let finish = () => {};
    const body = new ReadableStream({
      start(controller) {
        finish = () => {
          controller.enqueue(new TextEncoder().encode(JSON.stringify({ ...READ, user_code: login.user_code })));
          controller.close();
        };
      },
    });
    const headers = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
    const request = new Request(`https://acme.dev/api/v1/auth/requests/${login.code}/approve`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit);
    const answering = made.api(request);
    await expect.poll(() => request.bodyUsed).toBe(true);
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    person = null;
    finish();
    expect((await answering).status).toBe(401);
    expect((await collect(made, login)).body.code).toBe('authorization_pending');
  });

  test('ends with the token that approved it at the latest', async () => {
    const made = await world();
    const endsAt = new Date(made.clock.now() + DAY);
    await made.postern.tokens.update(made.tokens.writer?.id as string, { expiresAt: endsAt });
    const login = await begin(made);
    const approve = (more: object) =>
      answer(made, login, '/approve', { ...READ, user_code: login.user_code, ...more }, { token: 'writer' });
    const beyond = await approve({ expires_in: '2d' });
    expect([beyond.status, beyond.body.code, beyond.body.path]).toEqual([403, 'expiry_beyond', 'expires_in']);
    const approved = await approve({});
    expect([approved.status, approved.body.token_expires_at]).toEqual([200, endsAt.toISOString()]);
    made.clock.advance(60_000);
    expect((await collect(made, login)).status).toBe(200);
    expect((await made.postern.tokens.list()).items[0]?.expiresAt).toEqual(endsAt);
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
      const login = await begin(made, false);
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
    const loud = await begin(made);
    for (let i = 0; i < 100; i++) await begin(made);
    let refused = 0;
    for (let i = 0; i < 2_000; i++) if ((await collect(made, loud)).status === 429) refused++;
    expect(refused).toBe(1_880);
    const login = await begin(made);
    expect((await collect(made, login)).body.code).toBe('authorization_pending');
    expect((await answer(made, login, '/approve', { ...READ, user_code: login.user_code })).status).toBe(200);
    expect((await collect(made, login)).status).toBe(200);
  });
});
