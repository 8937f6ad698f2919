import type { NodeResponse } from '../../transports/node-answer.js';
import type { ManagementApi } from '../api.js';
import { serveNode } from './node.js';
import type { NodeRequest } from './to-request.js';

/** The part of a Fastify instance that is used here. */
export interface FastifyLike {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown;
  route(options: {
    readonly method: string[];
    readonly url: string;
    readonly config: object;
    readonly handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => unknown;
  }): unknown;
}

interface FastifyRequestLike {
  readonly raw: unknown;
}

interface FastifyReplyLike {
  readonly raw: unknown;
  hijack(): unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'];

/**
 * The API as a Fastify plugin. Register it with the API's `basePath` as its prefix. For `posternPlugin` its routes are public,
 * because the API checks credentials itself.
 *
 * @example
 * const api = managementApi(postern, { basePath: '/admin' });
 * await app.register(fastifyManagement(api), { prefix: '/admin' });
 */
export function fastifyManagement(api: ManagementApi): (app: FastifyLike) => Promise<void> {
  return async (app) => {
    // Fastify must not read bodies: the API refuses calls before it reads, and bounds the size.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of ['/', '/*']) {
      app.route({
        method: METHODS,
        url,
        config: { requirement: { public: true } },
        handler(request, reply) {
          reply.hijack();
          return serveNode(api, request.raw as NodeRequest, reply.raw as NodeResponse, { source: request });
        },
      });
    }
  };
}
