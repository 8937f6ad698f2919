import { withHeaders } from '../../transports/node-request.js';
import type { ManagementApi } from '../api.js';
import { answerNode } from './node.js';
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
  readonly headers: NodeRequest['headers'];
}

interface FastifyReplyLike {
  readonly sent: boolean;
  readonly raw: { readonly headersSent: boolean };
  code(status: number): unknown;
  headers(headers: object): unknown;
  send(body: unknown): unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'PUT', 'OPTIONS'];

/**
 * The API as a Fastify plugin. Register it with the API's `basePath` as its prefix. For `posternPlugin` its routes are public,
 * because the API checks credentials itself. Its answers pass the hooks of the instance: CORS, compression, request ids.
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
        async handler(request, reply) {
          const raw = request.raw as NodeRequest;
          const heard = withHeaders(raw, request.headers);
          const { status, headers, body } = await answerNode(api, raw, { source: request }, heard);
          // Somebody else has answered meanwhile.
          if (reply.sent || reply.raw.headersSent) return reply;
          reply.code(status);
          reply.headers(headers);
          return reply.send(body.length === 0 ? undefined : body);
        },
      });
    }
  };
}
