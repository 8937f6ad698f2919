import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryRateLimiter } from 'postern';
import { guard, leaseOf } from 'postern/fetch';
import { generateKeys, hops } from 'postern/jwt';
import { instrument } from 'postern/otel';
import { sqliteStore } from 'postern/stores/sqlite';
import { createTestPostern, type TestPosternOptions } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { METRICS } from '../../src/otel/metrics.js';
import { primaryWithReplicas } from '../stores/lagging-replica.js';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';
import { telemetry } from './telemetry.js';

function world(options: TestPosternOptions = {}) {
  const seen = telemetry();
  const made = createTestPostern({ rateLimiter: memoryRateLimiter(), ...options });
  const instrumentation = instrument(made.postern, seen.providers);
  const read = { scope: 'models:read' } as const;
  return { ...made, ...seen, ...instrumentation, read };
}

const DECISIONS = 'postern.decisions';
const of = (outcome: string, reason?: string) => ({
  'postern.decision.outcome': outcome,
  ...(reason && { 'postern.decision.reason': reason }),
});

describe('decisions', () => {
  it('are counted by outcome and reason', async () => {
    const { postern, store, token, read, value } = world();
    const bearer = await token({ scopes: ['models:read'] });
    await postern.authorize({ token: bearer, requirement: read });
    await postern.authorize({ token: bearer, requirement: { scope: 'models:write' } });
    await postern.authorize({ requirement: read });
    store.failAll();
    await postern.authorize({ token: await unknownToken(), requirement: read });
    expect(await value(DECISIONS)).toBe(4);
    expect(await value(DECISIONS, of('allowed'))).toBe(1);
    expect(await value(DECISIONS, of('denied', 'scope_missing'))).toBe(1);
    expect(await value(DECISIONS, of('denied', 'token_missing'))).toBe(1);
    expect(await value(DECISIONS, of('fault', 'unavailable'))).toBe(1);
    expect(await value('postern.faults', { 'postern.fault.during': 'decision' })).toBe(1);
  });

  it('of the warm and of the cold path are timed apart', async () => {
    const { postern, token, read, value } = world();
    const bearer = await token({ scopes: ['models:read'] });
    for (let call = 0; call < 3; call++) await postern.authorize({ token: bearer, requirement: read });
    const took = 'postern.verification.duration';
    expect(await value(took, { 'postern.verification.path': 'cold' })).toBe(1);
    expect(await value(took, { 'postern.verification.path': 'warm' })).toBe(2);
  });

  it('that a guard asks for twice, for want of facts, are counted once', async () => {
    const { postern, token, value } = world();
    const bearer = await token({ endpoints: ['summarizer'], rateLimit: { points: 9, duration: '1m' } });
    const guarded = guard(postern, { endpoint: 'summarizer' }, () => new Response('ok'));
    const call = () => guarded(new Request('http://x', { headers: { authorization: `Bearer ${bearer}` } }));
    await call();
    await call();
    expect(await value(DECISIONS)).toBe(2);
    const cache = 'postern.cache.requests';
    for (const name of ['token', 'endpoint']) {
      const counted = (type: string) =>
        value(cache, { 'postern.cache.name': name, 'postern.cache.request.type': type });
      expect([name, await counted('miss'), await counted('hit')]).toEqual([name, 1, 1]);
    }
  });
});

it('calls of the store are timed by method, and those that failed by their code', async () => {
  const { postern, store, token, read, value } = world();
  const bearer = await token({ scopes: ['models:read'] });
  await postern.authorize({ token: bearer, requirement: read });
  store.fail('findTokenByDigest', 'reject');
  await postern.authorize({ token: await unknownToken(), requirement: read });
  const took = 'postern.store.operation.duration';
  const found = { 'postern.store.operation': 'findTokenByDigest' };
  expect(await value(took, found)).toBe(2);
  expect(await value(took, { ...found, 'error.type': 'unavailable' })).toBe(1);
  expect(await value(took, { 'postern.store.operation': 'insertTokens' })).toBe(1);
});

it('charges of limits are timed by their outcome', async () => {
  const limiter = memoryRateLimiter();
  let fails = false;
  const { postern, token, read, value } = world({
    rateLimiter: {
      ...limiter,
      consume: (...call) => (fails ? Promise.reject(new Error('down')) : limiter.consume(...call)),
    },
    onLimiterFault: 'allow',
  });
  const bearer = await token({ scopes: ['models:read'], rateLimit: { points: 1, duration: '1m' } });
  const call = () => postern.authorize({ token: bearer, requirement: read });
  expect([(await call()).allowed, (await call()).allowed]).toEqual([true, false]);
  fails = true;
  expect((await call()).allowed).toBe(true);
  const took = 'postern.limiter.charge.duration';
  for (const outcome of ['charged', 'refused', 'fault']) {
    expect([outcome, await value(took, { 'postern.limiter.outcome': outcome })]).toEqual([outcome, 1]);
  }
  expect(await value('postern.faults', { 'postern.fault.during': 'limiter' })).toBe(1);
});

