import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Decision, Denied } from '../domain/decision.js';
import type { Principal } from '../domain/principal.js';
import type { TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { asker, type RequirementFor, reporter } from './ask.js';
import { type HttpGuardOptions, httpOptions, optionsReader } from './guard-options.js';
import { httpAnswers } from './http-answer.js';
import { NODE_READING, type NodeGuardContext, setStream } from './node.js';
import { readNodeCredential } from './node-credential.js';
import { type HttpAnswer, TITLES } from './problem.js';

/** Options of `guardUpgrade`. */
export interface UpgradeGuardOptions extends HttpGuardOptions<IncomingMessage> {
  /** Is told of a denial, and can't change it. What it throws is an event. */
  readonly onDenied?: ((denial: Denied, request: IncomingMessage) => void) | undefined;
}

const readOptions = optionsReader('guardUpgrade', httpOptions);

/**
 * Puts a requirement in front of an upgrade of `node:http`, such as the handshake of a WebSocket. A handshake that is denied
 * gets the answer that a request would get, and its socket is closed. The handler never sees it.
 *
 * @example
 * server.on('upgrade', guardUpgrade(postern, { endpoint: 'chat' }, (request, socket, head, { principal }) => {
 *   sockets.handleUpgrade(request, socket, head, (socket) => sockets.emit('connection', socket, request, principal));
 * }));
 * @throws PosternError `requirement_invalid`, `scope_unknown`, `option_invalid`, `option_unknown`
 */
export function guardUpgrade<T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<IncomingMessage, T>,
  handler: (request: IncomingMessage, socket: Duplex, head: Buffer, context: NodeGuardContext<T>) => unknown,
  options?: UpgradeGuardOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { zone, header, onDenied, ...challenge } = readOptions(options);
  const ask = asker<IncomingMessage, T>(postern, requirement, zone, NODE_READING);
  const report = reporter(postern, 'node');
  const answer = httpAnswers(challenge);

  return (request, socket, head) => {
    // Node has taken its own listener away: a client that breaks off would end the process.
    const ignore = () => {};
    socket.on('error', ignore);
    const fail = (error: unknown) => refuse(socket, answer(report(error)));
    const decision = ask(request, readNodeCredential(request, header));
    if (decision instanceof Promise) void decision.then(settle).catch(fail);
    else void settle(decision).catch(fail);

    async function settle(settled: Decision<T>): Promise<void> {
      // Gone while the decision was pending.
      if (socket.destroyed) return;
      if (settled.allowed) {
        socket.off('error', ignore);
        setStream(request, socket);
        return take(settled.principal);
      }
      // It may be an async function. Nobody waits for it.
      void tell(settled).catch(report);
      refuse(socket, answer(settled));
    }

    async function tell(denial: Denied): Promise<void> {
      await onDenied?.(denial, request);
    }

    async function take(principal: Principal<T> | null): Promise<void> {
      try {
        await handler(request, socket, head, { principal });
      } catch (error) {
        report(error);
        // The handler may have begun to speak another protocol: no answer of HTTP fits any more.
        socket.destroy();
      }
    }
  };
}

/** Answers on the bare socket, and closes it: the server would leave its half open for as long as the client does. */
function refuse(socket: Duplex, { status, headers, body }: HttpAnswer): void {
  if (socket.destroyed) return;
  const lines = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${TITLES[status]}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
}
