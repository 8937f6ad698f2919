import { unpolluted } from '../base/check.js';
import { originForm } from '../base/target.js';
import type { NodeAsked } from '../transports/node-face.js';
import { isCut, nodeHeader, nodeHeaderNames, nodeTarget } from '../transports/node-request.js';
import { ofSocket, type SocketRequest } from '../transports/zones.js';
import type { Heard } from './heard.js';
import { CUT, NO_HOST, NO_PATH, type Question } from './told.js';

/** Facts about a question that are not in its `Request`. `toNodeHandler` passes them. */
export interface Asker {
  /** The address of the peer's socket, or `'unix:'`. Without one the question is refused. */
  readonly address?: string | null | undefined;
  /** The framework's own request: its socket has the address. */
  readonly source?: unknown;
}

export function questionOfFetch(request: Request, asker: Asker): Question {
  return {
    peer: addressOf(asker),
    headers: request.headers,
    own() {
      const source = sourceOf(asker);
      if (source !== null && isCut(source)) return CUT;
      const { method, url, headers } = request;
      const { protocol, host, pathname, search } = new URL(url);
      return { method, host: headers.get('host') ?? host, target: pathname + search, scheme: protocol.slice(0, -1) };
    },
  };
}

/** A runtime may pass something of its own as the second argument. */
function addressOf(asker: Asker): unknown {
  if (typeof asker !== 'object' || asker === null) return undefined;
  const source = sourceOf(asker);
  return unpolluted(asker, 'address') ?? (source === null ? undefined : ofSocket(source).address);
}

/** The request of Node, if the framework has one. */
function sourceOf(asker: Asker): SocketRequest | null {
  if (typeof asker !== 'object' || asker === null) return null;
  const source = unpolluted(asker, 'source');
  const isNode = typeof source === 'object' && source !== null && 'socket' in source && 'headers' in source;
  return isNode ? (source as SocketRequest) : null;
}

/** The same without a `Request`, which takes longer to make than the whole answer. */
export function questionOfNode(request: NodeAsked): Question {
  return {
    peer: ofSocket(request).address,
    headers: {
      get: (name) => nodeHeader(request, name) ?? null,
      keys: () => nodeHeaderNames(request),
    } satisfies Heard,
    own() {
      if (isCut(request)) return CUT;
      const target = originForm(nodeTarget(request) || '/');
      if (target === null) return NO_PATH;
      const { socket, method = 'GET' } = request;
      const [named, authority] = [nodeHeader(request, 'host'), nodeHeader(request, ':authority')];
      if (named !== undefined && authority !== undefined && named !== authority) return NO_HOST;
      const host = named ?? authority ?? 'localhost';
      const scheme = socket !== null && unpolluted(socket, 'encrypted') ? 'https' : 'http';
      return { method, host, target, scheme };
    },
  };
}
