import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { createPostern, memoryStore } from 'postern';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { guard as honoGuard } from 'postern/hono';
import { accessTokens, generateKeys, hops, type VerifyHopOptions, verifyHop } from 'postern/jwt';
import { guard as nodeGuard } from 'postern/node';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from '../transports/support.js';
import { ISSUER } from './world.js';

const audience = 'default/summarizer';

async function world() {
  const signed = accessTokens({ issuer: ISSUER, audience: 'https://api.acme.test', keys: await generateKeys() });
  const made = createTestPostern({ authenticators: [signed] });
  const token = await made.token({ endpoints: ['summarizer'], owner: 'ada' });
  await made.postern.endpoints.create({ id: 'open', access: 'public' });
  const { hopFor } = hops(made.postern, { issuer: ISSUER, keys: signed });
  const options: VerifyHopOptions = { issuer: ISSUER, audience, jwks: await signed.jwks(), clock: made.clock.now };
  /** What the service behind sees. */
  const behind = (hop: string, method = 'POST', target = '/v1') =>
    verifyHop({ method, url: target, headers: new Headers({ 'Postern-Identity': hop }) }, options);
  return { ...made, signed, bearer: { authorization: `Bearer ${token}` }, hopFor, options, behind };
}

describe('hopFor, in the handler of a guard of', () => {
  const need = { endpoint: 'summarizer' };
  const url = 'http://10.0.0.9:3000/v1?x=1';
  const to = { audience, method: 'POST', url };
  const ask = async (port: number, headers: Record<string, string>) =>
    (await fetch(`http://127.0.0.1:${port}/summarize`, { headers })).text();

  it('Express', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const app = express();
    app.get('/summarize', expressGuard(postern, need), async (request, response) => {
      response.send(await hopFor(request, to));
    });
    expect(await behind(await ask(await serve(app), bearer))).toMatchObject({ owner: 'ada', htm: 'POST' });
  });

  it('Fastify', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const app = fastify();
    onTestFinished(() => app.close());
    await app.register(posternPlugin, { postern });
    app.get('/summarize', { config: { requirement: need } }, (request) => hopFor(request, to));
    const answer = await app.inject({ url: '/summarize', headers: bearer });
    expect(await behind(answer.body)).toMatchObject({ owner: 'ada' });
  });

  it('node:http', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const handler = nodeGuard(postern, need, async (request, response) => response.end(await hopFor(request, to)));
    expect(await behind(await ask(await serve(handler), bearer))).toMatchObject({ owner: 'ada' });
  });

  it('fetch, and by default for the same call', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const handler = fetchGuard(postern, need, async (request) => new Response(await hopFor(request, { audience })));
    const answer = await handler(new Request('https://a.test/v1?x=1', { method: 'POST', headers: bearer }));
    const hop = await answer.text();
    expect(await behind(hop)).toMatchObject({ owner: 'ada', htu: 'https://a.test/v1' });
    expect(await behind(hop, 'GET')).toBeNull();
  });

  it('Hono', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const app = new Hono();
    app.get('/summarize', honoGuard(postern, need), async (context) => context.text(await hopFor(context.req.raw, to)));
    const answer = await app.request('/summarize', { headers: bearer });
    expect(await behind(await answer.text())).toMatchObject({ owner: 'ada' });
  });
});

