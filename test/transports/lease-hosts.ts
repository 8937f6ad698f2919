import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import websocket from '@fastify/websocket';
import { serve } from '@hono/node-server';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import type { Denied, Postern, Requirement } from 'postern';
import { guard as expressGuard, leaseOf as expressLease } from 'postern/express';
import { leaseOf as fastifyLease, posternPlugin } from 'postern/fastify';
import { guard as fetchGuard, leaseOf as fetchLease } from 'postern/fetch';
import { guard as honoGuard, leaseOf as honoLease } from 'postern/hono';
import { guard as nodeGuard, leaseOf as nodeLease } from 'postern/node';
import type { Lease } from '../../src/transports/lease.js';

/** One stream of server-sent events, as its handler sees it. */
export interface Opened {
  readonly lease: Lease;
  /** Sends an event. */
  send(text: string): void;
  /** Ends the stream from the server's side. */
  end(): void;
  /** Resolves when the host knows that the stream is over. */
  readonly over: Promise<unknown>;
  /** Resolves to the denial when the lease's signal aborts. */
  readonly ended: Promise<Denied>;
}

export interface Host {
  readonly port: number;
  /** How many connections are open. */
  connections(): Promise<number>;
  close(): Promise<unknown>;
}

type Start = (postern: Postern, requirement: Requirement, onOpen: (opened: Opened) => void) => Promise<Host>;

const HEADERS = { 'content-type': 'text/event-stream', 'cache-control': 'no-store' };

/** Servers with a stream at `/events`, whose handler does nothing but hand it over. */
export const LEASE_HOSTS: Readonly<Record<'express 5' | 'express 4' | 'fastify' | 'node' | 'fetch' | 'hono', Start>> = {
  'express 5': (...given) => startExpress(express5, ...given),
  'express 4': (...given) => startExpress(express4 as unknown as typeof express5, ...given),

  async fastify(postern, requirement, onOpen) {
    const app = fastify({ forceCloseConnections: true });
    await app.register(posternPlugin, { postern });
    app.get('/events', { config: { requirement } }, (request, reply) => {
      reply.hijack();
      onOpen(onNode(fastifyLease(request), reply.raw));
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return {
      port: (app.server.address() as AddressInfo).port,
      connections: () => connectionsOf(app.server),
      close: () => app.close(),
    };
  },

  node(postern, requirement, onOpen) {
    const handler = nodeGuard(postern, requirement, (request, response) => {
      onOpen(onNode(nodeLease(request), response));
    });
    return listen(createServer(handler));
  },

  fetch(postern, requirement, onOpen) {
    const handler = fetchGuard(postern, requirement, (request, { signal }) => {
      const lease = fetchLease(request);
      if (lease.signal !== signal) throw new Error('two leases of one request');
      return stream(lease, onOpen);
    });
    return serveFetch((request) => handler(request));
  },

  hono(postern, requirement, onOpen) {
    const app = new Hono();
    app.get('/events', honoGuard(postern, requirement), (context) => stream(honoLease(context), onOpen));
    return serveFetch(app.fetch);
  },
};

/** A response whose body is open until its handler, or its reader, ends it. */
function stream(lease: Lease, onOpen: (opened: Opened) => void): Response {
  let over = () => {};
  const isOver = new Promise<void>((resolve) => {
    over = resolve;
  });
  const bytes = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      onOpen({
        lease,
        send: (text) => controller.enqueue(bytes.encode(`data: ${text}\n\n`)),
        end() {
          over();
          controller.close();
        },
        over: isOver,
        ended: endOf(lease),
      });
    },
    cancel: () => over(),
  });
  return new Response(body, { headers: HEADERS });
}

function serveFetch(fetch: (request: Request) => Response | Promise<Response>): Promise<Host> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve({ port, connections: () => connectionsOf(server as Server), close: () => ended(server as Server) }),
    );
  });
}

function startExpress(express: typeof express5, ...[postern, requirement, onOpen]: Parameters<Start>): Promise<Host> {
  const app = express();
  app.get('/events', expressGuard(postern, requirement), (request, response) => {
    onOpen(onNode(expressLease(request), response));
  });
  return listen(createServer(app));
}

function listen(server: Server): Promise<Host> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        connections: () => connectionsOf(server),
        close: () => ended(server),
      }),
    );
  });
}

function onNode(lease: Lease, response: ServerResponse): Opened {
  response.writeHead(200, HEADERS);
  return {
    lease,
    send: (text) => void response.write(`data: ${text}\n\n`),
    end: () => void response.end(),
    over: new Promise((resolve) => response.once('close', resolve)),
    ended: endOf(lease),
  };
}

function endOf({ signal }: Lease): Promise<Denied> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason as Denied)));
}

function ended(server: Server): Promise<unknown> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
}

export function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

/** A Fastify with a WebSocket at `/live`, closed when its lease ends. */
export async function startWebSockets(postern: Postern, requirement: Requirement) {
  const app = fastify();
  await app.register(posternPlugin, { postern });
  await app.register(websocket);
  app.get('/live', { websocket: true, config: { requirement } }, (socket, request) => {
    const { signal } = fastifyLease(request);
    signal.addEventListener('abort', () => socket.close(1008, (signal.reason as Denied).reason));
    socket.on('message', (message) => socket.send(message.toString()));
    socket.send('open');
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return {
    port: (app.server.address() as AddressInfo).port,
    connections: () => connectionsOf(app.server),
    close: () => app.close(),
  };
}
