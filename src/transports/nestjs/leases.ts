import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Observable } from 'rxjs';
import { after } from '../../base/runtime.js';
import type { Denied } from '../../domain/decision.js';
import { shared } from '../../domain/shared.js';
import { leasesOf } from '../../instance/leases-of.js';
import { GRACE, holdRequest, leaseNodeRequest, type NodeStream } from '../lease.js';
import { isSameQuestion, passagesOf } from '../once.js';
import { identityOf } from './call.js';
import type { PosternDenied } from './denial.js';

/** A client of `ws`, or of `socket.io`. */
interface Socket {
  once?(event: string, listener: () => void): unknown;
  /** Only of `socket.io`. */
  readonly connected?: boolean;
  disconnect?(close: boolean): unknown;
  /** Only of `ws`: 2 and 3 are closing and closed. */
  readonly readyState?: number;
  close?(code: number, reason: string): unknown;
  terminate?(): unknown;
}

/** The decisions that hold a socket, each once. */
interface Held {
  readonly passage: ReturnType<typeof passagesOf>[number];
  readonly lease: { close(): void };
}

const SOCKETS = /* @__PURE__ */ shared('nest-sockets', () => new WeakMap<Socket, Held[]>());

/** RFC 6455 section 7.4.1: the message violates the policy of the server. */
const POLICY_VIOLATION = 1008;

/**
 * Holds the decision that let a message of a socket through. A socket is closed when one of these decisions no longer holds,
 * because the answer to the message may have been a subscription.
 *
 * @param identity the message's, for which the guard asked
 */
export function holdSocket(socket: Socket, identity: object): void {
  const passage = passagesOf(identity).at(-1);
  if (passage === undefined || !isOpen(socket)) return;
  const held = SOCKETS.get(socket) ?? begun(socket);
  const { holding, attempt } = passage;
  if (held.some((each) => each.passage.holding === holding && isSameQuestion(each.passage.attempt, attempt))) return;
  held.push({ passage, lease: leasesOf(holding).open(attempt, (denial) => endSocket(socket, denial)) });
}

/** Of a client of another kind nobody would hear when it is gone: its messages are judged one by one. */
function isOpen({ once, readyState = 1, connected = true }: Socket): boolean {
  return typeof once === 'function' && readyState < 2 && connected;
}

function begun(socket: Socket): Held[] {
  const held: Held[] = [];
  SOCKETS.set(socket, held);
  for (const event of ['close', 'disconnect']) letGoAfter(event, socket, held);
  return held;
}

/** A client of `socket.io` can send events of any name, and they are emitted here: the socket tells whether it is over. */
function letGoAfter(event: string, socket: Socket, held: Held[]): void {
  socket.once?.(event, () => (isOpen(socket) ? letGoAfter(event, socket, held) : letGo(held)));
}

function letGo(held: Held[]): void {
  for (const { lease } of held.splice(0)) lease.close();
}

function endSocket(socket: Socket, { reason }: Denied): void {
  letGo(SOCKETS.get(socket) as Held[]);
  if (socket.disconnect !== undefined) socket.disconnect(true);
  else {
    socket.close?.(POLICY_VIOLATION, reason);
    // `ws` itself waits for 30 seconds for the client's goodbye.
    const cancel = after(GRACE, () => socket.terminate?.());
    socket.once?.('close', cancel);
  }
}

/**
 * Ends the answer of a handler that streams with the decision that let its call through: server-sent events end, a gRPC call
 * gets the denial as its status.
 */
export class StreamLease implements NestInterceptor {
  readonly #exception: (denial: Denied) => PosternDenied;

  constructor(exception: (denial: Denied) => PosternDenied) {
    this.#exception = exception;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const identity = identityOf(context);
    const isEvents = context.getType() === 'http';
    return new Observable((subscriber) => {
      const close = isEvents
        ? holdEvents(context, identity, () => subscriber.complete())
        : holdRequest(identity, (denial) => subscriber.error(this.#exception(denial)));
      subscriber.add(close);
      subscriber.add(next.handle().subscribe(subscriber));
    });
  }
}

/** Of a client that does not read, the connection is cut off. */
function holdEvents(context: ExecutionContext, request: object, end: () => void): () => void {
  const response = context.switchToHttp().getResponse<NodeStream & { readonly raw?: NodeStream }>();
  const { signal } = leaseNodeRequest(request, response.raw ?? response);
  signal.addEventListener('abort', end);
  // The lease ends with the connection, not with the handler: what it gave may still be on its way.
  return () => signal.removeEventListener('abort', end);
}
