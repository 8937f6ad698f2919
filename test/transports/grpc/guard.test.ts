import * as grpc from '@grpc/grpc-js';
import type { PosternEvent } from 'postern';
import { type GrpcGuardOptions, type GrpcRequest, guard } from 'postern/grpc';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { bearer, call, connected, type Form, type Outcome, type Running, rawCall } from './harness.js';

async function setUp(events: PosternEvent[] = []) {
  const { postern } = createTestPostern({ onEvent: (event) => events.push(event) });
  await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  await postern.endpoints.create({ id: 'metrics', access: 'private' });
  const { token } = await postern.tokens.create({
    name: 'ci',
    types: { user: { endpoints: ['summarizer'] }, developer: { scopes: ['models:read'] } },
  });
  return { postern, token };
}

async function serve(interceptors: grpc.ServerInterceptor[], echo: Record<string, Form>) {
  const { running, client } = await connected({ interceptors, echo });
  const send = (path: string, metadata = new grpc.Metadata()): Promise<Outcome> =>
    call(client, { form: echo[path] ?? 'unary', path, metadata });
  return { running, send };
}

describe('the requirement of a method', () => {
  it('comes before that of its service', async () => {
    const { postern, token } = await setUp();
    const { send } = await serve(
      [
        guard(postern, {
          '/pkg.Models/': { scope: 'models:write' },
          '/pkg.Models/Read': { scope: 'models:read' },
          '/pkg.Models/Ping': { public: true },
        }),
      ],
      { '/pkg.Models/Read': 'unary', '/pkg.Models/Write': 'unary', '/pkg.Models/Ping': 'unary' },
    );
    expect((await send('/pkg.Models/Read', bearer(token))).code).toBe(grpc.status.OK);
    expect((await send('/pkg.Models/Write', bearer(token))).code).toBe(grpc.status.PERMISSION_DENIED);
    expect((await send('/pkg.Models/Ping')).code).toBe(grpc.status.OK);
  });

  it('may come from a Map, and the table is copied', async () => {
    const { postern, token } = await setUp();
    const open = { public: true } as const;
    const byMap = new Map<string, { authenticated: true } | { public: true }>([['/a.B/', { authenticated: true }]]);
    const byObject: Record<string, { authenticated: true } | { public: true }> = { '/a.B/': { authenticated: true } };
    const first = await serve([guard(postern, byMap)], { '/a.B/C': 'unary' });
    const second = await serve([guard(postern, byObject)], { '/a.B/C': 'unary' });
    byMap.set('/a.B/C', open);
    byObject['/a.B/C'] = open;
    for (const { send } of [first, second]) {
      expect((await send('/a.B/C')).code).toBe(grpc.status.UNAUTHENTICATED);
      expect((await send('/a.B/C', bearer(token))).code).toBe(grpc.status.OK);
    }
  });

  it('may be a function of path, metadata and peer', async () => {
    const { postern, token } = await setUp();
    const asked: [string, string][] = [];
    const { send } = await serve(
      [
        guard(postern, {
          '/d.D/': (request: GrpcRequest) => {
            asked.push([request.path, request.getPeer()]);
            return { endpoint: request.metadata.get('x-deployment')[0]?.toString() };
          },
        }),
      ],
      { '/d.D/Call': 'unary' },
    );
    const metadata = bearer(token);
    metadata.set('x-deployment', 'summarizer');
    expect((await send('/d.D/Call', metadata)).code).toBe(grpc.status.OK);
    expect(asked).toEqual([['/d.D/Call', expect.stringMatching(/^127\.0\.0\.1:\d+$/)]]);
    expect((await send('/d.D/Call', bearer(token))).code).toBe(grpc.status.NOT_FOUND);
  });

  it('does not apply to other spellings of its path', async () => {
    const { postern, token } = await setUp();
    // These methods are registered under odd paths that the guard does not declare.
    const odd = [
      'pkg.Svc/Call',
      '//pkg.Svc/Call',
      '/pkg.Svc//Call',
      '/pkg.svc/Call',
      '/pkg.Svc/Call/',
      '/pkg.Svc%2FCall',
    ];
    const { running, send } = await serve(
      [guard(postern, { '/pkg.Svc/': { public: true }, '/pkg.Svc/Call': { public: true } })],
      Object.fromEntries(['/pkg.Svc/Call', ...odd].map((path) => [path, 'unary' as const])),
    );
    expect((await send('/pkg.Svc/Call')).code).toBe(grpc.status.OK);
    for (const path of odd) {
      expect({ path, code: await rawStatus(running, path, token) }).toEqual({
        path,
        code: path.startsWith('/') ? String(grpc.status.PERMISSION_DENIED) : 'refused',
      });
    }
    expect(running.seen.started).toEqual(['/pkg.Svc/Call']);
  });

  it('does not apply to other spellings on the wire', async () => {
    const { postern, token } = await setUp();
    const { running } = await serve([guard(postern, { '/pkg.Svc/': { public: true } })], { '/pkg.Svc/Call': 'unary' });
    expect(await rawStatus(running, '/pkg.Svc/Call', token)).toBe('0');
    const others = [
      'pkg.Svc/Call',
      '//pkg.Svc/Call',
      '/pkg.Svc//Call',
      '/PKG.Svc/Call',
      '/pkg.Svc/Call/',
      '/pkg.Svc%2FCall',
      '/x/../pkg.Svc/Call',
      '/pkg.Svc/Call?',
      '/pkg.Svc/Call;a=b',
      '/__proto__/constructor',
    ];
    for (const path of others) {
      expect({ path, code: await rawStatus(running, path, token) }).toEqual({
        path,
        code: path.startsWith('/') ? String(grpc.status.UNIMPLEMENTED) : 'refused',
      });
    }
    expect(running.seen.started).toEqual(['/pkg.Svc/Call']);
  });

  it('is not added by a polluted prototype', async () => {
    const { postern } = await setUp();
    const { send } = await serve([guard(postern, {})], { '/a.B/C': 'unary' });
    try {
      Object.assign(Object.prototype, { '/a.B/C': { public: true }, zone: 'internal', public: true });
      const { send: later } = await serve([guard(postern, { '/m.M/': { endpoint: 'metrics' } })], {
        '/a.B/C': 'unary',
        '/m.M/Get': 'unary',
      });
      expect((await send('/a.B/C')).code).toBe(grpc.status.PERMISSION_DENIED);
      expect((await later('/a.B/C')).code).toBe(grpc.status.PERMISSION_DENIED);
      expect((await later('/m.M/Get')).code).toBe(grpc.status.NOT_FOUND);
    } finally {
      for (const key of ['/a.B/C', 'zone', 'public']) delete (Object.prototype as Record<string, unknown>)[key];
    }
  });
});

