import { once } from 'node:events';
import { type ClientHttp2Stream, connect, constants, type ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { type GrpcGuardOptions, type GrpcRequirements, guard } from 'postern/grpc';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { internalsOf } from '../../../src/instance/internals.js';
import { leasesOf } from '../../support/leases.js';
import { createWorld } from '../world.js';
import { bearer, encode, FORMS, type Form, insecure, openCall, startServer, statusOf } from './harness.js';

const PATH = '/long.Svc/';

const closing: (() => void)[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const close of closing.splice(0)) close();
});

/** A handler's call, whatever its form. */
type HandlerCall = grpc.ServerDuplexStream<unknown, unknown> & { callback?: grpc.sendUnaryData<unknown> };

interface Opened {
  readonly handlerCall: HandlerCall;
  /** Resolves when the handler is told that its call is cancelled. */
  readonly cancelled: Promise<unknown>;
  readonly http2: ServerHttp2Stream;
}

/** A server whose handlers hand over their calls and answer nothing. */
async function serve(
  postern: Parameters<typeof guard>[0],
  requirements: GrpcRequirements,
  options: GrpcGuardOptions = {},
) {
  const streams: ServerHttp2Stream[] = [];
  const watch: grpc.ServerInterceptor = (_method, next) => {
    streams.push((next as unknown as { stream: ServerHttp2Stream }).stream);
    return new grpc.ServerInterceptingCall(next);
  };
  const opened: ((value: Opened) => void)[] = [];
  const handler = (handlerCall: HandlerCall, callback: grpc.sendUnaryData<unknown>) => {
    handlerCall.callback = callback;
    opened.shift()?.({
      handlerCall,
      cancelled: once(handlerCall, 'cancelled'),
      http2: streams.at(-1) as ServerHttp2Stream,
    });
  };
  const running = await startServer({
    interceptors: [watch, guard(postern, requirements, options)],
    handlers: Object.fromEntries(
      FORMS.map((form) => [PATH + form, [form, handler as unknown as grpc.UntypedHandleCall] as const]),
    ),
  });
  const client = insecure(running.address);
  closing.push(() => {
    client.close();
    running.close();
  });
  const next = () => new Promise<Opened>((resolve) => opened.push(resolve));
  return {
    running,
    /** The next call whose handler begins. */
    next,
    /** Begins a call whose responses are read, and waits for its handler. */
    async open(form: Form, metadata?: grpc.Metadata, onResponse: (response: unknown) => void = () => {}) {
      const handling = next();
      const clientCall = openCall(client, { form, path: PATH + form, ...(metadata && { metadata }) }, onResponse);
      const status = statusOf(clientCall);
      return { clientCall, status, ...(await handling) };
    },
  };
}

type Setup = Awaited<ReturnType<typeof createWorld>>;

/** What ends a right, and what the client is told. */
const ENDS: readonly {
  readonly name: string;
  readonly requirement: { endpoint: string } | { scope: 'models:read' };
  readonly end: (world: Setup, id: string) => Promise<unknown>;
  readonly code: grpc.status;
  readonly details: string;
}[] = [
  {
    name: 'its token is revoked',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.revoke(id),
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token was revoked.',
  },
  {
    name: 'its token is deleted',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.delete(id),
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token is not valid.',
  },
  {
    name: 'its token expires',
    requirement: { endpoint: 'summarizer' },
    end: async ({ clock, postern }) => {
      clock.advance('1h');
      leasesOf(postern).lookAtAll();
    },
    code: grpc.status.UNAUTHENTICATED,
    details: 'The token has expired.',
  },
  {
    name: 'its scope is taken away',
    requirement: { scope: 'models:read' },
    end: ({ postern }, id) => postern.tokens.update(id, { types: { user: { endpoints: '*' } } }),
    code: grpc.status.PERMISSION_DENIED,
    details: 'The token does not hold the scope that this needs.',
  },
  {
    name: 'its endpoint is taken away',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }, id) => postern.tokens.update(id, { types: { user: { endpoints: ['translator'] } } }),
    code: grpc.status.PERMISSION_DENIED,
    details: 'The token does not reach this endpoint.',
  },
  {
    name: 'the endpoint is deleted',
    requirement: { endpoint: 'summarizer' },
    end: ({ postern }) => postern.endpoints.delete('summarizer'),
    code: grpc.status.NOT_FOUND,
    details: 'There is nothing here.',
  },
  {
    name: 'a public endpoint becomes private',
    requirement: { endpoint: 'status' },
    end: ({ postern }) => postern.endpoints.update('status', { access: 'private' }),
    code: grpc.status.NOT_FOUND,
    details: 'There is nothing here.',
  },
];

