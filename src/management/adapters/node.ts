import { unpolluted } from '../../base/check.js';
import { denied } from '../../domain/decision.js';
import { httpAnswers } from '../../transports/http-answer.js';
import { type NodeResponse, sendAnswer, type WholeAnswer } from '../../transports/node-answer.js';
import type { ManagementApi } from '../api.js';
import type { Arrival } from '../arrival.js';
import { MAX_BODY } from '../http/body.js';
import { type NodeRequest, toRequest } from './to-request.js';

/** A handler of `node:http`, which is a middleware of Express too. */
export type NodeHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => Promise<void>;

/**
 * The API as a handler of `node:http` and of Express. Mount it before body parsers: what is refused is not read. With
 * `next` (Express) a path that is none of the API's goes on to the next handler.
 *
 * @example
 * app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
 */
export function toNodeHandler(api: ManagementApi): NodeHandler {
  return (request, response, next) => serveNode(api, request, response, { source: request, next });
}

const FAILED = httpAnswers()(denied('internal_error'));

/** Never rejects, and writes to no answer that somebody else has begun. */
async function serveNode(
  api: ManagementApi,
  request: NodeRequest,
  response: NodeResponse,
  { source, next }: { readonly source: unknown; readonly next?: ((error?: unknown) => void) | undefined },
): Promise<void> {
  let unknown = false;
  const onUnknownPath = () => {
    unknown = true;
  };
  const answer = await answerNode(api, request, { source, ...(next !== undefined && { onUnknownPath }) });
  if (next === undefined || !unknown || answer === FAILED) return sendAnswer(response, answer);
  // What a timeout has answered meanwhile needs no other handler.
  if (!response.writableEnded) next();
}

/** What the API answers to a request of Node, in one piece. Never rejects. */
export async function answerNode(
  api: ManagementApi,
  request: NodeRequest,
  arrival: Omit<Arrival, 'address'>,
): Promise<WholeAnswer> {
  let translated: Request;
  try {
    translated = toRequest(request);
  } catch {
    // A method, a Host or a header that no `Request` can have.
    return { status: 400, headers: {}, body: '' };
  }
  try {
    const address = request.socket ? unpolluted(request.socket, 'remoteAddress') : undefined;
    const answer = await api(translated, { ...arrival, address });
    return await whole(answer, isLast(request, translated, answer));
  } catch {
    return FAILED;
  }
}

/** Nobody waits for the rest of a body that is too large, or for one that may be and was not looked at. */
function isLast({ httpVersionMajor }: NodeRequest, translated: Request, { status }: Response): boolean {
  return httpVersionMajor === 1 && (status === 413 || leavesMuch(translated));
}

async function whole(answer: Response, last: boolean): Promise<WholeAnswer> {
  const { status, headers } = answer;
  const cookies = headers.getSetCookie();
  return {
    status,
    headers: {
      ...Object.fromEntries([...headers].filter(([name]) => name !== 'set-cookie')),
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
      ...(last && { connection: 'close' }),
    },
    // Before anything is sent: a body that breaks off is no half an answer.
    body: new Uint8Array(await answer.arrayBuffer()),
  };
}

/** Whether a body was left unread that has no length, or more than is ever read. HTTP/1 carries nothing behind it until it ends. */
function leavesMuch(request: Request): boolean {
  if (request.body === null || request.bodyUsed) return false;
  return request.headers.has('transfer-encoding') || Number(request.headers.get('content-length') ?? 0) > MAX_BODY;
}
