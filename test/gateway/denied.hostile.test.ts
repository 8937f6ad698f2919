import { memoryRateLimiter } from 'postern';
import { createGateway, endpointFromHeader } from 'postern/gateway';
import { accessTokens, dpopProof, generateKeys } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { forwarded, ISSUER, PROXY } from './world.js';

const API = 'https://api.acme.test';
const REPLAYED = [401, 'proof_invalid'];

/** A gateway, and a token that is bound to a key and reaches `summarizer` alone. */
async function world() {
  const signed = accessTokens({ issuer: ISSUER, audience: API, keys: await generateKeys() });
  const made = createTestPostern({
    organization: 'acme',
    rateLimiter: memoryRateLimiter(),
    authenticators: [signed],
  });
  for (const id of ['summarizer', 'translator']) await made.postern.endpoints.create({ id, access: 'protected' });
  const gateway = createGateway(made.postern, {
    requirement: endpointFromHeader('x-endpoint'),
    trustedProxies: [PROXY],
  });
  const [key, stranger] = [await generateKeys({ alg: 'ES256' }), await generateKeys({ alg: 'ES256' })].map(
    ([each]) => each,
  );
  const { d: _, ...dpopKey } = key as unknown as Record<string, unknown>;
  const token = await made.token({ endpoints: ['summarizer'] });
  const { accessToken } = await signed.exchange(made.postern, token, { dpopKey });
  const proof = (path: string, by = key) =>
    dpopProof({ accessToken, method: 'GET', url: `${API}${path}`, key: { ...by }, clock: made.clock.now });
  const asker = { address: PROXY };
  const seen = async (answer: Promise<Response>) => {
    const { status, headers, body } = await answer.then(async (each) => ({
      status: each.status,
      headers: each.headers,
      body: await each.text(),
    }));
    return { outcome: [status, body === '' ? null : JSON.parse(body).code], headers };
  };
  const question = (endpoint: string, dpop: string) =>
    forwarded({ uri: `/${endpoint}`, headers: { 'x-endpoint': endpoint, authorization: `DPoP ${accessToken}`, dpop } });
  return {
    ...made,
    stranger,
    proof,
    fetch: async (endpoint: string, dpop: string) =>
      (await seen(gateway.fetch(question(endpoint, dpop), asker))).outcome,
    denied: async (endpoint: string, dpop: string) =>
      (await seen(gateway.denied(question(endpoint, dpop), asker))).outcome,
    ask: (request: Request) => seen(gateway.fetch(request, asker)),
    askAgain: (request: Request) => seen(gateway.denied(request, asker)),
  };
}

describe('the error page for a call with a proof of possession', () => {
  it('has the refusal of the call, which used the proof up', async () => {
    const { proof, fetch, denied } = await world();
    const dpop = await proof('/translator');
    expect(await fetch('translator', dpop)).toEqual([403, 'endpoint_not_granted']);
    expect(await denied('translator', dpop)).toEqual([403, 'endpoint_not_granted']);
    expect(await fetch('translator', dpop)).toEqual(REPLAYED);
  });

  it('refuses a replay as one', async () => {
    const { proof, fetch, denied } = await world();
    const dpop = await proof('/summarizer');
    expect(await fetch('summarizer', dpop)).toEqual([200, null]);
    for (let i = 0; i < 2; i++) {
      expect(await fetch('summarizer', dpop)).toEqual(REPLAYED);
      expect(await denied('summarizer', dpop)).toEqual(REPLAYED);
    }
  });

  it('never lets a call through, and uses up no proof', async () => {
    const { proof, fetch, denied } = await world();
    const dpop = await proof('/summarizer');
    expect(await denied('summarizer', dpop)).toEqual(REPLAYED);
    expect(await fetch('summarizer', dpop)).toEqual([200, null]);
  });

  it('tells nothing more of a token to a caller without its key', async () => {
    const { proof, stranger, fetch, denied } = await world();
    const dpop = await proof('/translator', stranger);
    expect(await fetch('translator', dpop)).toEqual(REPLAYED);
    expect(await denied('translator', dpop)).toEqual(REPLAYED);
    const other = await proof('/summarizer');
    expect(await fetch('translator', other)).toEqual(REPLAYED);
    expect(await denied('translator', other)).toEqual(REPLAYED);
  });
});

it('the error page charges nothing, and shows a limit that is used up', async () => {
  const { token, ask, askAgain } = await world();
  const limited = await token({ endpoints: ['summarizer'], rateLimit: { points: 2, duration: '1d' } });
  const question = () => forwarded({ token: limited, headers: { 'x-endpoint': 'summarizer' } });
  expect((await askAgain(question())).outcome).toEqual([503, 'unavailable']);
  expect((await ask(question())).outcome).toEqual([200, null]);
  expect((await askAgain(question())).outcome).toEqual([503, 'unavailable']);
  expect((await ask(question())).outcome).toEqual([200, null]);
  const [refusal, page] = [await ask(question()), await askAgain(question())];
  expect(refusal.outcome).toEqual([429, 'rate_limited']);
  expect(page.outcome).toEqual([429, 'rate_limited']);
  expect(page.headers.get('retry-after')).toBe(refusal.headers.get('retry-after'));
});

it('the error page tells the operator nothing a second time', async () => {
  const { ask, askAgain, events } = await world();
  const question = () => forwarded({ token: 'pst_nothing', headers: { 'x-endpoint': 'summarizer' } });
  await ask(question());
  const before = events.length;
  await askAgain(question());
  expect(before).toBeGreaterThan(0);
  expect(events).toHaveLength(before);
});
