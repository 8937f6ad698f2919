import { createServer } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { DescMethod, DescMethodServerStreaming, DescMethodUnary } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createClient,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import { type DenialReason, memoryRateLimiter } from 'postern';
import { type ConnectGuardOptions, type ConnectRequirements, guard, lintRoutes, principalOf } from 'postern/connect';
import { createTestPostern } from 'postern/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { thrown } from '../support/outcomes.js';
import { CASES } from './cases.js';
import { serviceOf } from './connect-service.js';
import { TARGETS } from './targets.js';
import { createWorld, type World } from './world.js';

/** The gRPC column of docs/contract.md, written down once more. */
const EXPECTED: Readonly<Record<DenialReason, Code>> = {
  token_missing: Code.Unauthenticated,
  token_malformed: Code.Unauthenticated,
  token_unknown: Code.Unauthenticated,
  token_expired: Code.Unauthenticated,
  token_revoked: Code.Unauthenticated,
  proof_invalid: Code.Unauthenticated,
  scope_missing: Code.PermissionDenied,
  endpoint_not_granted: Code.PermissionDenied,
  endpoint_unknown: Code.NotFound,
  endpoint_private: Code.NotFound,
  requirement_missing: Code.PermissionDenied,
  rate_limited: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  internal_error: Code.Internal,
};

/** A name as protobuf has them. */
const nameOf = (target: string) => target.replaceAll('-', '_');

const DECLARED: ConnectRequirements = {
  ...Object.fromEntries(
    Object.entries(TARGETS).map(([target, requirement]) => [`/table.Table/${nameOf(target)}`, requirement]),
  ),
  '/table.Table/throws': () => {
    throw new Error('secret detail');
  },
  '/table.Table/rejects': () => Promise.reject(new Error('secret detail')),
  '/table.Table/unknown_scope': () => ({ scope: 'nothing:here' as never }),
};
const METHODS = [...Object.keys(DECLARED).map((path) => path.slice('/table.Table/'.length)), 'undeclared'];

/** Each method twice: unary, and streaming its answer. */
const SERVICE = serviceOf(METHODS.flatMap((name) => [name, `stream_${name}`]));
const methodOf = (name: string) => SERVICE.methods.find((each) => each.name === name) as DescMethod;
const WITH_STREAMS: ConnectRequirements = {
  ...DECLARED,
  ...Object.fromEntries(
    Object.entries(DECLARED).map(([path, each]) => [path.replace('Table/', 'Table/stream_'), each]),
  ),
};

const TRANSPORTS = {
  connect: { make: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' }), http2: false },
  'gRPC-web': { make: (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }), http2: false },
  gRPC: { make: (baseUrl: string) => createGrpcTransport({ baseUrl }), http2: true },
} as const;
type Protocol = keyof typeof TRANSPORTS;

interface Running {
  readonly baseUrl: string;
  close(): void;
}

