import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import { All, Controller, Module } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import type { Postern, Requirement } from 'postern';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { answerTo, readCredential } from 'postern/http';
import { Caller, PosternModule, Requires } from 'postern/nestjs';
import { guardUpgrade, guard as nodeGuard } from 'postern/node';
import { internalNetworks } from 'postern/zones';
import { byPath, fetchApp, honoApp, type Reached } from './fetch-apps.js';
import { ALL_TARGETS, requirementOf, type Target } from './targets.js';

export interface Running {
  readonly port: number;
  /** What makes a request one that this server takes. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  close(): Promise<unknown>;
}

export type Start = (postern: Postern, reached: Reached) => Promise<Running>;

/** Callers from 127.0.0.2 are internal. */
export const INSIDE = '127.0.0.2';
export const zone = internalNetworks([INSIDE]);

type Name =
  | 'express 5'
  | 'express 4'
  | 'fastify'
  | 'fetch'
  | 'hono'
  | 'nestjs'
  | 'nestjs on fastify'
  | 'node'
  | 'node upgrade'
  | 'http'
  | 'http with fetch';

export const HTTP_SERVERS: Readonly<Record<Name, Start>> = {
  'express 5': (postern, reached) => startExpress(express5, postern, reached),
  'express 4': (postern, reached) => startExpress(express4 as unknown as typeof express5, postern, reached),

  async fastify(postern, reached) {
    const app = fastify();
    await app.register(posternPlugin, { postern, zone });
    for (const target of ALL_TARGETS) {
      const requirement = requirementOf(target);
      app.route({
        method: ['GET', 'POST'],
        url: `/${target}`,
        ...(requirement && { config: { requirement } }),
        handler: async (request) => {
          reached(request.principal);
          return 'reached';
        },
      });
    }
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },

  fetch: (postern, reached) => {
    const app = fetchApp<[socket: Socket]>(postern, reached, (_, socket) => zone({ socket, headers: {} }));
    return listen(fetchServer((request, { socket }) => app(request, socket)));
  },

  hono: (postern, reached) => {
    const app = honoApp(postern, reached, (c) =>
      zone({ socket: { remoteAddress: getConnInfo(c).remote.address }, headers: {} }),
    );
    // Bun's own server, in the same process, takes no other `Response` than its own.
    return listen(createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server);
  },

  nestjs: (postern, reached) => startNest(postern, reached, new ExpressAdapter()),
  'nestjs on fastify': (postern, reached) => startNest(postern, reached, new FastifyAdapter()),

  node: (postern, reached) => {
    const handlers = byPath((requirement) =>
      nodeGuard(
        postern,
        requirement,
        (_request, response, { principal }) => {
          reached(principal);
          response.end('reached');
        },
        { zone },
      ),
    );
    return listen(createServer((request, response) => handlers.get(request.url ?? '')?.(request, response)));
  },

  async 'node upgrade'(postern, reached) {
    const handlers = byPath((requirement) =>
      guardUpgrade(
        postern,
        requirement,
        (_request, socket, _head, { principal }) => {
          reached(principal);
          socket.end('HTTP/1.1 200 OK\r\n\r\nreached');
        },
        { zone },
      ),
    );
    const server = createServer();
    server.on('upgrade', (request, socket, head) => handlers.get(request.url ?? '')?.(request, socket, head));
    const running = await listen(server);
    return { ...running, headers: [['Connection', 'Upgrade'] as const, ['Upgrade', 'test'] as const] };
  },

  http: (postern, reached) =>
    listen(
      createServer(async (request, response) => {
        const requirement = requirementOf((request.url ?? '').slice(1) as Target) as Requirement | undefined;
        const { method } = request;
        const decision = await postern.authorize({
          ...readCredential(request),
          method,
          zone: zone(request),
          ...(requirement && { requirement }),
        });
        if (decision.allowed) {
          reached(decision.principal);
          response.end('reached');
          return;
        }
        const { status, headers, body } = answerTo(decision, { requirement });
        response.writeHead(status, headers).end(body);
      }),
    ),

  'http with fetch': (postern, reached) =>
    listen(
      fetchServer(async (request, { socket }) => {
        const requirement = requirementOf(new URL(request.url).pathname.slice(1) as Target) as Requirement | undefined;
        const decision = await postern.authorize({
          ...readCredential(request.headers),
          method: request.method,
          zone: zone({ socket, headers: {} }),
          ...(requirement && { requirement }),
        });
        if (!decision.allowed) {
          const { status, headers, body } = answerTo(decision, { requirement });
          return new Response(body, { status, headers });
        }
        reached(decision.principal);
        return new Response('reached');
      }),
    ),
};

async function startNest(postern: Postern, reached: Reached, adapter: AbstractHttpAdapter): Promise<Running> {
  @Controller()
  class Targets {}
  for (const target of ALL_TARGETS) {
    const method = (principal: unknown) => {
      reached(principal);
      return 'reached';
    };
    const descriptor = { value: method, configurable: true };
    Object.defineProperty(Targets.prototype, target, descriptor);
    const requirement = requirementOf(target);
    if (requirement !== undefined) Requires(requirement as Requirement)(Targets.prototype, target, descriptor);
    All(`/${target}`)(Targets.prototype, target, descriptor);
    Caller()(Targets.prototype, target, 0);
  }
  @Module({ imports: [PosternModule.forRoot({ postern, zone })], controllers: [Targets] })
  class Application {}

  const app = await NestFactory.create(Application, adapter as never, { logger: false });
  app.getHttpAdapter().getType() === 'express' && app.getHttpAdapter().getInstance().disable('x-powered-by');
  await app.listen(0, '127.0.0.1');
  return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() };
}

/** What runtimes with fetch do, on `node:http`. */
function fetchServer(handle: (request: Request, incoming: IncomingMessage) => Promise<Response>): Server {
  return createServer(async (incoming, outgoing) => {
    const headers = new Headers();
    for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
      headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
    }
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const response = await handle(new Request(url, { headers, method: incoming.method ?? 'GET' }), incoming);
    const body = Buffer.from(await response.arrayBuffer());
    response.headers.set('content-length', String(body.length));
    outgoing.writeHead(response.status, [...response.headers].flat());
    outgoing.end(body);
  });
}

async function startExpress(express: typeof express5, postern: Postern, reached: Reached): Promise<Running> {
  const app = express();
  app.disable('x-powered-by');
  for (const target of ALL_TARGETS) {
    const requirement = requirementOf(target) ?? (() => undefined);
    app.all(`/${target}`, expressGuard(postern, requirement as Requirement, { zone }), (request, response) => {
      reached(request.principal);
      response.send('reached');
    });
  }
  return listen(createServer(app));
}

function listen(server: Server): Promise<Running> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () => new Promise((closed) => server.close(closed)),
      });
    });
  });
}
