import { createHash } from 'node:crypto';
import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { signedIn, type World, world } from './world.js';

const SESSION = '/api/v1/session';
const SAME = { 'sec-fetch-site': 'same-origin' };
const options = { session: true, identify: undefined };

const tokenOf = ({ tokens }: World, name = 'admin') => tokens[name]?.token as string;
const idOf = (cookie: string) => cookie.split('=')[1] as string;
const who = async ({ ask }: World, headers: Record<string, string>) => (await ask(SESSION, { headers })).status;

/** Everything that was written to the store. */
function listenTo({ store }: World): string[] {
  const written: string[] = [];
  for (const method of ['putEntry', 'insertTokens', 'replaceToken'] as const) {
    const real = store[method] as (...args: unknown[]) => Promise<never>;
    store[method] = (...args: unknown[]) => {
      written.push(JSON.stringify(args));
      return real(...args);
    };
  }
  return written;
}

describe('a stolen session', () => {
  test('is not a bearer token, here or elsewhere', async () => {
    const made = await world({ options });
    const id = idOf(await signedIn(made.api, tokenOf(made)));
    expect(await made.postern.authenticate(id)).toMatchObject({ ok: false, reason: 'token_unknown' });
    for (const headers of [{ authorization: `Bearer ${id}` }, { 'x-yatai-api-token': id }]) {
      expect(await who(made, headers)).toBe(401);
    }
    const signIn = await made.ask(SESSION, { method: 'POST', headers: SAME, json: { token: id } });
    expect(signIn.status).toBe(401);
  });

  test('is unknown to another instance that the browser sends it to', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made));
    const elsewhere = managementApi(createTestPostern().postern, { session: true });
    const answer = await elsewhere(new Request(`https://acme.dev${SESSION}`, { headers: { cookie } }));
    expect(answer.status).toBe(401);
  });

  test('together with the whole store gives no token', async () => {
    const made = await world({ options });
    const written = listenTo(made);
    const cookie = await signedIn(made.api, tokenOf(made));
    const all = written.join();
    expect(all).toContain('session');
    for (const secret of [tokenOf(made), idOf(cookie)]) expect(all).not.toContain(secret);
    // Stored values open nothing, in the cookie or as a token.
    const digest = createHash('sha256').update(tokenOf(made)).digest('hex');
    const entry = createHash('sha256').update(idOf(cookie)).digest('hex');
    expect(all).toContain(entry);
    for (const text of [digest, entry]) {
      expect(await who(made, { cookie: `__Host-postern=${text}` })).toBe(401);
      expect(await who(made, { authorization: `Bearer ${text}` })).toBe(401);
    }
  });
});

test('a digest in place of a secret is refused in any form, so a session can not be made from one', async () => {
  const made = await world({ options });
  const digest = createHash('sha256').update(tokenOf(made)).digest('hex');
  for (const token of [{ digest }, `digest:${digest}`, digest, [digest], JSON.stringify({ digest })]) {
    const decision = await made.postern.authorize({ token: token as string, requirement: { authenticated: true } });
    expect(decision.allowed).toBe(false);
  }
  const json = { token: { digest } };
  expect((await made.ask(SESSION, { method: 'POST', headers: SAME, json })).status).toBe(400);
});

