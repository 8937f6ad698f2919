import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { Controller, type INestApplication, Module, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GrpcMethod } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { own } from 'postern';
import { noteHandshake, PosternModule, Requires } from 'postern/nestjs';
import { createTestPostern, type TestPostern } from 'postern/testing';
import { Observable } from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.js';
import { leasesOf } from '../support/leases.js';
import { connectionsOf } from './lease-hosts.js';
import { clientOfTable } from './nestjs-grpc.js';

/** The handlers' open streams. */
const open = new Set<object>();

/** A stream that sends one event, and waits. */
function endless<T>(first: T): Observable<T> {
  return new Observable((subscriber) => {
    open.add(subscriber);
    subscriber.next(first);
    return () => open.delete(subscriber);
  });
}

afterEach(() => expect(open.size).toBe(0));

@WebSocketGateway()
class Live {
  handleConnection(client: WebSocket, request: IncomingMessage) {
    noteHandshake(client, request);
  }
  @SubscribeMessage('subscribe')
  @Requires({ scope: 'models:read' })
  subscribe() {
    return endless({ event: 'model', data: 'first' });
  }
  @SubscribeMessage('computed')
  @Requires(() => ({ scope: ['models:read'], organization: own }))
  computed() {
    return { event: 'computed', data: '' };
  }
  @SubscribeMessage('who')
  @Requires({ authenticated: true })
  who() {
    return { event: 'you', data: '' };
  }
}

@Controller()
class Events {
  @Sse('events')
  @Requires({ endpoint: 'live' })
  events() {
    return endless({ data: 'first' });
  }
}

const noneLeft = (world: TestPostern) =>
  eventually(async () => expect(leasesOf(world.postern).count()).toEqual({ leases: 0, groups: 0 }));

describe('a socket of a gateway', () => {
  async function setUp() {
    const world = createTestPostern();
    @Module({ imports: [PosternModule.forRoot({ postern: world.postern })], providers: [Live] })
    class Application {}
    const app = await NestFactory.create(Application, { logger: false });
    app.useWebSocketAdapter(new WsAdapter(app));
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const server = app.getHttpServer() as Server;
    const connect = async (token: string) => {
      const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      client.on('error', () => {});
      onTestFinished(() => client.terminate());
      await once(client, 'open');
      return client;
    };
    const ask = async (client: WebSocket, event: string) => {
      const answer = once(client, 'message');
      client.send(JSON.stringify({ event, data: {} }));
      return JSON.parse(String((await answer)[0])).event;
    };
    return { ...world, server, connect, ask, leases: leasesOf(world.postern) };
  }
  const closeOf = async (client: WebSocket) => {
    const [code, reason] = await once(client, 'close');
    return [code, String(reason)];
  };

  it('is closed when its token is revoked, its streams end, and other sockets stay', async () => {
    const world = await setUp();
    const { token, record } = await world.issue({ scopes: ['models:read'] });
    const client = await world.connect(token);
    const other = await world.connect(await world.token({ scopes: ['models:read'] }));
    expect(await world.ask(client, 'subscribe')).toBe('model');
    expect(await world.ask(other, 'who')).toBe('you');
    const closed = closeOf(client);
    await world.postern.tokens.revoke(record.id);
    expect(await closed).toEqual([1008, 'token_revoked']);
    expect(await world.ask(other, 'who')).toBe('you');
    await eventually(async () => expect(open.size).toBe(0));
    expect(world.leases.count().leases).toBe(1);
    other.terminate();
    await noneLeft(world);
  });

  it('is closed when it loses the right to what it subscribed to, and not for a right that it never used', async () => {
    const world = await setUp();
    const { token, record } = await world.issue({ scopes: ['models:read', 'iam:read'] });
    const subscribed = await world.connect(token);
    const modest = await world.connect(token);
    await world.ask(subscribed, 'subscribe');
    await world.ask(modest, 'who');
    const closed = closeOf(subscribed);
    await world.postern.tokens.update(record.id, { types: { developer: { scopes: ['iam:read'] } } });
    expect(await closed).toEqual([1008, 'scope_missing']);
    expect(await world.ask(modest, 'who')).toBe('you');
    modest.terminate();
    await noneLeft(world);
  });

  it('takes one lease for all messages of one kind, and none once it is gone', async () => {
    const world = await setUp();
    const token = await world.token({ scopes: ['models:read'] });
    const client = await world.connect(token);
    for (let i = 0; i < 20; i++) {
      await world.ask(client, 'who');
      await world.ask(client, 'computed');
    }
    await world.ask(client, 'subscribe');
    expect(world.leases.count().leases).toBe(3);
    client.terminate();
    await noneLeft(world);
  });

  it('takes no lease if it is gone before its message is decided', async () => {
    const world = await setUp();
    const client = await world.connect(await world.token({ scopes: ['models:read'] }));
    const held = world.store.hold('findTokenByDigest', 'before');
    client.send(JSON.stringify({ event: 'who', data: {} }));
    const call = await held.next();
    client.terminate();
    await eventually(async () => expect(await connectionsOf(world.server as never)).toBe(0));
    held.end();
    call.release();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.leases.count().leases).toBe(0);
  });

  it('is cut off when its client does not answer the goodbye', async () => {
    const world = await setUp();
    const { token, record } = await world.issue({ scopes: ['models:read'] });
    const client = await world.connect(token);
    await world.ask(client, 'who');
    (client as unknown as { _socket: { pause(): void } })._socket.pause();
    await world.postern.tokens.revoke(record.id);
    const gone = async () => expect(await connectionsOf(world.server as never)).toBe(0);
    // `ws` itself would wait for 30 seconds.
    await vi.waitFor(gone, { timeout: 20_000, interval: 50 });
    await noneLeft(world);
  });
});

