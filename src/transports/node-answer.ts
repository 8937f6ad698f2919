import type { HttpAnswer } from './problem.js';

/** What is used of a response of `node:http`, `node:http2` or a framework on them. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  end(body: string | Uint8Array): unknown;
  destroy?(): unknown;
}

/** An answer, its body in one piece. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

/**
 * Sends an answer at once, or not at all: the only place where one is written to a response of Node. It never throws. An answer
 * that somebody else has begun (a timeout, while the decision was pending) is not gone on with: unless it is over, its
 * connection is cut, for nobody would end it.
 */
export function sendAnswer(response: NodeResponse, { status, headers, body }: HttpAnswer | WholeAnswer): void {
  try {
    if (!response.headersSent && !response.writableEnded) {
      response.statusCode = status;
      for (const name of Object.keys(headers)) response.setHeader(name, headers[name] as string | readonly string[]);
      response.end(body);
    } else if (!response.writableEnded) cutOff(response);
  } catch {
    // A client that is gone, or headers that can't be sent.
    cutOff(response);
  }
}

function cutOff(response: NodeResponse): void {
  try {
    response.destroy?.();
  } catch {}
}
