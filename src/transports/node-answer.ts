import type { HttpAnswer } from './problem.js';

/** The part of a response of `node:http`, `node:http2` or a framework on them that is used here. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: string | readonly string[]): unknown;
  end(body: string | Uint8Array): unknown;
  destroy?(): unknown;
}

/** An answer with its whole body. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Uint8Array;
}

/**
 * Sends a whole answer, or nothing. All answers to Node responses go through here. It never throws. If someone else has begun an
 * answer (a timeout, while the decision was pending) and not ended it, the connection is cut, because nobody else would end
 * it.
 */
export function sendAnswer(response: NodeResponse, { status, headers, body }: HttpAnswer | WholeAnswer): void {
  try {
    if (!response.headersSent && !response.writableEnded) {
      response.statusCode = status;
      for (const name of Object.keys(headers)) response.setHeader(name, headers[name] as string | readonly string[]);
      response.end(body);
    } else if (!response.writableEnded) cutOff(response);
  } catch {
    // The client is gone, or the headers can't be sent.
    cutOff(response);
  }
}

function cutOff(response: NodeResponse): void {
  try {
    response.destroy?.();
  } catch {}
}