describe.each(FORMS)('an open call (%s)', (form) => {
  it.each(ENDS)('is closed once $name', async ({ requirement, end, code, details }) => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({
      name: 'long',
      types: { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } },
      expiresIn: '1h',
    });
    const { open } = await serve(world.postern, { [PATH]: requirement });
    const { status, cancelled, handlerCall } = await open(form, bearer(token));
    await end(world, record.id);
    expect(await status).toMatchObject({ code, details });
    await cancelled;
    expect(handlerCall.cancelled).toBe(true);
  });

  it('of another token goes on', async () => {
    const world = await createWorld();
    const { postern } = world;
    const { token, record } = await postern.tokens.create({ name: 'ends', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(postern, { [PATH]: { scope: 'models:read' } });
    const stays = await open(form, bearer(world.tokens.developer));
    const ends = await open(form, bearer(token));
    await postern.tokens.revoke(record.id);
    expect((await ends.status).code).toBe(grpc.status.UNAUTHENTICATED);
    expect(stays.handlerCall.cancelled).toBe(false);
    answer(form, stays.handlerCall);
    expect((await stays.status).code).toBe(grpc.status.OK);
  });

  it('takes nothing more from its handler, and answers once', async () => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(world.postern, { [PATH]: { scope: 'models:read' } });
    const responses: unknown[] = [];
    const { status, cancelled, handlerCall, http2 } = await open(form, bearer(token), (each) => responses.push(each));
    const gone = once(http2, 'close');
    await world.postern.tokens.revoke(record.id);
    await cancelled;
    handlerCall.on('error', () => {});
    answer(form, handlerCall);
    expect((await status).code).toBe(grpc.status.UNAUTHENTICATED);
    await gone;
    expect(responses).toEqual([]);
  });

  it('leaves nothing behind, however it ends', async () => {
    const world = await createWorld();
    const leases = leasesOf(world.postern);
    const { open } = await serve(world.postern, { [PATH]: { scope: 'models:read' } });
    const answered = await open(form, bearer(world.tokens.developer));
    const left = await open(form, bearer(world.tokens.developer));
    expect(leases.count().leases).toBe(2);
    answer(form, answered.handlerCall);
    expect((await answered.status).code).toBe(grpc.status.OK);
    left.clientCall.cancel();
    await left.cancelled;
    expect(leases.count()).toEqual({ leases: 0, groups: 0 });
  });
});

function answer(form: Form, handlerCall: HandlerCall): void {
  if (form === 'unary' || form === 'clientStream') handlerCall.callback?.(null, 'done');
  else {
    handlerCall.write('done');
    handlerCall.end();
  }
}

