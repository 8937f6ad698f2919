import { randomUUID } from 'node:crypto';
import { type MeterProvider, type Span, SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { memoryRateLimiter } from 'postern';
import { guard } from 'postern/fetch';
import { derive, generateKeys, hops } from 'postern/jwt';
import { instrument } from 'postern/otel';
import { createTestPostern } from 'postern/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTRIBUTES, METRICS, type MetricName } from '../../src/otel/metrics.js';
import { thrown } from '../support/outcomes.js';
import { followContext, telemetry } from './telemetry.js';

let stop: () => void;
beforeAll(() => {
  stop = followContext();
});
afterAll(() => stop());

/** Calls of every kind, with names that can be found again. */
async function traffic(providers: ReturnType<typeof telemetry>['providers'], calls = 1) {
  const world = createTestPostern({ rateLimiter: memoryRateLimiter() });
  const { close } = instrument(world.postern, { ...providers, warmSpans: true });
  const secrets: string[] = [];
  const names: string[] = [];
  const { hopFor } = hops(world.postern, { issuer: 'https://auth.test', keys: await generateKeys() });
  for (let call = 0; call < calls; call++) {
    const canary = `c${randomUUID()}`;
    const { token, record } = await world.issue({
      endpoints: [canary],
      organization: canary,
      owner: canary,
      name: canary,
      rateLimit: { points: 2, duration: '1m' },
    });
    const unlimited = await world.issue({ endpoints: [canary], organization: canary });
    const derived = await derive(unlimited.token, { expiresIn: '5m' });
    const requirement = { endpoint: canary, organization: canary };
    const guarded = guard(world.postern, requirement, async (request) => {
      return new Response(await hopFor(request, { audience: `${canary}/${canary}` }));
    });
    const ask = async (bearer: string) => {
      const answer = await guarded(
        new Request(`http://${canary}/`, { headers: { authorization: `Bearer ${bearer}` } }),
      );
      return answer.text();
    };
    for (const bearer of [token, token, token, derived, `${token}x`, canary]) {
      const hop = await ask(bearer);
      if (hop.startsWith('ey')) secrets.push(hop);
    }
    world.store.fail('findTokenByDigest', 'reject', new Error(`${canary} ${token}`));
    await ask((await createTestPostern().issue({ scopes: ['models:read'] })).token);
    world.store.mend();
    secrets.push(token, unlimited.token, derived);
    names.push(canary, record.id);
  }
  return { ...world, close, secrets, names };
}

it('no secret is in a metric or a span, and no name of a caller or a user', async () => {
  const { providers, exported } = telemetry();
  const { secrets, names } = await traffic(providers);
  const text = await exported();
  expect(text).toContain('postern.decisions');
  expect(text).toContain('postern.authorize');
  expect(secrets.length).toBeGreaterThan(4);
  expect([...secrets, ...names].filter((each) => text.includes(each))).toEqual([]);
});

it('with every switch on, spans name ids and names, metrics still none, and no secret is anywhere', async () => {
  const { providers, exported, series, spans } = telemetry();
  const world = createTestPostern();
  instrument(world.postern, { ...providers, tokenIds: true, names: true, warmSpans: true });
  const { token, record } = await world.issue({ endpoints: ['canary-endpoint'], organization: 'canary-tenant' });
  const requirement = { endpoint: 'canary-endpoint', organization: 'canary-tenant' };
  for (let call = 0; call < 2; call++) await world.postern.authorize({ token, requirement });
  expect(spans().filter(({ attributes }) => attributes['postern.token.id'] === record.id)).toHaveLength(2);
  const metrics = JSON.stringify(await series());
  expect([record.id, 'canary'].filter((each) => metrics.includes(each))).toEqual([]);
  expect(await exported()).not.toContain(token);
});

it('labels are bounded: more callers make no more series', async () => {
  const few = telemetry();
  await traffic(few.providers, 1);
  const many = telemetry();
  await traffic(many.providers, 12);
  const shapes = async ({ series }: ReturnType<typeof telemetry>) =>
    (await series()).map(({ name, attributes }) => JSON.stringify([name, attributes])).toSorted();
  expect(await shapes(many)).toEqual(await shapes(few));
  for (const { name, attributes } of await many.series()) {
    const declared: readonly string[] = METRICS[name as MetricName].attributes;
    expect(Object.keys(attributes).filter((each) => !declared.includes(each))).toEqual([]);
  }
});

it('every attribute is of a metric, and every metric has described ones', () => {
  const used = Object.values(METRICS).flatMap(({ attributes }) => [...attributes]);
  expect([...new Set<string>(used)].toSorted()).toEqual(Object.keys(ATTRIBUTES).toSorted());
});

describe('close', () => {
  it('ends metrics and spans, and can be called twice', async () => {
    const { providers, series, spans } = telemetry();
    const { postern, token, ...world } = await createWorld(providers);
    world.close();
    world.close();
    const before = [await series(), spans().length];
    await postern.authorize({ token, requirement: { scope: 'models:read' } });
    const silent = (await series()).filter(({ name }) => name !== 'postern.lease.count');
    expect([silent, spans().length]).toEqual(before);
  });

  it('of one that was closed before ends no later one', async () => {
    const first = telemetry();
    const { postern, token, close } = await createWorld(first.providers);
    close();
    const second = telemetry();
    instrument(postern, second.providers);
    close();
    await postern.authorize({ token, requirement: { scope: 'models:read' } });
    expect(await second.value('postern.decisions')).toBe(1);
    expect(await first.value('postern.decisions')).toBe(0);
  });
});

it('an instance is instrumented once', async () => {
  const { providers, value } = telemetry();
  const { postern, token } = await createWorld(providers);
  expect(thrown(() => instrument(postern, providers))).toMatchObject({ code: 'input_invalid', path: 'postern' });
  await postern.authorize({ token, requirement: { scope: 'models:read' } });
  expect(await value('postern.decisions')).toBe(1);
});

it('wrong options, and what is no instance, are refused', () => {
  const { postern } = createTestPostern();
  const given = (options: object) => thrown(() => instrument(postern, options)).code;
  expect(given({ tokenId: true })).toBe('option_unknown');
  expect(given({ meterProvider: {} })).toBe('option_invalid');
  expect(given({ tracerProvider: 'console' })).toBe('option_invalid');
  expect(thrown(() => instrument({} as never)).code).toBe('input_invalid');
});

const boom = (): never => {
  throw new Error('telemetry is broken');
};
const everything = new Proxy({}, { get: () => boom });

describe('telemetry that throws changes no decision:', () => {
  const spanThatThrows = new Proxy({ spanContext: boom } as unknown as Span, { get: () => boom });
  const cases = {
    'a meter whose instruments throw': {
      meterProvider: { getMeter: () => new Proxy({}, { get: () => () => everything }) } as unknown as MeterProvider,
    },
    'a meter that throws': { meterProvider: { getMeter: () => everything } as unknown as MeterProvider },
    'a tracer that throws': { tracerProvider: { getTracer: () => everything } as never },
    'spans that throw': { tracerProvider: { getTracer: () => ({ startSpan: () => spanThatThrows }) } as never },
    'a processor of spans that throws': {
      tracerProvider: new BasicTracerProvider({
        spanProcessors: [{ onStart: boom, onEnd: boom, forceFlush: async () => {}, shutdown: async () => {} }],
      }),
    },
  };

  it.each(Object.entries(cases))('%s', async (_, broken) => {
    const { providers } = telemetry();
    const { postern, store, token, close } = await createWorld({ ...providers, ...broken });
    const need = { scope: 'models:read' } as const;
    const reads = store.count('findTokenByDigest');
    await telemetry()
      .providers.tracerProvider.getTracer('app')
      .startActiveSpan('x', { kind: SpanKind.SERVER }, async () => {
        for (let call = 0; call < 2; call++)
          expect((await postern.authorize({ token, requirement: need })).allowed).toBe(true);
        expect(await postern.authorize({ token, requirement: { scope: 'iam:write' } })).toMatchObject({
          allowed: false,
        });
      });
    // The work is done once, whatever fails around it.
    expect(store.count('findTokenByDigest') - reads).toBe(1);
    store.failAll();
    const unknown = await createTestPostern().token({ scopes: ['models:read'] });
    expect(await postern.authorize({ token: unknown, requirement: need })).toMatchObject({ reason: 'unavailable' });
    close();
  });
});

async function createWorld(providers: Parameters<typeof instrument>[1] & object) {
  const { postern, store, token: make } = createTestPostern();
  const token = await make({ scopes: ['models:read'] });
  return { postern, store, token, ...instrument(postern, { warmSpans: true, ...providers }) };
}
