import { createServer as createHttp1 } from 'node:http';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { Code, ConnectError, type ConnectRouter, createClient, type HandlerContext } from '@connectrpc/connect';
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node';
import type { Denied } from 'postern';
import { guard } from 'postern/connect';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';
import { serviceOf } from './connect-service.js';

const SERVICE = serviceOf(['StreamLive', 'SendLive', 'ChatLive']);
const REQUIREMENTS = { '/table.Table/': { endpoint: 'live' } } as const;

type Value = { value: string };
type Client = Record<'streamLive' | 'chatLive', (input: unknown, options: object) => AsyncIterable<Value>> & {
  sendLive(input: AsyncIterable<Value>, options: object): Promise<Value>;
};

/** A queue that a test fills, and that is open until it is ended. */
function queue() {
  const values: Value[] = [];
  let wake = () => {};
  let over = false;
  return {
    push(value: string) {
      values.push({ value });
      wake();
    },
    end() {
      over = true;
      wake();
    },
    async *read(): AsyncGenerator<Value> {
      for (;;) {
        while (values.length > 0) yield values.shift() as Value;
        if (over) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

const HOSTS = {
  'connect, HTTP/2': {
    make: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '2' }),
    http2: true,
    bidi: true,
  },
  'connect, HTTP/1.1': {
    make: (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: '1.1' }),
    http2: false,
    bidi: false,
  },
  'gRPC-web': {
    make: (baseUrl: string) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
    http2: false,
    bidi: false,
  },
  gRPC: { make: (baseUrl: string) => createGrpcTransport({ baseUrl }), http2: true, bidi: true },
} as const;
type HostName = keyof typeof HOSTS;

/** What the handler of a call sees. */
interface Handled {
  readonly context: HandlerContext;
  /** Resolves when the handler is done, with its error if it has one. */
  readonly done: Promise<unknown>;
}

async function setUp(name: HostName, gate = true) {
  const world = createTestPostern();
  const { token, record } = await world.issue({ endpoints: ['live'] });
  const handled: Handled[] = [];
  const out = queue();
  /** Notes a call, and how its handler ended: by itself, with an error, or because nobody wants more of it. */
  const note = (context: HandlerContext) => {
    let finish: (outcome: unknown) => void = () => {};
    handled.push({
      context,
      done: new Promise((resolve) => {
        finish = resolve;
      }),
    });
    return finish;
  };
  async function* forward(source: AsyncIterable<Value>, context: HandlerContext) {
    const finish = note(context);
    let outcome: unknown = 'returned';
    try {
      for await (const each of source) yield each;
      outcome = 'finished';
    } catch (error) {
      outcome = error;
      throw error;
    } finally {
      finish(outcome);
    }
  }
  const implementation = {
    async *streamLive(_input: Value, context: HandlerContext) {
      const stop = () => out.end();
      context.signal.addEventListener('abort', stop);
      yield* forward(out.read(), context);
    },
    chatLive: forward,
    async sendLive(input: AsyncIterable<Value>, context: HandlerContext) {
      const finish = note(context);
      let text = '';
      try {
        for await (const { value } of input) text += value;
        finish('finished');
      } catch (error) {
        finish(error);
        throw error;
      }
      return { value: text };
    },
  };
  const guarded = guard(world.postern, REQUIREMENTS);
  const adapter = connectNodeAdapter({
    routes: (router: ConnectRouter) => router.service(SERVICE, implementation as never),
    interceptors: [guarded],
    ...(gate && { requestGate: guarded.requestGate }),
  });
  const { make, http2 } = HOSTS[name];
  const server: Server | Http2Server = http2 ? createHttp2(adapter) : createHttp1(adapter);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const client = createClient(
    SERVICE,
    make(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
  ) as unknown as Client;
  const gone = new AbortController();
  onTestFinished(() => {
    gone.abort();
    server.close();
  });
  const leases = leasesOf(world.postern);
  const options = (bearer = token) => ({ headers: { authorization: `Bearer ${bearer}` }, signal: gone.signal });
  return {
    ...world,
    token,
    record,
    client,
    handled,
    out,
    options,
    vanish: () => gone.abort(),
    leases,
    noneLeft: () => eventually(async () => expect(leases.count()).toEqual({ leases: 0, groups: 0 })),
    /** Opens a stream of this kind, and resolves once its handler has it. */
    async open(kind: 'server' | 'client' | 'bidi', bearer = token) {
      const input = queue();
      const before = handled.length;
      const outcome: { values: string[]; error: ConnectError | null; over: Promise<unknown> } = {
        values: [],
        error: null,
        over: Promise.resolve(),
      };
      const read = async () => {
        if (kind === 'client') {
          input.push('a');
          outcome.values.push((await client.sendLive(input.read(), options(bearer))).value);
          return;
        }
        input.push('a');
        out.push('a');
        const messages =
          kind === 'server'
            ? client.streamLive({ value: '' }, options(bearer))
            : client.chatLive(input.read(), options(bearer));
        for await (const { value } of messages) outcome.values.push(value);
      };
      outcome.over = read().catch((error) => {
        outcome.error = ConnectError.from(error);
      });
      await eventually(async () => {
        expect(handled.length).toBe(before + 1);
        if (kind !== 'client') expect(outcome.values).toEqual(['a']);
      });
      return { ...outcome, outcome, input, handler: handled[before] as Handled };
    },
  };
}

const KINDS = (Object.keys(HOSTS) as HostName[]).flatMap((host) =>
  (['server', 'client', 'bidi'] as const)
    .filter((kind) => kind !== 'bidi' || HOSTS[host].bidi)
    .map((kind) => ({ host, kind })),
);

describe.each(KINDS)('a $kind stream over $host', ({ host, kind }) => {
  it.each(['gate and interceptor', 'interceptor alone'])('ends when its token is revoked (%s)', async (mode) => {
    const { open, postern, record, noneLeft } = await setUp(host, mode !== 'interceptor alone');
    const { outcome, handler, input } = await open(kind);
    await postern.tokens.revoke(record.id);
    // Without the gate nothing tells Connect to hang up: on HTTP/1.1 it answers once it has read everything.
    if (kind === 'client' && !HOSTS[host].http2 && mode === 'interceptor alone') {
      await handler.done;
      input.end();
    }
    await outcome.over;
    expect(outcome.error).toMatchObject({ code: Code.Unauthenticated, rawMessage: 'The token was revoked.' });
    expect(outcome.error?.metadata.get('www-authenticate')).toContain('error="invalid_token"');
    expect(outcome.values).toEqual(kind === 'client' ? [] : ['a']);
    await handler.done;
    expect(handler.context.signal.aborted).toBe(true);
    expect((handler.context.signal.reason as Denied).reason).toBe('token_revoked');
    await noneLeft();
  });

  it('ends when its endpoint becomes private, and those of other tokens with it', async () => {
    const { open, issue, postern } = await setUp(host);
    const other = await issue({ endpoints: ['live'] });
    const streams = [await open(kind), ...(kind === 'server' ? [] : [await open(kind, other.token)])];
    await postern.endpoints.update('live', { access: 'private' });
    for (const { outcome } of streams) {
      await outcome.over;
      expect(outcome.error).toMatchObject({ code: Code.NotFound });
    }
  });

  it('leaves nothing behind when its client vanishes, or when it is finished', async () => {
    const vanishing = await setUp(host);
    const left = await vanishing.open(kind);
    expect(vanishing.leases.count().leases).toBe(1);
    vanishing.vanish();
    await left.outcome.over;
    await left.handler.done;
    await vanishing.noneLeft();

    const finishing = await setUp(host);
    const { outcome, input, handler } = await finishing.open(kind);
    finishing.out.end();
    input.end();
    await outcome.over;
    expect(outcome).toMatchObject({ error: null, values: ['a'] });
    expect(await handler.done).toBe('finished');
    await finishing.noneLeft();
  });
});

describe('streams of postern/connect', () => {
  it('of another token go on', async () => {
    const { open, issue, postern, record, leases } = await setUp('gRPC');
    const other = await open('bidi', (await issue({ endpoints: ['live'] })).token);
    const { outcome } = await open('bidi');
    await postern.tokens.revoke(record.id);
    await outcome.over;
    other.input.push('b');
    await eventually(async () => expect(other.outcome.values).toEqual(['a', 'b']));
    expect(leases.count().leases).toBe(1);
  });

  it('end though their handler listens to nothing', async () => {
    const { open, postern, record } = await setUp('gRPC');
    const { outcome, handler, input } = await open('bidi');
    // The handler waits for a message that the client never sends.
    input.push('b');
    await eventually(async () => expect(outcome.values).toEqual(['a', 'b']));
    await postern.tokens.revoke(record.id);
    await outcome.over;
    expect(await handler.done).toBeInstanceOf(ConnectError);
  });

  it('cancel their handlers though their clients do not read', async () => {
    const { client, options, handled, out, postern, record, noneLeft } = await setUp('gRPC');
    const messages = client.streamLive({ value: '' }, options())[Symbol.asyncIterator]();
    out.push('a');
    await messages.next();
    for (let i = 0; i < 200; i++) out.push('x'.repeat(65_536));
    await postern.tokens.revoke(record.id);
    expect(await handled[0]?.done).toBe('returned');
    await noneLeft();
  });
});
