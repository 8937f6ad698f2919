import { unpolluted } from '../../base/check.js';
import { denied } from '../../domain/decision.js';
import { httpAnswers } from '../../transports/http-answer.js';
import { type NodeResponse, sendAnswer, type WholeAnswer } from '../../transports/node-answer.js';
import type { ManagementApi } from '../api.js';
import { MAX_BODY } from '../http/body.js';
import { type HeadersOfNode, type NodeRequest, toRequest } from './to-request.js';

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

const UNREADABLE: WholeAnswer = { status: 400, headers: {}, body: '' };
const FAILED = httpAnswers()(denied('internal_error'));

/** Never rejects, and writes to no answer that somebody else has begun. */
export async function serveNode(
  api: ManagementApi,
  request: NodeRequest,
  response: NodeResponse,
  {
    source,
    next,
    heard = request,
  }: {
    readonly source: unknown;
    readonly next?: ((error?: unknown) => void) | undefined;
    /** The request with its framework's headers. */
    readonly heard?: HeadersOfNode;
  },
): Promise<void> {
  let translated: Request | null;
  try {
    translated = toRequest(request, heard);
  } catch {
    // A method, a Host or a header that no `Request` can have.
    return sendAnswer(response, UNREADABLE);
  }
  // No path of ours: the next handler takes it as it came.
  if (translated === null) return next === undefined ? sendAnswer(response, UNREADABLE) : next();
  let unknown = false;
  const onUnknownPath = () => {
    unknown = true;
  };
  try {
    const address = request.socket ? unpolluted(request.socket, 'remoteAddress') : undefined;
    const answer = await api(translated, { source, address, ...(next !== undefined && { onUnknownPath }) });
    if (next === undefined || !unknown)
      return sendAnswer(response, await whole(answer, isLast(request, translated, answer)));
    // What a timeout has answered meanwhile needs no other handler.
    if (!response.writableEnded) next();
  } catch {
    sendAnswer(response, FAILED);
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