describe('the lease of a call', () => {
  it('ends it with the form that onDenied gives', async () => {
    const world = await createWorld();
    const { token, record } = await world.postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { open } = await serve(
      world.postern,
      { [PATH]: { authenticated: true } },
      { onDenied: ({ reason }, { path }) => ({ details: `${path} ${reason}` }) },
    );
    const { status } = await open('bidi', bearer(token));
    await world.postern.tokens.revoke(record.id);
    expect(await status).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: '/long.Svc/bidi token_revoked' });
  });

  it('ends it with UNAVAILABLE when the instance is closed', async () => {
    const world = await createWorld();
    const { open } = await serve(world.postern, { [PATH]: { authenticated: true } });
    const { status, cancelled } = await open('bidi', bearer(world.tokens.developer));
    await world.postern.close();
    expect((await status).code).toBe(grpc.status.UNAVAILABLE);
    await cancelled;
  });

  it('asks what was asked at the start, whatever the handler did to the metadata', async () => {
    const world = await createWorld();
    const leases = leasesOf(world.postern);
    const needed = { endpoint: '' };
    const seen = { requirement: 0, zone: 0 };
    const { open } = await serve(
      world.postern,
      {
        [PATH]: ({ metadata }) => {
          seen.requirement++;
          needed.endpoint = String(metadata.get('x-endpoint')[0]);
          return needed;
        },
      },
      {
        zone: () => {
          seen.zone++;
          return 'external';
        },
      },
    );
    const metadata = bearer(world.tokens.user);
    metadata.set('x-endpoint', 'summarizer');
    const { handlerCall, status } = await open('bidi', metadata);
    handlerCall.metadata.remove('authorization');
    handlerCall.metadata.set('x-endpoint', 'nowhere');
    needed.endpoint = 'nowhere';
    const looked = vi.spyOn(internalsOf(world.postern).ground.store, 'findTokenByDigest');
    leases.lookAtAll();
    await vi.waitUntil(() => looked.mock.results.length > 0);
    await looked.mock.results[0]?.value;
    await new Promise((resolve) => setImmediate(resolve));
    expect(handlerCall.cancelled).toBe(false);
    expect(seen).toEqual({ requirement: 1, zone: 1 });
    await world.postern.endpoints.delete('summarizer');
    expect((await status).code).toBe(grpc.status.NOT_FOUND);
  });
});

/** A call by hand, whose client reads nothing until it is told to, and closes its side only for `message`. */
function rawCall(address: string, path: string, token: string | null, message?: unknown): ClientHttp2Stream {
  const session = connect(`http://${address}`, { settings: { initialWindowSize: 1024 } });
  closing.push(() => session.destroy());
  const stream = session.request(
    {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    { endStream: false },
  );
  stream.on('error', () => {});
  if (message !== undefined) {
    const body = encode(message);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([prefix, body]));
  }
  return stream;
}

describe('a client that has stopped reading', () => {
  async function stalled(form: 'serverStream' | 'bidi') {
    const { postern } = await createWorld();
    const { token, record } = await postern.tokens.create({ name: 'slow', types: { developer: { scopes: ['*'] } } });
    const { running, next } = await serve(postern, { [PATH]: { scope: 'models:read' } });
    const handling = next();
    const client = rawCall(running.address, PATH + form, token, form === 'serverStream' ? 1 : undefined);
    const trailers = once(client, 'trailers');
    const { handlerCall, cancelled, http2 } = await handling;
    for (let i = 0; i < 64; i++) handlerCall.write('x'.repeat(65_536));
    expect(handlerCall.writableNeedDrain).toBe(true);
    await once(client, 'response');
    return { client, trailers, handlerCall, cancelled, http2, revoke: () => postern.tokens.revoke(record.id) };
  }

  it.each(['serverStream', 'bidi'] as const)('%s: its handler is cancelled, and its stream is gone', async (form) => {
    const { client, http2, cancelled, handlerCall, revoke } = await stalled(form);
    const gone = once(http2, 'close');
    const left = once(client, 'close');
    await revoke();
    await cancelled;
    expect(handlerCall.cancelled).toBe(true);
    expect(handlerCall.destroyed).toBe(true);
    // The handler is told at once; what had been written still stands in the way of the status.
    expect(http2.closed).toBe(false);
    await gone;
    expect(http2.writableFinished).toBe(false);
    await left;
    expect(client.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });

  it.each(['serverStream', 'bidi'] as const)('%s: it still gets the status when it reads on', async (form) => {
    const { client, trailers, cancelled, revoke } = await stalled(form);
    await revoke();
    await cancelled;
    client.resume();
    const [{ 'grpc-status': status, 'grpc-message': details }] = await trailers;
    expect([status, decodeURI(details)]).toEqual([String(grpc.status.UNAUTHENTICATED), 'The token was revoked.']);
  });
});

describe('a client that never closes its side', () => {
  it('is answered when it is denied, and then its stream is reset', async () => {
    const { postern } = await createWorld();
    const { running } = await serve(postern, { [PATH]: { authenticated: true } });
    const client = rawCall(running.address, `${PATH}bidi`, null);
    const left = once(client, 'close');
    const [headers] = await once(client, 'response');
    expect(headers['grpc-status']).toBe(String(grpc.status.UNAUTHENTICATED));
    client.resume();
    await left;
    expect(client.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});