describe('a session planted by an attacker', () => {
  test('is replaced at sign-in', async () => {
    const made = await world({ options });
    const planted = await signedIn(made.api, tokenOf(made, 'reader'));
    for (const cookie of [planted, `__Host-postern=${'A'.repeat(43)}`]) {
      const answer = await made.ask(SESSION, {
        method: 'POST',
        headers: { ...SAME, cookie },
        json: { token: tokenOf(made) },
      });
      const begun = answer.headers.getSetCookie()[0]?.split(';', 1)[0] as string;
      expect(answer.status).toBe(200);
      expect(begun).not.toBe(cookie);
      expect(await who(made, { cookie: begun })).toBe(200);
      // The attacker has no access to the new session.
      expect(await who(made, { cookie })).toBe(401);
    }
  });

  test('is not set by a page of another site, by sign-in or sign-out', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made));
    const written = listenTo(made);
    for (const headers of [
      {},
      { 'sec-fetch-site': 'cross-site', origin: 'https://acme.dev' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.dev' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      const json = { token: tokenOf(made, 'reader') };
      const signIn = await made.ask(SESSION, { method: 'POST', headers: { ...headers, cookie }, json });
      const signOut = await made.ask(SESSION, { method: 'DELETE', headers: { ...headers, cookie } });
      expect([signIn.status, signOut.status]).toEqual([403, 403]);
      expect([...signIn.headers.getSetCookie(), ...signOut.headers.getSetCookie()]).toEqual([]);
    }
    expect(written).toEqual([]);
    expect(await who(made, { cookie })).toBe(200);
  });

  test('costs at most three reads for a hundred cookies with one sign-out', async () => {
    const made = await world({ options });
    const cookie = Array.from({ length: 100 }, (_, i) => `__Host-postern=${String(i).padStart(43, 'A')}`).join('; ');
    const before = made.store.count('findEntry');
    expect((await made.ask(SESSION, { method: 'DELETE', headers: { ...SAME, cookie } })).status).toBe(200);
    expect(made.store.count('findEntry') - before).toBe(3);
  });
});

describe('a session after the end of its token', () => {
  test('does not come back with an imported token of the same secret', async () => {
    const importedTokens = [{ pattern: /^old_([a-z]{32})$/, secret: (match: RegExpExecArray) => match[1] }];
    const made = await world({ options, postern: { importedTokens } });
    const cookie = await signedIn(made.api, tokenOf(made));
    await made.postern.tokens.delete(made.tokens.admin?.id as string);
    const digest = createHash('sha256').update(tokenOf(made)).digest('hex');
    const types = { developer: { scopes: ['*'] } } as const;
    await made.postern.tokens.import({ digest, name: 'again', owner: 'admin', types });
    expect((await made.postern.authenticate(tokenOf(made))).ok).toBe(true);
    const over = await made.ask(SESSION, { headers: { cookie } });
    expect([over.status, over.body.code]).toEqual([401, 'session_over']);
  });

  test('of a leaver is over, also if it began during revokeOwned', async () => {
    const made = await world({ options });
    const before = await signedIn(made.api, tokenOf(made, 'writer'));
    const gate = made.store.hold('putEntry', 'before');
    const signingIn = signedIn(made.api, tokenOf(made, 'writer'));
    const held = await gate.next();
    gate.end();
    await made.postern.tokens.revokeOwned({ owner: 'ada' });
    held.release();
    const after = await signingIn;
    for (const cookie of [before, after]) expect(await who(made, { cookie })).toBe(401);
  });

  test('by a replaced secret can read, and makes nothing', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made));
    await made.postern.tokens.rotate(made.tokens.admin?.id as string, { grace: '1h' });
    expect(await who(made, { cookie })).toBe(200);
    const json = { name: 'x', scopes: ['models:read'] };
    const headers = { ...SAME, cookie };
    const created = await made.ask('/api/v1/api_tokens', { method: 'POST', headers, json });
    expect([created.status, created.body.code]).toEqual([403, 'issuance_forbidden']);
    const { code } = (await made.ask('/api/v1/auth/code')).body;
    const approved = await made.ask(`/api/v1/auth/requests/${code}/approve`, {
      method: 'POST',
      headers,
      json: { scopes: ['api'] },
    });
    expect([approved.status, approved.body.code]).toEqual([403, 'issuance_forbidden']);
  });

  test('is over if its entry was changed by hand', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made, 'reader'));
    for (const value of ['{', '{}', 'null', '{"tokenId":1,"digest":"x"}', '{"tokenId":"x","digest":"../../x"}']) {
      made.store.answer('findEntry', (real) => real && { ...(real as object), value });
      expect(await who(made, { cookie })).toBe(401);
    }
  });
});
