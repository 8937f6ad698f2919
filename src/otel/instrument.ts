import { type MeterProvider, metrics, type Span, type TracerProvider, trace } from '@opentelemetry/api';
import * as z from 'zod';
import { check } from '../base/check.js';
import { elapsed } from '../base/runtime.js';
import type { Decision } from '../domain/decision.js';
import type { TokenTypes } from '../domain/token-types.js';
import { TRANSPORTS } from '../domain/transport.js';
import { VERSION } from '../domain/version.js';
import type { Postern } from '../instance/create-postern.js';
import { internalsOf } from '../instance/internals.js';
import type { ObservedCall, Observer } from '../ports/observer.js';
import { Instruments } from './instruments.js';
import { quietly } from './quietly.js';
import { errorType, failed, inSpan } from './spans.js';

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** Default: the one that is registered with `@opentelemetry/api` when `instrument` is called. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Default: the one that is registered with `@opentelemetry/api`, also later. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Spans name the id of the token (`postern.token.id`), never the token. Default `false`. */
  readonly tokenIds?: boolean | undefined;
  /** Spans name endpoint and organization (`postern.endpoint.id`, `postern.organization.name`). Default `false`. */
  readonly names?: boolean | undefined;
  /** A span for each decision, also for those from memory. Default `false`: only for those that had to wait. */
  readonly warmSpans?: boolean | undefined;
}

/** An instance that is observed. */
export interface Instrumentation {
  /** Ends it. Metrics get no further values. Idempotent. */
  close(): void;
}

const provider = <P>(method: string) =>
  z.custom<P>((value) => typeof (value as Record<string, unknown> | null)?.[method] === 'function', {
    error: `give a provider of OpenTelemetry, which has ${method}()`,
  });

const schema = z.strictObject({
  meterProvider: provider<MeterProvider>('getMeter').optional(),
  tracerProvider: provider<TracerProvider>('getTracer').optional(),
  tokenIds: z.boolean().default(false),
  names: z.boolean().default(false),
  warmSpans: z.boolean().default(false),
});

const SCOPE = 'postern';
const KNOWN: ReadonlySet<string> = new Set(TRANSPORTS);

/**
 * Metrics and spans of an instance, through the OpenTelemetry API. Attributes of metrics have few values. No secret is in a metric
 * or a span. What fails in the telemetry changes no decision.
 *
 * @example
 * const { close } = instrument(postern, { meterProvider });
 * @throws PosternError `input_invalid` if `postern` is no instance, or is instrumented already; `option_invalid`, `option_unknown`
 */
