import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { type InstrumentOptions, instrument } from 'postern/otel';
import { createTestPostern } from 'postern/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { followContext, telemetry } from './telemetry.js';

let stop: () => void;
beforeAll(() => {
  stop = followContext();
});
afterAll(() => stop());

const need = { endpoint: 'summarizer' } as const;

async function world(options: InstrumentOptions = {}) {
  const made = createTestPostern();
  const { token, record } = await made.issue({ endpoints: ['summarizer'] });
  const { providers, spans } = telemetry();
  instrument(made.postern, { ...providers, ...options });
  const call = (bearer: string = token) => made.postern.authorize({ token: bearer, requirement: need });
  return { ...made, providers, spans, call, record };
}

const childrenOf = (parent: ReadableSpan | undefined, spans: readonly ReadableSpan[]) =>
  spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent?.spanContext().spanId);

it('a decision that waits has a span under the active one, and its calls of the store have theirs under it', async () => {
  const { providers, spans, call } = await world();
  await providers.tracerProvider.getTracer('app').startActiveSpan('GET /summarizer', async (span) => {
    expect((await call()).allowed).toBe(true);
    span.end();
  });
  const root = spans().find(({ name }) => name === 'GET /summarizer');
  const [authorize, ...others] = childrenOf(root, spans());
  expect([authorize?.name, others]).toEqual(['postern.authorize', []]);
  expect(authorize?.attributes).toEqual({ 'postern.decision.outcome': 'allowed', 'postern.transport': 'direct' });
  expect(childrenOf(authorize, spans()).map(({ name, attributes }) => [name, attributes])).toEqual([
    ['postern.store.listEndpoints', { 'postern.store.operation': 'listEndpoints' }],
    ['postern.store.findTokenByDigest', { 'postern.store.operation': 'findTokenByDigest' }],
  ]);
});

it('a decision from memory has a span only where one is asked for', async () => {
  const quiet = await world();
  await quiet.call();
  const before = quiet.spans().length;
  await quiet.call();
  expect(quiet.spans().length).toBe(before);

  const { call, spans } = await world({ warmSpans: true });
  await call();
  await call();
  expect(spans().filter(({ name }) => name === 'postern.authorize')).toHaveLength(2);
});

it('a denial is no error of its span, and a fault is one', async () => {
  const { store, spans, call } = await world();
  const last = () => spans().findLast(({ name }) => name === 'postern.authorize');
  await call(await createTestPostern().token({ scopes: ['models:read'] }));
  expect(last()?.status.code).toBe(SpanStatusCode.UNSET);
  expect(last()?.attributes).toMatchObject({ 'postern.decision.reason': 'token_unknown' });
  store.failAll(new Error('connect postgres://app:hunter2@db/postern'));
  await call(await createTestPostern().token({ scopes: ['models:read'] }));
  expect(last()?.status).toEqual({ code: SpanStatusCode.ERROR });
  expect(last()?.attributes).toMatchObject({ 'postern.decision.outcome': 'fault', 'error.type': 'unavailable' });
  const failed = spans().findLast(({ name }) => name === 'postern.store.findTokenByDigest');
  expect(failed?.attributes).toMatchObject({ 'error.type': 'unavailable' });
});

it('ids of tokens, endpoints and organizations are named only where that is asked for', async () => {
  const { call, spans, record } = await world({ tokenIds: true, names: true });
  await call();
  expect(spans().find(({ name }) => name === 'postern.authorize')?.attributes).toMatchObject({
    'postern.token.id': record.id,
    'postern.endpoint.id': 'summarizer',
    'postern.organization.name': 'default',
  });
});

it('calls of the store outside any span have none', async () => {
  const { postern, spans } = await world();
  expect(trace.getActiveSpan()).toBeUndefined();
  await postern.tokens.list();
  expect(spans()).toEqual([]);
});
