import { unpolluted } from '../../base/check.js';
import { nodeHeader, nodeTarget } from '../../transports/node-request.js';

/**
 * A request with its method and address: a fetch `Request`, one of `node:http`, Express, Fastify or Hono (`context.req.raw`), or an
 * object with these three. For gRPC: `POST`, the method's full name, and the metadata.
 */
export interface HopRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Headers | Readonly<Record<string, unknown>>;
  /** Fastify: the request of Node. */
  readonly raw?: unknown;
}

/** The parts of a request that a hop is bound to; `null` where there is none. */
export interface ReadHopRequest {
  readonly method: string | null;
  /** As it was sent: absolute, or the target alone. */
  readonly target: string | null;
  /** The absolute address, if the request tells its host. */
  readonly url: string | null;
  header(name: string): string | undefined;
}

export function readHopRequest(request: HopRequest): ReadHopRequest {
  const { headers } = request;
  const method = request.method ?? null;
  if (isFetchHeaders(headers)) {
    const url = request.url ?? null;
    return { method, target: url, url, header: (name) => headers.get(name) ?? undefined };
  }
  const node = request as Parameters<typeof nodeHeader>[0];
  const header = (name: string) => nodeHeader(node, name);
  const target = nodeTarget(node) || null;
  const host = header('host') ?? header(':authority');
  const url = target === null || host === undefined || !target.startsWith('/') ? target : `http://${host}${target}`;
  return { method, target, url, header };
}

function isFetchHeaders(headers: HopRequest['headers']): headers is Headers {
  return typeof unpolluted(headers as Headers, 'get') === 'function';
}
