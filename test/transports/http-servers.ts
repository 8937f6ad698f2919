import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express5 from 'express';
// @ts-expect-error: Express 4 under another name has no types; those of 5 serve
import express4 from 'express4';
import fastify from 'fastify';
import type { Postern, Requirement } from 'postern';
import { guard as expressGuard } from 'postern/express';
import { posternPlugin } from 'postern/fastify';
import { guard as fetchGuard } from 'postern/fetch';
import { internalNetworks } from 'postern/zones';
import { TARGETS, type Target } from './cases.js';

export interface Running {
  readonly port: number;
  close(): Promise<unknown>;
}

type Start = (postern: Postern, reached: (principal: unknown) => void) => Promise<Running>;

/** Callers from 127.0.0.2 are internal. */
export const INSIDE = '127.0.0.2';
const zone = internalNetworks([INSIDE]);

/** The requirement of each target as a value or a function. `undefined` declares none. */
function requirementOf(target: Target): Requirement | (() => never) | (() => Promise<never>) | undefined {
  switch (target) {
    case 'undeclared':
      return undefined;
    case 'throws':
      return () => {
        throw new Error('secret detail');
      };
    case 'rejects':
      return () => Promise.reject(new Error('secret detail'));
    case 'unknown-scope':
      return (() => ({ scope: 'models:paint' })) as unknown as () => never;
    default:
      return TARGETS[target];
  }
}

const ALL: readonly Target[] = [
  ...(Object.keys(TARGETS) as (keyof typeof TARGETS)[]),
  'undeclared',
  'throws',
  'rejects',
  'unknown-scope',
];

export const HTTP_SERVERS: Readonly<Record<'express 5' | 'express 4' | 'fastify' | 'fetch', Start>> = {
  'express 5': (postern, reached) => startExpress(express5, postern, reached),
  'express 4': (postern, reached) => startExpress(express4 as unknown as typeof express5, postern, reached),

  async fastify(postern, reached) {
    const app = fastify();
    await app.register(posternPlugin, { postern, zone });
    for (const target of ALL) {
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

  async fetch(postern, reached) {
    const handlers = new Map(
      ALL.map((target) => [
        `/${target}`,
        fetchGuard(
          postern,
          (requirementOf(target) ?? (() => undefined)) as Requirement,
          (_request, { principal }, _address: string | undefined) => {
            reached(principal);
            return new Response('reached');
          },
          { zone: (_request, address) => zone({ socket: { remoteAddress: address }, headers: {} }) },
        ),
      ]),
    );
    return listen(
      createServer(async (incoming, outgoing) => {
        const headers = new Headers();
        for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
          headers.append(incoming.rawHeaders[i] as string, incoming.rawHeaders[i + 1] as string);
        }
        const url = new URL(incoming.url ?? '/', 'http://localhost');
        const handler = handlers.get(url.pathname);
        const request = new Request(url, { headers, method: incoming.method ?? 'GET' });
        const response =
          (await handler?.(request, incoming.socket.remoteAddress)) ?? new Response(null, { status: 404 });
        const body = Buffer.from(await response.arrayBuffer());
        response.headers.set('content-length', String(body.length));
        outgoing.writeHead(response.status, [...response.headers].flat());
        outgoing.end(body);
      }),
    );
  },
};

async function startExpress(
  express: typeof express5,
  postern: Postern,
  reached: (principal: unknown) => void,
): Promise<Running> {
  const app = express();
  app.disable('x-powered-by');
  for (const target of ALL) {
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
