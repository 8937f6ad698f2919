import type { IncomingMessage, ServerResponse } from 'node:http';
import { unpolluted } from '../base/check.js';
import { type Allowed, type Decision, type Denied, denied } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { asker, isPromise, type RequirementFor, reporter } from './ask.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { httpAnswers } from './http-answer.js';
import { type Lease, leaseNodeRequest, type NodeStream } from './lease.js';
import { type NodeResponse, sendAnswer } from './node-answer.js';
import { readNodeCredential } from './node-credential.js';
import type { NodeRequest } from './node-request.js';
import { rateLimitHeaders } from './rate-limit-headers.js';

/** A request of `node:http`, `node:https` or `node:http2`. */
export interface NodeHttpRequest extends NodeRequest {
  readonly method?: string | undefined;
}

/** What a handler gets beside the request and the response. */
export interface NodeGuardContext<T extends TokenTypes = TokenTypes> {
  /** Who calls; `null` where no credential was needed. */
  readonly principal: Principal<T> | null;
}

/** Options of the `guard` of `postern/node`. */
export interface NodeGuardOptions<In, Out> extends HttpGuardOptions<In> {
  /**
   * Answers a denied request in the application's own form. Where it has not begun an answer by the time it returns (or
   * its promise settles), the standard one is sent. The handler does not run, whatever it does.
   */
  readonly onDenied?: ((denial: Denied, request: In, response: Out) => unknown) | undefined;
}

const readOptions = optionsReader('guard of postern/node', httpOptions);

/** How a request of Node is asked about. */
export const NODE_READING = {
  transport: 'node' as const,
  methodOf: (request: NodeHttpRequest) => request.method,
  identityOf: (request: NodeHttpRequest) => request,
};

/**
 * Puts a requirement in front of a handler of `node:http`, `node:https` or `node:http2`. A handler that throws, or whose
 * promise rejects, before it has begun an answer is answered for: 500, and an event says why.
 *
 * @example
 * createServer(guard(postern, { endpoint: 'summarizer' }, (request, response, { principal }) => response.end(principal?.owner)));
 * @throws PosternError `requirement_invalid`, `scope_unknown`, `option_invalid`, `option_unknown`
 */
export function guard<
  T extends TokenTypes,
  In extends NodeHttpRequest = IncomingMessage,
  Out extends NodeResponse = ServerResponse,
>(
  postern: Postern<T>,
  requirement: RequirementFor<NoInfer<In>, T>,
  handler: (request: In, response: Out, context: NodeGuardContext<T>) => unknown,
  options?: NodeGuardOptions<NoInfer<In>, NoInfer<Out>>,
): (request: In, response: Out) => void {
  const { zone, header, onDenied, ...challenge } = readOptions(options);
  const ask = asker<In, T>(postern, requirement, zone, NODE_READING);
  const report = reporter(postern, 'node');
  const answer = httpAnswers(challenge);

  return (request, response) => {
    const fail = (error: unknown) => sendAnswer(response, answer(report(error)));
    const decision = ask(request, readNodeCredential(request, header));
    if (!(decision instanceof Promise)) return settle(decision);
    const wasOver = response.writableEnded;
    void decision
      // Answered while the decision was pending, by a timeout: nobody waits for the handler.
      .then((settled) => (settled.allowed && !wasOver && response.writableEnded ? undefined : settle(settled)))
      .catch(fail);

    function settle(settled: Decision<T>): void {
      if (settled.allowed) pass(settled);
      else void deny(settled).catch(fail);
    }

    /** Makes no promise for a handler that makes none: three of them take as long as the decision. */
    function pass(allowed: Allowed<T>): void {
      try {
        const limit = unpolluted(allowed, 'limit');
        if (limit !== undefined && !response.headersSent) {
          for (const [name, value] of Object.entries(rateLimitHeaders(limit))) response.setHeader(name, value);
        }
        setStream(request, response as unknown as NodeStream);
        const handled = handler(request, response, { principal: allowed.principal });
        if (isPromise(handled)) void Promise.resolve(handled).catch(fail);
      } catch (error) {
        fail(error);
      }
    }

    async function deny(denial: Denied): Promise<void> {
      try {
        await onDenied?.(denial, request, response);
        if (response.headersSent) return;
      } catch (error) {
        report(error);
      }
      sendAnswer(response, answer(denial));
    }
  };
}

/** The property of a request that a guard let through: its response, or the socket of an upgrade. */
const STREAM = Symbol.for('postern.stream');

/** Keeps the stream of a request, for its leases. Unlike the passages it proves nothing, so a property does. */
export function setStream(request: WithStream, stream: NodeStream): void {
  request[STREAM] = stream;
}

/**
 * A lease of the decision that let this request, or this upgrade, through, for a stream that stays open. It ends with the response,
 * or with the socket of the upgrade. What is still open two seconds after the signal is cut off.
 *
 * @example
 * server.on('upgrade', guardUpgrade(postern, { endpoint: 'chat' }, (request, socket, head) => {
 *   sockets.handleUpgrade(request, socket, head, (webSocket) => {
 *     leaseOf(request).signal.addEventListener('abort', () => webSocket.close(1008));
 *   });
 * }));
 * @throws PosternError `guard_missing` where no guard let this request through
 */
export function leaseOf(request: NodeHttpRequest): Lease {
  return leaseNodeRequest(request, (request as WithStream)[STREAM] ?? null);
}

type WithStream = NodeHttpRequest & { [STREAM]?: NodeStream };

/** A last handler whose answer is that of an unknown or private endpoint, to the byte. */
export function notFound(): (request: NodeHttpRequest, response: NodeResponse) => void {
  const answer = httpAnswers()(denied('endpoint_unknown'));
  return (_request, response) => sendAnswer(response, answer);
}
