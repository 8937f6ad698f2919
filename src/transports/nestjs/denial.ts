import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import type { Denied } from '../../domain/decision.js';
import { type NodeResponse, sendAnswer } from '../node-answer.js';
import type { HttpAnswer } from '../problem.js';
import { STATUSES } from '../rpc-status.js';

/** A denied call, as exception filters of an application see it. `getResponse()` is the problem (RFC 9457). */
export class PosternDenied extends HttpException {
  readonly denial: Denied;
  /** The answer over HTTP: its headers have the challenge. */
  readonly answer: HttpAnswer;

  constructor(denial: Denied, answer: HttpAnswer) {
    super(JSON.parse(answer.body), answer.status);
    this.denial = denial;
    this.answer = answer;
  }
}

interface FastifyReply {
  readonly raw: { readonly headersSent: boolean };
  code(status: number): FastifyReply;
  headers(headers: object): FastifyReply;
  send(body: unknown): unknown;
}

interface SocketClient {
  /** Only a client of `socket.io` has it. */
  readonly handshake?: unknown;
  emit(event: string, data: unknown): unknown;
  send(text: string): unknown;
}

/** Answers a denied call as every guard does, in the protocol of the call. */
export class PosternDeniedFilter implements ExceptionFilter<PosternDenied> {
  catch({ denial, answer }: PosternDenied, host: ArgumentsHost): Observable<never> | undefined {
    const kind = host.getType<string>();
    if (kind === 'rpc') {
      const { code, details } = STATUSES[denial.reason];
      return throwError(() => ({ code, details, message: details }));
    }
    if (kind === 'ws') sendException(host.switchToWs().getClient(), answer);
    if (kind !== 'http') return undefined;
    const response = host.switchToHttp().getResponse<NodeResponse | FastifyReply>();
    if (!('raw' in response)) sendAnswer(response, answer);
    // As bytes: to a string Fastify would add a charset.
    else if (!response.raw.headersSent) {
      response.code(answer.status).headers(answer.headers).send(new TextEncoder().encode(answer.body));
    }
    return undefined;
  }
}

/** The event `exception`, as Nest's own filter sends it, with the problem as its data. */
function sendException(client: SocketClient, { body }: HttpAnswer): void {
  const data: unknown = { ...JSON.parse(body), status: 'error' };
  if (client.handshake !== undefined) client.emit('exception', data);
  else client.send(JSON.stringify({ event: 'exception', data }));
}

// Without a compiler's decorators: what is built here runs as it is.
Catch(PosternDenied)(PosternDeniedFilter);