export function instrument<T extends TokenTypes>(
  postern: Postern<T>,
  options: InstrumentOptions = {},
): Instrumentation {
  const given = check(schema, options, 'instrument', 'option_invalid');
  const { ground, holding } = internalsOf(postern);
  const { events, settings } = ground;
  const instruments = new Instruments((given.meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE, VERSION));
  const tracer = (given.tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE, VERSION);
  let connected: boolean | null = null;

  function describe(span: Span, decision: Decision, call: ObservedCall | null): void {
    span.setAttributes({ ...outcomeOf(decision), 'postern.transport': transportOf(call?.transport ?? null) });
    if (isFault(decision)) failed(span, decision.reason);
    const principal = decision.allowed ? decision.principal : call?.knownHolder?.principal;
    if (given.tokenIds && principal?.tokenId) span.setAttribute('postern.token.id', principal.tokenId);
    if (!given.names) return;
    const organization = call?.organization ?? principal?.organization;
    if (call?.endpoint) span.setAttribute('postern.endpoint.id', call.endpoint.id);
    if (organization) span.setAttribute('postern.organization.name', organization);
  }

  const observer: Observer = {
    decided(decision, call, transport) {
      quietly(() => {
        instruments.count('postern.decisions', {
          'postern.transport': transportOf(transport),
          ...outcomeOf(decision),
        });
        if (call === null || call.began === 0) return;
        const path = call.awaited.length === 0 ? 'warm' : 'cold';
        const took = elapsed() - call.began;
        instruments.time('postern.verification.duration', took, { 'postern.verification.path': path });
        for (const [cache, type] of cachesOf(call)) {
          instruments.count('postern.cache.requests', {
            'postern.cache.name': cache,
            'postern.cache.request.type': type,
          });
        }
        if (path === 'cold' || !given.warmSpans) return;
        const span = tracer.startSpan(VERIFICATION, { startTime: Date.now() - took });
        describe(span, decision, call);
        span.end();
      });
    },
    verify: (work) =>
      inSpan(tracer, VERIFICATION, {}, work, (span, { decision, call }) => describe(span, decision, call)),
    async store(operation, work) {
      const began = elapsed();
      const done = (error: Partial<Record<'error.type', string>> = {}) =>
        quietly(() => {
          const attributes = { 'postern.store.operation': operation, ...error };
          instruments.time('postern.store.operation.duration', elapsed() - began, attributes);
        });
      try {
        // A trace of its own would tell nobody anything: a flush of uses, say.
        const result = await (quietly(() => trace.getActiveSpan()) === undefined
          ? work()
          : inSpan(tracer, `postern.store.${operation}`, { 'postern.store.operation': operation }, work));
        done();
        return result;
      } catch (error) {
        done({ 'error.type': errorType(error) });
        throw error;
      }
    },
    async charge(work) {
      const began = elapsed();
      const result = await work();
      const outcome =
        result === null ? 'fault' : !('reason' in result) ? 'charged' : isFault(result) ? 'fault' : 'refused';
      const attributes = { 'postern.limiter.outcome': outcome };
      quietly(() => instruments.time('postern.limiter.charge.duration', elapsed() - began, attributes));
      return result;
    },
    fault(during) {
      quietly(() => instruments.count('postern.faults', { 'postern.fault.during': during }));
    },
    feed(now) {
      connected = now;
    },
    heard(at) {
      quietly(() => instruments.time('postern.feed.lag', settings.clock() - at, {}));
    },
    mirrored(by) {
      quietly(() => instruments.count('postern.reader.reads', { 'postern.reader.answer': by }));
    },
    hop(reused) {
      quietly(() => instruments.count('postern.hops', { 'postern.hop.origin': reused ? 'reused' : 'signed' }));
    },
  };

  const stop = events.observe(observer);
  quietly(() => {
    instruments.watch('postern.lease.count', () => holding.leases?.count().leases ?? 0);
    instruments.watch('postern.reader.lag', () => {
      const lag = ground.store.mirror?.lag ?? null;
      return lag === null ? null : lag / 1000;
    });
    instruments.watch('postern.feed.connected', () => (connected === null ? null : Number(connected)));
  });
  return Object.freeze({
    close() {
      stop();
      quietly(() => instruments.close());
    },
  });
}

const VERIFICATION = 'postern.authorize';

function outcomeOf(decision: Decision) {
  return decision.allowed
    ? { 'postern.decision.outcome': 'allowed' }
    : {
        'postern.decision.outcome': isFault(decision) ? 'fault' : 'denied',
        'postern.decision.reason': decision.reason,
      };
}

function isFault(decision: Decision): decision is Extract<Decision, { allowed: false }> {
  return !decision.allowed && (decision.reason === 'unavailable' || decision.reason === 'internal_error');
}

/** The application can name anything in its own attempt. */
function transportOf(transport: string | null): string {
  if (transport === null) return 'direct';
  return KNOWN.has(transport) ? transport : '_OTHER';
}

/** The caches that a call asked, and how they answered. */
function cachesOf({ credential, endpoint, awaited }: ObservedCall): readonly (readonly [string, string])[] {
  const asked: [string, string][] = [];
  if (typeof credential === 'object') asked.push(['token', awaited.includes('holder') ? 'miss' : 'hit']);
  if (awaited.includes('endpoint')) asked.push(['endpoint', 'miss']);
  else if (endpoint !== undefined) asked.push(['endpoint', 'hit']);
  return asked;
}
