import type { Metadata } from '@grpc/grpc-js';
import type { ExecutionContext } from '@nestjs/common';
import { shared } from '../../domain/shared.js';
import { MISSING, type Places, type Presented } from '../credential.js';
import { readGrpcCredential } from '../grpc/grpc-credential.js';
import { readNodeCredential } from '../node-credential.js';
import type { NodeRequest } from '../node-request.js';
import type { PeerCall, SocketRequest } from '../zones.js';

/** A call that Nest hands to a guard, as this package reads it. */
export interface NestCall {
  readonly kind: 'http' | 'rpc' | 'ws';
  readonly context: ExecutionContext;
  /** What every guard of this call sees, and no other call's. */
  readonly identity: object;
  readonly method: string | undefined;
  /** What the zone is told by; of a WebSocket the handshake. */
  readonly request: SocketRequest | PeerCall;
  readonly presented: Presented;
}

interface HttpRequest extends NodeRequest, SocketRequest {
  readonly method?: string;
  readonly headers: NodeRequest['headers'];
  /** Of Fastify's request, Node's. */
  readonly raw?: HttpRequest;
}

interface GrpcCall extends PeerCall {
  readonly metadata: Metadata;
  getPath?(): string;
}

/** A client of `socket.io` has the request of its handshake; one of `ws` is noted by the gateway. */
interface SocketClient {
  readonly request?: HttpRequest;
}

const HANDSHAKES = /* @__PURE__ */ shared('nest-handshakes', () => new WeakMap<object, HttpRequest>());

/**
 * Notes the handshake of a client of `ws`, which doesn't have it itself: its credential stands there. Without it every message
 * of such a client comes without a credential. Clients of `socket.io` need none.
 *
 * @example
 * handleConnection(client: WebSocket, request: IncomingMessage) { noteHandshake(client, request); }
 */
export function noteHandshake(client: object, request: NodeRequest & SocketRequest): void {
  HANDSHAKES.set(client, request);
}

const NOWHERE: SocketRequest & NodeRequest = Object.freeze({ socket: null, headers: Object.freeze({}) });

/** @throws Error for a kind of call that is not known here */
export function callOf(context: ExecutionContext, places: Places): NestCall {
  const kind = context.getType<string>();
  const identity = identityOf(context);
  if (kind === 'http') {
    const request = identity as HttpRequest;
    return {
      kind,
      context,
      identity,
      method: Reflect.get(request, 'method'),
      request,
      presented: readNodeCredential(request, places, Reflect.get(request, 'headers')),
    };
  }
  if (kind === 'rpc') {
    const call = context.getArgByIndex<Partial<GrpcCall> | undefined>(2);
    // Microservices other than gRPC have no place for a credential.
    if (typeof call?.getPeer !== 'function' || call.metadata === undefined) {
      return { kind, context, identity, method: undefined, request: NOWHERE, presented: MISSING };
    }
    const { metadata } = call;
    return {
      kind,
      context,
      identity,
      method: call.getPath?.(),
      request: call as GrpcCall,
      presented: readGrpcCredential(metadata, places),
    };
  }
  if (kind === 'ws') {
    const client = context.switchToWs().getClient<SocketClient>();
    const request = HANDSHAKES.get(client) ?? client.request ?? NOWHERE;
    const presented = readNodeCredential(request, places);
    return {
      kind,
      context,
      // Each message is a use of its own; a proof, which is good once, is the handshake's. Without one a header `DPoP` means nothing.
      identity: presented.proof === null ? {} : request,
      method: context.switchToWs().getPattern(),
      request,
      presented,
    };
  }
  throw new Error(`postern/nestjs guards HTTP, gRPC and WebSockets, and this is a call of the kind "${kind}"`);
}

/** The object by which a principal is found again in the handler. */
export function identityOf(context: ExecutionContext): object {
  const kind = context.getType<string>();
  if (kind === 'http') {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    // Express's requests have no `raw`. A plain read of what is not there is slow on them.
    return (Reflect.get(request, 'raw') as object | undefined) ?? request;
  }
  if (kind === 'rpc') return context.getArgByIndex<object | undefined>(2) ?? context.getArgByIndex(1) ?? context;
  const data: unknown = context.getArgByIndex(1);
  return typeof data === 'object' && data !== null ? data : context.switchToWs().getClient();
}