it('open leases are counted while they are open', async () => {
  const { postern, token, read, value } = world();
  const bearer = await token({ scopes: ['models:read'] });
  const leases: { close(): void }[] = [];
  const guarded = guard(postern, read, (request) => {
    leases.push(leaseOf(request));
    return new Response('ok');
  });
  expect(await value('postern.lease.count')).toBe(0);
  await guarded(new Request('http://x', { headers: { authorization: `Bearer ${bearer}` } }));
  expect(await value('postern.lease.count')).toBe(1);
  leases[0]?.close();
  expect(await value('postern.lease.count')).toBe(0);
});

it('a decision that ends an open stream is counted', async () => {
  const { postern, issue, read, value } = world();
  const { token, record } = await issue({ scopes: ['models:read'] });
  await postern.authorize({ token, requirement: read });
  const ended = new Promise((resolve) =>
    leasesOf(postern).open({ token, requirement: read, transport: 'fetch' }, resolve),
  );
  await postern.tokens.revoke(record.id);
  await ended;
  expect(await value(DECISIONS, { ...of('denied', 'token_revoked'), 'postern.transport': 'fetch' })).toBe(1);
});

it('reads of a store with a replica are counted by their answer, and its lag is told', async () => {
  const { aProcess, aReplica } = primaryWithReplicas();
  const { providers, value } = telemetry();
  const { postern, store } = aProcess(aReplica());
  const { close } = instrument(postern, providers);
  expect(await value('postern.reader.lag')).toBe(0);
  const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
  await postern.authenticate(token);
  const reads = (answer: string) => value('postern.reader.reads', { 'postern.reader.answer': answer });
  expect([await reads('unused'), await reads('replica')]).toEqual([1, 0]);
  await eventually(async () => expect(store.mirror?.lag).not.toBeNull());
  expect(await value('postern.reader.lag')).toBeGreaterThan(0);
  close();
});

it('hops are counted, apart those that were signed before', async () => {
  const { postern, token, read, value } = world();
  const { hopFor } = hops(postern, { issuer: 'https://auth.test', keys: await generateKeys() });
  const guarded = guard(postern, read, async (request) => new Response(await hopFor(request, { audience: 'a/b' })));
  const bearer = await token({ scopes: ['models:read'] });
  const call = () => guarded(new Request('http://x/', { headers: { authorization: `Bearer ${bearer}` } }));
  await call();
  await call();
  expect(await value('postern.hops', { 'postern.hop.origin': 'signed' })).toBe(1);
  expect(await value('postern.hops', { 'postern.hop.origin': 'reused' })).toBe(1);
});

it('the feed tells how late another process was heard', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-otel-'));
  const store = () => sqliteStore({ filename: join(directory, 'postern.db') });
  const here = world({ store: store() });
  const there = createTestPostern({ store: store(), clock: here.clock });
  onTestFinished(async () => {
    await here.postern.close();
    await there.postern.close();
    rmSync(directory, { recursive: true });
  });
  const { record } = await here.issue({ scopes: ['models:read'] });
  await here.postern.tokens.update(record.id, { name: 'an own change is no lag' });
  expect(await here.value('postern.feed.lag')).toBe(0);
  await there.postern.tokens.revoke(record.id);
  await eventually(async () => expect(await here.value('postern.feed.lag')).toBe(1));
});

it('the feed is shown as lost and as found', async () => {
  const told: ((invalidation: { kind: 'lost'; error: unknown } | { kind: 'restored' }) => void)[] = [];
  const { store: inner } = createTestPostern();
  const { value, series } = world({
    store: {
      ...inner,
      subscribe(listener) {
        told.push(listener);
        return () => {};
      },
    },
  });
  const known = async () => (await series()).some(({ name }) => name === 'postern.feed.connected');
  expect(await known()).toBe(false);
  told[0]?.({ kind: 'restored' });
  expect(await value('postern.feed.connected')).toBe(1);
  told[0]?.({ kind: 'lost', error: new Error('cut') });
  expect(await known()).toBe(true);
  expect(await value('postern.feed.connected')).toBe(0);
  expect(await value('postern.faults', { 'postern.fault.during': 'feed' })).toBe(1);
});

it('units are those of the semantic conventions, and every time has buckets', () => {
  for (const [name, metric] of Object.entries(METRICS)) {
    expect(name).toMatch(/^postern(\.[a-z]+)+$/);
    if (metric.kind === 'histogram') expect([name, metric.unit, metric.buckets.length > 5]).toEqual([name, 's', true]);
    else expect(metric.unit).toMatch(metric.kind === 'gauge' ? /^(s|\{[a-z]+\})?$/ : /^(\{[a-z]+\})?$/);
  }
});

/** The text of a token of another instance: of the right form, and not known here. */
async function unknownToken(): Promise<string> {
  return createTestPostern().token({ scopes: ['models:read'] });
}
