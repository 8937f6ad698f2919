import { Hono } from 'hono';
import { guard, notFound } from 'postern/fetch';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';

async function setUp() {
  const { postern, events } = createTestPostern();
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'metrics', access: 'private' });
  const { token } = await postern.tokens.create({ name: 'test', types: { user: { endpoints: '*' } } });
  return { postern, events, authorized: { headers: { authorization: `Bearer ${token}` } }, token };
}

const url = 'http://localhost/';

describe('guard of postern/fetch', () => {
  it("passes the runtime's further arguments to the handler", async () => {
    const { authorized, postern } = await setUp();
    const handler = guard(
      postern,
      { endpoint: 'summarizer' },
      (_request, { principal }, environment: { region: string }, context: { id: number }) =>
        Response.json([principal?.organization, environment.region, context.id]),
    );
    const answer = await handler(new Request(url, authorized), { region: 'fra' }, { id: 7 });
    expect(await answer.json()).toEqual(['default', 'fra', 7]);
  });

  it('refuses two headers, which Headers joins to a list', async () => {
    const { postern, token } = await setUp();
    const headers = new Headers({ authorization: `Bearer ${token}` });
    headers.append('authorization', `Bearer ${token}`);
    const answer = await guard(
      postern,
      { endpoint: 'summarizer' },
      () => new Response(),
    )(new Request(url, { headers }));
    expect(answer.status).toBe(400);
  });

  it("takes the zone from the runtime's arguments", async () => {
    const { postern } = await setUp();
    const handler = guard(
      postern,
      { endpoint: 'metrics' },
      (_request, _context, _info: { inside: boolean }) => new Response('reached'),
      {
        zone: (_request, info) => (info.inside ? 'internal' : 'external'),
      },
    );
    expect((await handler(new Request(url), { inside: true })).status).toBe(200);
    expect((await handler(new Request(url), { inside: false })).status).toBe(404);
    expect((await guard(postern, { endpoint: 'metrics' }, () => new Response())(new Request(url))).status).toBe(404);
  });

  it('hands the writing of uses to waitUntil, for allowed calls with a credential only', async () => {
    const { postern, authorized } = await setUp();
    const pending: Promise<void>[] = [];
    type Runtime = { readonly pending: Promise<void>[] };
    const answer = (_request: Request, _context: unknown, _runtime: Runtime) => new Response();
    const handler = guard(postern, { endpoint: 'summarizer' }, answer, {
      waitUntil: (work, _request, runtime) => void runtime.pending.push(work),
    });
    await handler(new Request(url), { pending });
    expect(pending).toEqual([]);
    await handler(new Request(url, authorized), { pending });
    expect(pending).toHaveLength(1);
    await Promise.all(pending);
    const { items } = await postern.tokens.list();
    expect(items[0]?.lastUsedAt).toBeInstanceOf(Date);
  });

  it('reports a waitUntil that throws, and answers as without it', async () => {
    const { postern, events, authorized } = await setUp();
    const waitUntil = () => {
      throw new Error('the request is over');
    };
    const handler = guard(postern, { endpoint: 'summarizer' }, () => new Response('reached'), { waitUntil });
    const answer = await handler(new Request(url, authorized));
    expect([answer.status, await answer.text()]).toEqual([200, 'reached']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault' }));
  });

  it('denies if the zone function throws', async () => {
    const { postern } = await setUp();
    const handler = guard(postern, { endpoint: 'metrics' }, () => new Response(), {
      zone: () => {
        throw new Error('no address');
      },
    });
    expect((await handler(new Request(url))).status).toBe(500);
  });

  it('answers with onDenied, or with the standard answer if it returns none', async () => {
    const { postern } = await setUp();
    const guarded = (onDenied: never) =>
      guard(postern, { endpoint: 'summarizer' }, () => new Response('reached'), { onDenied })(new Request(url));
    expect(
      (await guarded(((denial: { reason: string }) => new Response(denial.reason, { status: 418 })) as never)).status,
    ).toBe(418);
    for (const onDenied of [
      () => undefined,
      () => ({ allowed: true }),
      () => Promise.reject(new Error('no template')),
    ]) {
      const answer = await guarded(onDenied as never);
      expect([answer.status, await answer.text()]).not.toContain('reached');
      expect(answer.status).toBe(401);
    }
  });

  it('leaves errors of the handler to the runtime', async () => {
    const { authorized, postern } = await setUp();
    const handler = guard(postern, { endpoint: 'summarizer' }, () => {
      throw new Error('out of memory');
    });
    await expect(handler(new Request(url, authorized))).rejects.toThrow('out of memory');
  });

  it('guards a Hono handler', async () => {
    const { authorized, postern } = await setUp();
    const app = new Hono();
    const handler = guard(
      postern,
      { endpoint: 'summarizer' },
      (_request, { principal }) => new Response(principal?.organization),
    );
    app.get('/summarizer', (context) => handler(context.req.raw));
    expect(await (await app.request('/summarizer', authorized)).text()).toBe('default');
    expect((await app.request('/summarizer')).status).toBe(401);
  });
});

describe('notFound of postern/fetch', () => {
  it('answers with the same bytes as for an unknown or private endpoint', async () => {
    const { postern } = await setUp();
    const shown = async (response: Response) => [response.status, [...response.headers], await response.text()];
    const expected = await shown(notFound()());
    for (const endpoint of ['nowhere', 'metrics']) {
      const handler = guard(postern, { endpoint }, () => new Response());
      expect(await shown(await handler(new Request(url)))).toEqual(expected);
    }
  });
});