async function start(
  options: Omit<Parameters<typeof connectNodeAdapter>[0], 'routes'>,
  protocol: Protocol,
  reached: (principal: unknown) => void,
): Promise<Running> {
  const routes = (router: ConnectRouter) => {
    for (const method of SERVICE.methods) {
      if (method.methodKind === 'unary') {
        router.rpc(method as DescMethodUnary, (_request: unknown, context: HandlerContext) => {
          reached(principalOf(context));
          return { value: 'reached' };
        });
      } else if (method.methodKind === 'server_streaming') {
        router.rpc(method as DescMethodServerStreaming, async function* (_request: unknown, context: HandlerContext) {
          reached(principalOf(context));
          yield { value: 'reached' };
        });
      }
    }
    return router;
  };
  const adapter = connectNodeAdapter({ ...options, routes });
  const server = TRANSPORTS[protocol].http2 ? createHttp2(adapter) : createServer(adapter);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** Calls a method, and has what came of it: the values, or the error. */
async function call(running: Running, protocol: Protocol, target: string, headers: Record<string, string> = {}) {
  const client = createClient(SERVICE, TRANSPORTS[protocol].make(running.baseUrl)) as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  const answers: unknown[] = [];
  const name = nameOf(target);
  try {
    const answer = client[methodOf(name).localName]?.({ value: 'x' }, { headers });
    if (methodOf(name).methodKind === 'unary') answers.push(((await answer) as { value: string }).value);
    else for await (const each of answer as AsyncIterable<{ value: string }>) answers.push(each.value);
    return answers;
  } catch (error) {
    return ConnectError.from(error);
  }
}

describe.each(['gate', 'interceptor'])('guard of postern/connect as %s', (mode) => {
  describe.each(Object.keys(TRANSPORTS) as Protocol[])('%s', (protocol) => {
    let world: World;
    let outside: Running;
    let inside: Running;
    let reached: unknown[] = [];

    beforeAll(async () => {
      world = await createWorld();
      const startAt = (options: ConnectGuardOptions) => {
        const guarded = guard(world.postern, WITH_STREAMS, options);
        const gate = mode === 'gate' ? { requestGate: guarded.requestGate } : {};
        return start({ interceptors: [guarded], ...gate }, protocol, (principal) => reached.push(principal));
      };
      outside = await startAt({});
      inside = await startAt({ zone: 'internal' });
    });
    afterAll(() => {
      outside.close();
      inside.close();
    });
    afterEach(() => {
      world.storeIsDown(false);
      reached = [];
    });

    const cases = CASES.filter(({ notOver }) => !notOver?.includes('grpc'));
    describe.each(['', 'stream_'])('%s', (form) => {
      it.each(cases)('$name: $expected', async (each) => {
        const value = each.authorization(world.tokens);
        world.storeIsDown(each.storeDown === true);
        const headers = typeof value === 'string' ? { authorization: value } : undefined;
        const outcome = await call(each.inside ? inside : outside, protocol, form + each.target, headers);
        if (each.expected === 'allowed') {
          expect(outcome).toEqual(['reached']);
          const anyone = ['status', 'metrics', 'open'].includes(each.target);
          expect(reached).toEqual([anyone ? null : expect.objectContaining({ owner: 'user' })]);
          return;
        }
        expect(outcome).toBeInstanceOf(ConnectError);
        const error = outcome as ConnectError;
        expect(error.code).toBe(EXPECTED[each.expected]);
        expect(error.rawMessage).not.toMatch(/secret|ECONN|nothing:here/);
        expect(error.metadata.has('www-authenticate')).toBe(
          error.code === Code.Unauthenticated || ['scope_missing', 'endpoint_not_granted'].includes(each.expected),
        );
        expect(reached).toEqual([]);
      });
    });
  });
});

describe('guard of postern/connect', () => {
  async function started(
    make: (options?: ConnectGuardOptions) => ReturnType<typeof guard>,
    options: object = {},
    guardOptions?: ConnectGuardOptions,
  ) {
    const guarded = make(guardOptions);
    const running = await start({ interceptors: [guarded], ...options }, 'connect', () => {});
    onTestFinished(() => running.close());
    return { guarded, ...running };
  }

  it('decides by the gate before a message is decoded', async () => {
    const { postern } = createTestPostern();
    const guarded = guard(postern, { '/table.Table/': { authenticated: true } });
    const answers: unknown[] = [];
    for (const options of [{ requestGate: guarded.requestGate }, {}]) {
      const { baseUrl } = await started(() => guarded, options);
      const answer = await fetch(`${baseUrl}/table.Table/anyone`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{ this is no JSON',
      });
      answers.push([answer.status, answer.headers.get('www-authenticate')]);
      await answer.arrayBuffer();
    }
    expect(answers).toEqual([
      [401, 'Bearer realm="postern"'],
      [400, null],
    ]);
  });

  it('decides each call alone where the application gives all calls the same values', async () => {
    const { postern, token } = createTestPostern();
    const values = createContextValues();
    const guarded = guard(postern, { '/table.Table/': { authenticated: true } });
    const running = await started(() => guarded, { requestGate: guarded.requestGate, contextValues: () => values });
    const authorization = `Bearer ${await token({ scopes: ['models:read'] })}`;
    expect(await call(running, 'connect', 'anyone', { authorization })).toEqual(['reached']);
    expect(await call(running, 'connect', 'anyone')).toMatchObject({ code: Code.Unauthenticated });
  });

  it('counts a call once, though gate and interceptor see it', async () => {
    const { postern, token } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const guarded = guard(postern, { '/table.Table/': { authenticated: true } });
    const running = await started(() => guarded, { requestGate: guarded.requestGate });
    const authorization = `Bearer ${await token({ scopes: ['*'], rateLimit: { points: 2, duration: '1m' } })}`;
    const codes = [];
    for (let i = 0; i < 3; i++) codes.push(await call(running, 'connect', 'anyone', { authorization }));
    expect(codes).toEqual([['reached'], ['reached'], expect.objectContaining({ code: Code.ResourceExhausted })]);
    expect((codes[2] as ConnectError).metadata.get('retry-after')).toMatch(/^\d+$/);
  });

  it('lets onDenied answer, and sends the standard error where it does not', async () => {
    const { postern } = createTestPostern();
    const make = (options?: ConnectGuardOptions) => guard(postern, {}, options);
    const own = await started(make, {}, { onDenied: ({ reason }) => new ConnectError(reason, Code.DataLoss) });
    expect(await call(own, 'connect', 'anyone')).toMatchObject({
      code: Code.DataLoss,
      rawMessage: 'requirement_missing',
    });
    const throws = await started(
      make,
      {},
      {
        onDenied: () => {
          throw new Error('no template');
        },
      },
    );
    expect(await call(throws, 'connect', 'anyone')).toMatchObject({ code: Code.PermissionDenied });
  });

  it('refuses requirements and options that it can not read, and knows the scopes of the instance', () => {
    const { postern } = createTestPostern();
    // @ts-expect-error There is no resource 'model'.
    expect(thrown(() => guard(postern, { '/a.B/': { scope: 'model:read' } }))).toMatchObject({
      code: 'scope_unknown',
      path: '/a.B/',
    });
    expect(thrown(() => guard(postern, { 'a.B/C': { public: true } }))).toMatchObject({ code: 'option_invalid' });
    // @ts-expect-error No such option.
    expect(thrown(() => guard(postern, {}, { relm: 'x' }))).toMatchObject({ code: 'option_unknown' });
  });

  it('principalOf throws where no guard ran', () => {
    expect(thrown(() => principalOf({ requestHeader: new Headers() })).code).toBe('guard_missing');
  });
});

describe('lintRoutes of postern/connect', () => {
  it('lists the methods that declare nothing', () => {
    const { postern } = createTestPostern();
    const router = createConnectRouter()
      .rpc(methodOf('anyone') as DescMethodUnary, () => ({}))
      .rpc(methodOf('open') as DescMethodUnary, () => ({}));
    const guarded = guard(postern, { '/table.Table/open': { public: true } });
    expect(lintRoutes(router, guarded)).toEqual([
      expect.objectContaining({ route: '/table.Table/anyone', problem: 'requirement_missing' }),
    ]);
    expect(lintRoutes(router, guard(postern, { '/table.Table/': { scope: 'models:read' } }))).toEqual([]);
    expect(thrown(() => lintRoutes(router, (() => {}) as never))).toMatchObject({ code: 'input_invalid' });
  });
});
