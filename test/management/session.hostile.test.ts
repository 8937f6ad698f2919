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

/** All that the store was given to write. */
function listenTo({ store }: World): string[] {
  const written: string[] = [];
  for (const method of ['putEntry', 'insertToken', 'replaceToken'] as const) {
    const real = store[method] as (...args: unknown[]) => Promise<never>;
    store[method] = (...args: unknown[]) => {
      written.push(JSON.stringify(args));
      return real(...args);
    };
  }
  return written;
}

describe('a session that is stolen', () => {
  test('is no bearer token, here or anywhere', async () => {
    const made = await world({ options });
    const id = idOf(await signedIn(made.api, tokenOf(made)));
    expect(await made.postern.authenticate(id)).toMatchObject({ ok: false, reason: 'token_unknown' });
    for (const headers of [{ authorization: `Bearer ${id}` }, { 'x-yatai-api-token': id }]) {
      expect(await who(made, headers)).toBe(401);
    }
    const signIn = await made.ask(SESSION, { method: 'POST', headers: SAME, json: { token: id } });
    expect(signIn.status).toBe(401);
  });

  test('is nobody’s at another instance that the browser sends it to', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made));
    const elsewhere = managementApi(createTestPostern().postern, { session: true });
    const answer = await elsewhere(new Request(`https://acme.dev${SESSION}`, { headers: { cookie } }));
    expect(answer.status).toBe(401);
  });

  test('with the whole store beside it gives no token', async () => {
    const made = await world({ options });
    const written = listenTo(made);
    const cookie = await signedIn(made.api, tokenOf(made));
    const all = written.join();
    expect(all).toContain('session');
    for (const secret of [tokenOf(made), idOf(cookie)]) expect(all).not.toContain(secret);
    // What stands in the store opens nothing, in the cookie or as a token.
    const digest = createHash('sha256').update(tokenOf(made)).digest('hex');
    const entry = createHash('sha256').update(idOf(cookie)).digest('hex');
    expect(all).toContain(entry);
    for (const text of [digest, entry]) {
      expect(await who(made, { cookie: `__Host-postern=${text}` })).toBe(401);
      expect(await who(made, { authorization: `Bearer ${text}` })).toBe(401);
    }
  });
});

test('nobody can name a secret by its digest: what stands for one is no text and no object of theirs', async () => {
  const made = await world({ options });
  const digest = createHash('sha256').update(tokenOf(made)).digest('hex');
  for (const token of [{ digest }, `digest:${digest}`, digest, [digest], JSON.stringify({ digest })]) {
    const decision = await made.postern.authorize({ token: token as string, requirement: { authenticated: true } });
    expect(decision.allowed).toBe(false);
  }
  const json = { token: { digest } };
  expect((await made.ask(SESSION, { method: 'POST', headers: SAME, json })).status).toBe(400);
});

describe('a session that somebody else chose', () => {
  test('is not the one that a sign-in begins', async () => {
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
      // Whoever planted it has nothing of who signed in over it.
      expect(await who(made, { cookie })).toBe(401);
    }
  });

  test('is not set by a page of another site: neither a sign-in nor a sign-out', async () => {
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

  test('costs three reads at most where a hundred come with one sign-out', async () => {
    const made = await world({ options });
    const cookie = Array.from({ length: 100 }, (_, i) => `__Host-postern=${String(i).padStart(43, 'A')}`).join('; ');
    const before = made.store.count('findEntry');
    expect((await made.ask(SESSION, { method: 'DELETE', headers: { ...SAME, cookie } })).status).toBe(200);
    expect(made.store.count('findEntry') - before).toBe(3);
  });
});

describe('a session after its token', () => {
  test('does not come back with a token that has the same secret', async () => {
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

  test('of a leaver is over, and so is one that began while the leaver was ended', async () => {
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

  test('of a replaced secret may look, and makes nothing', async () => {
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

  test('is no session where its entry was changed by hand', async () => {
    const made = await world({ options });
    const cookie = await signedIn(made.api, tokenOf(made, 'reader'));
    for (const value of ['{', '{}', 'null', '{"tokenId":1,"digest":"x"}', '{"tokenId":"x","digest":"../../x"}']) {
      made.store.answer('findEntry', (real) => real && { ...(real as object), value });
      expect(await who(made, { cookie })).toBe(401);
    }
  });
});