const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() } as const;

describe.each(Object.keys(ADAPTERS) as (keyof typeof ADAPTERS)[])('server-sent events of Nest on %s', (name) => {
  async function setUp() {
    const world = createTestPostern();
    @Module({ imports: [PosternModule.forRoot({ postern: world.postern })], controllers: [Events] })
    class Application {}
    const app = (await NestFactory.create(Application, ADAPTERS[name]() as never, {
      logger: false,
      forceCloseConnections: true,
    })) as INestApplication;
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const { token, record } = await world.issue({ endpoints: ['live'] });
    const { port } = app.getHttpServer().address() as AddressInfo;
    return {
      ...world,
      record,
      async stream() {
        const client = get({ port, path: '/events', headers: { authorization: `Bearer ${token}` } });
        client.on('error', () => {});
        const [response] = (await once(client, 'response')) as [IncomingMessage];
        expect(response.statusCode).toBe(200);
        response.on('error', () => {});
        let text = '';
        response.on('data', (chunk) => {
          text += String(chunk);
        });
        await eventually(async () => expect(text).toContain('data: first'));
        return { client, response };
      },
    };
  }

  it('end when their token is revoked, and their handler stops', async () => {
    const world = await setUp();
    const { response } = await world.stream();
    expect(open.size).toBe(1);
    const end = once(response, 'end');
    await world.postern.tokens.revoke(world.record.id);
    await end;
    expect(response.complete).toBe(true);
    await eventually(async () => expect(open.size).toBe(0));
    await noneLeft(world);
  });

  it('end when their endpoint is deleted', async () => {
    const world = await setUp();
    const { response } = await world.stream();
    const end = once(response, 'end');
    await world.postern.endpoints.delete('live');
    await end;
    await eventually(async () => expect(open.size).toBe(0));
  });

  it('leave nothing behind when their clients vanish', async () => {
    const world = await setUp();
    const streams = [await world.stream(), await world.stream()];
    expect(leasesOf(world.postern).count().leases).toBe(2);
    for (const { client } of streams) client.destroy();
    await noneLeft(world);
    await eventually(async () => expect(open.size).toBe(0));
  });
});

@Controller()
class Table {
  @GrpcMethod('Table', 'Watch')
  @Requires({ endpoint: 'live' })
  watch() {
    return endless({ text: 'first' });
  }
}

describe('a stream of a gRPC microservice of Nest', () => {
  it('ends with the status of its denial, its handler stops, and clients that vanish leave nothing', async () => {
    const world = createTestPostern();
    const method = { requestType: 'Text', responseType: 'Text', responseStream: true, comment: '' };
    const packageDefinition = fromJSON({
      nested: {
        table: {
          nested: {
            Text: { fields: { text: { type: 'string', id: 1 } } },
            Table: { methods: { Watch: method } },
          },
        },
      },
    });
    const client = await clientOfTable(world.postern, Table, packageDefinition);
    const { token, record } = await world.issue({ endpoints: ['live'] });
    const watch = async () => {
      const metadata = new grpc.Metadata();
      metadata.set('authorization', `Bearer ${token}`);
      const call = (client.Watch as CallableFunction)({ text: '' }, metadata) as grpc.ClientReadableStream<unknown>;
      const error = once(call, 'error').catch((failure) => [failure]);
      await once(call, 'data');
      return { call, error };
    };
    const vanishing = await watch();
    const staying = await watch();
    expect(leasesOf(world.postern).count().leases).toBe(2);
    vanishing.call.cancel();
    await eventually(async () => expect(leasesOf(world.postern).count().leases).toBe(1));
    await world.postern.tokens.revoke(record.id);
    expect((await staying.error)[0]).toMatchObject({
      code: grpc.status.UNAUTHENTICATED,
      details: 'The token was revoked.',
    });
    await noneLeft(world);
    await eventually(async () => expect(open.size).toBe(0));
  });
});
