import express from 'express';
import { managementApi, toNodeHandler } from 'postern/management';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listening, TOKENS, world } from './world.js';

/** The needs of BentoCloud's own client (1.4.38) beyond the form of the wire. */

test('a revoked token is shown as expired, because that client has no other word for it', async () => {
  const { ask, tokens } = await world();
  const path = `${TOKENS}/${tokens.shared?.id}`;
  expect((await ask(path, { token: 'admin' })).body.is_expired).toBe(false);
  expect((await ask(`${path}/revoke`, { method: 'POST', token: 'admin', json: {} })).body.is_expired).toBe(true);
  const { items } = (await ask(TOKENS, { token: 'admin' })).body;
  expect(items.find(({ uid }: { uid: string }) => uid === tokens.shared?.id)).toMatchObject({
    is_expired: true,
    expired_at: null,
  });
});

test('a user without a known email has the name as email, because that client shows nothing else', async () => {
  const describeOwner = (owner: string) => (owner === 'admin' ? { email: 'admin@acme.dev' } : null);
  const { ask } = await world({ options: { describeOwner } });
  const email = async (token: string) => (await ask('/api/v1/auth/current', { token })).body.email;
  expect([await email('admin'), await email('reader')]).toEqual(['admin@acme.dev', 'reader']);
});

test('an organization is as old as this API, not from 1970', async () => {
  const made = await world();
  const startedAt = new Date(made.clock.now()).toISOString();
  const { ask } = made;
  made.clock.advance(86_400_000);
  expect((await ask('/api/v1/current_org', { token: 'admin' })).body.created_at).toBe(startedAt);
  expect((await ask(TOKENS, { token: 'admin' })).body.items[0].organization.created_at).toBe(startedAt);
});

describe('a time without an offset', () => {
  test('is UTC, and a refusal says so', async () => {
    const { ask, clock, tokens } = await world();
    const past = new Date(clock.now() - 3_600_000).toISOString();
    const bare = past.replace('T', ' ').replace('Z', '000');
    const json = { name: 'x', scopes: ['models:read'] };
    const path = `${TOKENS}/${tokens.shared?.id}`;
    for (const [method, at] of [
      ['POST', TOKENS],
      ['PATCH', path],
    ] as const) {
      const refused = await ask(at, { method, token: 'admin', json: { ...json, expired_at: bare } });
      expect([refused.status, refused.body.path]).toEqual([400, 'expired_at']);
      expect(refused.body.detail).toMatch(new RegExp(`It has no offset, so it was read as UTC: ${past}\\.$`));
      const named = await ask(at, { method, token: 'admin', json: { ...json, expired_at: past } });
      expect([named.status, named.body.code]).toEqual([400, refused.body.code]);
      expect(named.body.detail).not.toContain('UTC');
    }
  });
});

describe('an unknown path', () => {
  test.each(['/api/v1/deployments', '/api/v1/clusters/default', '/api/v2/api_tokens', '/api/'])(
    "%s needs the credential first, and then gets the API's purpose",
    async (path) => {
      const { ask, tokens } = await world();
      for (const asked of [{}, { token: 'x' }, { token: `${tokens.admin?.token}x` }]) {
        const nobody = await ask(path, asked);
        expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
          401,
          expect.stringMatching(/^Bearer/),
        ]);
      }
      for (const method of ['GET', 'POST', 'DELETE']) {
        const known = await ask(path, { method, token: 'reader' });
        expect([known.status, known.body.code]).toEqual([404, 'not_found']);
        expect(known.body.detail).toBe('This server manages tokens and endpoints only.');
      }
    },
  );

  test('outside of /api/ is not found, and nobody is identified', async () => {
    const { ask, store } = await world();
    const before = store.count();
    for (const path of ['/apis', '/api', '/x/api/v1']) {
      expect((await ask(path)).status).toBe(404);
    }
    expect(store.count()).toBe(before);
  });

  test('goes on to an Express application without a credential', async () => {
    const { postern, store } = await world();
    const app = express();
    app.use(toNodeHandler(managementApi(postern)));
    app.get('/api/v1/else', (_request, response) => void response.json({ else: true }));
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    onTestFinished(() => void server.close());
    const before = store.count();
    const address = server.address() as { port: number };
    const answer = await fetch(`http://127.0.0.1:${address.port}/api/v1/else`);
    expect([answer.status, await answer.json(), store.count()]).toEqual([200, { else: true }, before]);
  });

  test('needs a credential also on node:http', async () => {
    const made = await world();
    const url = await listening(made.api);
    expect((await fetch(`${url}/api/v1/deployments`)).status).toBe(401);
  });
});