describe('hopFor', () => {
  it('is empty for nobody', async () => {
    const { postern, bearer, hopFor, behind } = await world();
    const handler = fetchGuard(
      postern,
      { endpoint: 'open' },
      async (request) => new Response(await hopFor(request, { audience })),
    );
    const hop = await (await handler(new Request('https://a.test/v1', { headers: bearer }))).text();
    expect(hop).toBe('');
    expect(await behind(hop)).toBeNull();
  });

  it('refuses a request that no guard let through', async () => {
    const { bearer, hopFor } = await world();
    const request = new Request('https://a.test/v1', { headers: bearer });
    await expect(hopFor(request, { audience })).rejects.toMatchObject({ code: 'guard_missing' });
  });

  it('checks what it is given', async () => {
    const { postern, bearer, hopFor } = await world();
    const errors: unknown[] = [];
    const handler = fetchGuard(postern, { endpoint: 'summarizer' }, async (request) => {
      for (const options of [{}, { audience: '' }, { audience, url: '/v1' }, { audience, to: 'x' }]) {
        await hopFor(request, options as never).catch((error) => errors.push(error.code));
      }
      return new Response();
    });
    await handler(new Request('https://a.test/v1', { headers: bearer }));
    expect(errors).toEqual(['input_invalid', 'input_invalid', 'input_invalid', 'option_unknown']);
  });

  it('ends with its caller’s token', async () => {
    const { postern, token, clock, hopFor, behind } = await world();
    const brief = await token({ endpoints: ['summarizer'], expiresIn: '10s' });
    const handler = fetchGuard(
      postern,
      { endpoint: 'summarizer' },
      async (request) => new Response(await hopFor(request, { audience })),
    );
    const headers = { authorization: `Bearer ${brief}` };
    const hop = await (await handler(new Request('https://a.test/v1', { method: 'POST', headers }))).text();
    expect(await behind(hop)).toMatchObject({ exp: clock.now() / 1000 + 10 });
    clock.advance('16s');
    expect(await behind(hop)).toBeNull();
  });

  it('names of a long list of endpoints only the one that is called', async () => {
    const { postern, token, hopFor, behind } = await world();
    const many = await token({ endpoints: ['summarizer', ...Array.from({ length: 60 }, (_, i) => `other-${i}`)] });
    const handler = fetchGuard(
      postern,
      { endpoint: 'summarizer' },
      async (request) => new Response(await hopFor(request, { audience })),
    );
    const headers = { authorization: `Bearer ${many}` };
    const hop = await (await handler(new Request('https://a.test/v1', { method: 'POST', headers }))).text();
    expect(await behind(hop)).toMatchObject({ endpoints: ['summarizer'] });
  });

  it('takes keys of its own, and refuses keys that are not Ed25519', async () => {
    const { postern } = createTestPostern();
    const keys = await generateKeys({ alg: 'ES256' });
    expect(() => hops(postern, { issuer: ISSUER, keys })).toThrow(expect.objectContaining({ code: 'option_invalid' }));
    const own = hops(postern, { issuer: ISSUER, keys: await generateKeys() });
    expect((await own.jwks()).keys).toHaveLength(1);
    const answer = await own.jwksHandler(new Request('https://a.test/.well-known/jwks.json'));
    expect(await answer.json()).toEqual(await own.jwks());
  });
});

describe('verifyHop with keys at an address', () => {
  async function hopOf(
    keys: Awaited<ReturnType<typeof generateKeys>>,
    clock: ReturnType<typeof createTestPostern>['clock'],
  ) {
    const { postern, token } = createTestPostern({ clock });
    const bearer = await token({ endpoints: ['summarizer'] });
    const { hopFor, jwks } = hops(postern, { issuer: ISSUER, keys });
    const handler = fetchGuard(
      postern,
      { endpoint: 'summarizer' },
      async (request) => new Response(await hopFor(request, { audience })),
    );
    const request = new Request('https://a.test/v1', { headers: { authorization: `Bearer ${bearer}` } });
    return { hop: await (await handler(request)).text(), jwks };
  }

  it('fetches them once, again for a new key, and fails while they can not be read', async () => {
    const { clock } = createTestPostern();
    const [first, second] = [await generateKeys(), await generateKeys()];
    const old = await hopOf(first, clock);
    let served: unknown = await old.jwks();
    let fetched = 0;
    const options: VerifyHopOptions = {
      issuer: ISSUER,
      audience,
      jwks: 'https://auth.acme.test/jwks',
      clock: clock.now,
      fetch: async () => {
        fetched++;
        return served === null ? new Response(null, { status: 500 }) : Response.json(served);
      },
    };
    const verify = (hop: string) =>
      verifyHop({ method: 'GET', url: '/v1', headers: { 'postern-identity': hop } }, options);
    for (let i = 0; i < 3; i++) expect(await verify(old.hop)).not.toBeNull();
    expect(fetched).toBe(1);

    // At once: a hop lives for 30 seconds.
    const next = await hopOf([...second, ...first], clock);
    served = await next.jwks();
    expect(await verify(next.hop)).not.toBeNull();
    expect(fetched).toBe(2);

    served = null;
    clock.advance('2h');
    const late = await hopOf(second, clock);
    await expect(verify(late.hop)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

it('nothing else accepts a hop', async () => {
  const { postern, signed, bearer, hopFor } = await world();
  const { trustedIssuer } = await import('postern/jwt');
  const handler = fetchGuard(
    postern,
    { endpoint: 'summarizer' },
    async (request) => new Response(await hopFor(request, { audience: 'https://api.acme.test' })),
  );
  const hop = await (await handler(new Request('https://a.test/v1', { headers: bearer }))).text();
  const refusal = { ok: false, reason: 'token_unknown' };
  expect(await postern.authenticate(hop)).toEqual(refusal);
  await expect(signed.exchange(postern, hop)).rejects.toMatchObject({
    code: expect.stringMatching(/^(token_unknown|input_invalid)$/),
  });

  const jwks = await signed.jwks();
  const issuer = { issuer: ISSUER, audience: 'https://api.acme.test', jwks };
  const principal = () => ({ owner: null, types: { user: { endpoints: '*' as const } } });
  for (const authenticator of [accessTokens.verifier(issuer), trustedIssuer({ ...issuer, principal })]) {
    const other = createPostern({ store: memoryStore(), authenticators: [authenticator] });
    expect(await other.authenticate(hop)).toEqual(refusal);
  }
});
