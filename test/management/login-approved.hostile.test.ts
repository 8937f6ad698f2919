import { describe, expect, test } from 'vitest';
import { approve, type Begun, beginLogin, collect, DAY, READ } from './logins.js';
import { PEOPLE, signedIn, world } from './world.js';

describe('an approved login', () => {
  test('is collected once, also by two holders of the verifier', async () => {
    const made = await world();
    const login = await beginLogin(made);
    await approve(made, login);
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
    const logins = [await beginLogin(made), await beginLogin(made)] as const;
    for (const [i, who] of [{ token }, session].entries()) {
      const login = logins[i] as Begun;
      expect((await approve(made, login, READ, who)).status).toBe(200);
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
    const [before, after] = [await beginLogin(made), await beginLogin(made)];
    expect((await approve(made, before, READ, who)).status).toBe(200);
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    expect((await collect(made, before)).body.code).toBe('access_denied');
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toEqual([]);
    // A later person of the same name is let in.
    expect((await approve(made, after, READ, { person: 'ada' })).status).toBe(200);
    expect((await collect(made, after)).status).toBe(200);
  });

  test.each([
    ['findEntry', 1],
    ['findEntries', 1],
    ['findEntries', 2],
    ['findEntries', 3],
    ['findEntries', 4],
    ['insertTokens', 1],
  ] as const)(
    'of a leaver makes no living token if revokeOwned runs during the collection (%s, %i)',
    async (method, nth) => {
      const made = await world();
      const login = await beginLogin(made);
      await approve(made, login, READ, { person: 'ada' });
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
    const approved = async () => {
      const login = await beginLogin(made);
      expect((await approve(made, login, READ, { person: 'ada' })).status).toBe(200);
      return login;
    };
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    made.clock.advance(DAY - 60_000);
    const [kept, ended] = [await approved(), await approved()];
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
    const login = await beginLogin(made);
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
    const login = await beginLogin(made);
    const beyond = await approve(made, login, { ...READ, expires_in: '2d' }, { token: 'writer' });
    expect([beyond.status, beyond.body.code, beyond.body.path]).toEqual([403, 'expiry_beyond', 'expires_in']);
    const approved = await approve(made, login, READ, { token: 'writer' });
    expect([approved.status, approved.body.token_expires_at]).toEqual([200, endsAt.toISOString()]);
    made.clock.advance(60_000);
    expect((await collect(made, login)).status).toBe(200);
    expect((await made.postern.tokens.list()).items[0]?.expiresAt).toEqual(endsAt);
  });
});
