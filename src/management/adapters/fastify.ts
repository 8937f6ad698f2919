import type { NodeResponse } from '../../transports/node-answer.js';
import { withHeaders } from '../../transports/node-request.js';
import type { ManagementApi } from '../api.js';
import { serveNode } from './node.js';
import type { NodeRequest } from './to-request.js';

/** What is used of a Fastify instance. */
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
  readonly headers: NodeRequest['headers'];
}

interface FastifyReplyLike {
  readonly raw: unknown;
  hijack(): unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'];

/**
 * The API as a Fastify plugin. Give `register` the prefix that is the API's `basePath`. Beside `posternPlugin` it declares
 * itself public: the API looks at credentials itself.
 *
 * @example
 * const api = managementApi(postern, { basePath: '/admin' });
 * await app.register(fastifyManagement(api), { prefix: '/admin' });
 */
export function fastifyManagement(api: ManagementApi): (app: FastifyLike) => Promise<void> {
  return async (app) => {
    // Left unread: the API bounds what it reads, and refuses before it does.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const url of ['/', '/*']) {
      app.route({
        method: METHODS,
        url,
        config: { requirement: { public: true } },
        handler(request, reply) {
          reply.hijack();
          const raw = request.raw as NodeRequest;
          const heard = withHeaders(raw, request.headers);
          return serveNode(api, raw, reply.raw as NodeResponse, { source: request, heard });
        },
      });
    }
  };
}