describe('the zone function of a gRPC guard', () => {
  it('makes a call a fault if it throws', async () => {
    const { postern, token } = await setUp();
    const { running, send } = await serve(
      [
        guard(
          postern,
          { '/a.B/': { authenticated: true } },
          {
            zone: () => {
              throw new Error('no such network');
            },
          },
        ),
      ],
      { '/a.B/C': 'unary' },
    );
    const outcome = await send('/a.B/C', bearer(token));
    expect(outcome).toMatchObject({ code: grpc.status.INTERNAL, details: 'Something went wrong.' });
    expect(running.seen.started).toEqual([]);
  });

  it('makes a call external for any value but internal', async () => {
    const { postern } = await setUp();
    for (const zone of ['Internal', true, {}, undefined]) {
      const { send } = await serve(
        [guard(postern, { '/m.M/': { endpoint: 'metrics' } }, { zone: () => zone as never })],
        {
          '/m.M/Get': 'unary',
        },
      );
      expect((await send('/m.M/Get')).code).toBe(grpc.status.NOT_FOUND);
    }
  });
});

describe('onDenied of a gRPC guard', () => {
  const denyWith = async (onDenied: GrpcGuardOptions['onDenied'], events: PosternEvent[] = []) => {
    const { postern } = await setUp(events);
    const { running, send } = await serve([guard(postern, { '/a.B/': { authenticated: true } }, { onDenied })], {
      '/a.B/C': 'unary',
    });
    const outcome = await send('/a.B/C');
    expect(running.seen.started).toEqual([]);
    return outcome;
  };
  const standard = {
    code: grpc.status.UNAUTHENTICATED,
    details: 'This needs a token, and none came with the call.',
    trailers: {},
  };

  it('renders the denial', async () => {
    const outcome = await denyWith(({ reason }, { path }) => {
      const metadata = new grpc.Metadata();
      metadata.set('x-reason', reason);
      return { code: grpc.status.FAILED_PRECONDITION, details: `not ${path}: ünd`, metadata };
    });
    expect(outcome).toMatchObject({
      code: grpc.status.FAILED_PRECONDITION,
      details: 'not /a.B/C: ünd',
      trailers: { 'x-reason': ['token_missing'] },
    });
  });

  it('may return nothing, or only a part', async () => {
    expect(await denyWith(() => undefined)).toMatchObject(standard);
    expect(await denyWith(() => null)).toMatchObject(standard);
    expect(await denyWith(() => ({ details: 'Go away.' }))).toMatchObject({ ...standard, details: 'Go away.' });
  });

  it.each([0, -1, 17, 1.5, Number.NaN, '0', null])('can not answer with the code %j', async (code) => {
    expect((await denyWith(() => ({ code: code as number, details: 'Fine.' }))).code).toBe(grpc.status.UNAUTHENTICATED);
  });

  it('can not set another status by the metadata', async () => {
    const outcome = await denyWith(() => {
      const metadata = new grpc.Metadata();
      metadata.set('grpc-status', '0');
      metadata.set('grpc-message', 'OK');
      metadata.set('content-type', 'text/html');
      metadata.set('x-kept', 'yes');
      return { metadata };
    });
    expect(outcome).toMatchObject({ ...standard, trailers: { 'x-kept': ['yes'] } });
  });

  it('that throws leaves the standard answer, and the fault is reported', async () => {
    const events: PosternEvent[] = [];
    const fault = new Error('template not found');
    const outcome = await denyWith(() => {
      throw fault;
    }, events);
    expect(outcome).toMatchObject(standard);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', error: fault }));
  });

  it('that returns an invalid answer leaves the standard answer', async () => {
    expect(await denyWith(() => ({ details: '\ud800' }))).toMatchObject(standard);
    expect(await denyWith(() => ({ details: 7 as never }))).toMatchObject(standard);
    expect(await denyWith(() => ({ metadata: { 'x-a': 'b' } as never }))).toMatchObject(standard);
    expect(await denyWith((async () => ({ code: 5 })) as never)).toMatchObject(standard);
    expect(await denyWith((() => Promise.reject(new Error('later'))) as never)).toMatchObject(standard);
  });
});

/** The `grpc-status` of a call to a path that no gRPC client would send. */
function rawStatus(running: Running, path: string, token: string): Promise<string | undefined> {
  const request = rawCall(running.address, path, token, 1);
  let status: string | undefined;
  const note = (headers: { 'grpc-status'?: unknown }) => {
    status ??= headers['grpc-status'] as string | undefined;
  };
  request.on('response', note);
  request.on('trailers', note);
  // HTTP/2 itself refuses a path without a slash at its start (RFC 9113 section 8.3.1).
  request.on('error', () => {
    status = 'refused';
  });
  request.resume();
  return new Promise((resolve) => request.on('close', () => resolve(status)));
}
