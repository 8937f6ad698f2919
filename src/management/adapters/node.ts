import { unpolluted } from '../../base/check.js';
import { denied } from '../../domain/decision.js';
import { httpAnswers } from '../../transports/http-answer.js';
import { type NodeResponse, sendAnswer, type WholeAnswer } from '../../transports/node-answer.js';
import { type NodeAsked, type NodeFace, nodeFaceOf } from '../../transports/node-face.js';
import { nodeHeader } from '../../transports/node-request.js';
import type { ManagementApi } from '../api.js';
import type { Arrival } from '../arrival.js';
import { MAX_BODY } from '../http/body.js';
import { type HeadersOfNode, type NodeRequest, toRequest } from './to-request.js';

/** A handler of `node:http`, which is a middleware of Express too. */
export type NodeHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => Promise<void>;

/**
 * The API as a handler of `node:http` and of Express. Mount it before body parsers, so that bodies of refused calls are not read.
 * With `next` (Express), unknown paths go on to the next handler.
 *
 * @example
 * app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
 */
export function toNodeHandler(api: ManagementApi): NodeHandler {
  const face = nodeFaceOf(api);
  if (face !== undefined) return (request, response) => serveFace(face, request, response);
  return (request, response, next) => serveNode(api, request, response, { source: request, next });
}

const UNREADABLE: WholeAnswer = { status: 400, headers: {}, body: '' };
const FAILED = httpAnswers()(denied('internal_error'));

async function serveFace(face: NodeFace, request: NodeRequest, response: NodeResponse): Promise<void> {
  const answer = await face(request as NodeAsked);
  const isLast = request.httpVersionMajor === 1 && leavesMuch(request);
  sendAnswer(response, isLast ? { ...answer, headers: { ...answer.headers, connection: 'close' } } : answer);
}

/** Never rejects, and never writes to an answer that someone else has begun. */
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
  // If a timeout has answered meanwhile, no other handler is needed.
  if (!response.writableEnded) next();
}

/**
 * What the API answers to a request of Node, in one piece. Never rejects.
 *
 * @param heard the request with the headers that its framework gives it
 */
export async function answerNode(
  api: ManagementApi,
  request: NodeRequest,
  arrival: Omit<Arrival, 'address'>,
  heard: HeadersOfNode = request,
): Promise<WholeAnswer> {
  let translated: Request | null;
  try {
    translated = toRequest(request, heard);
  } catch {
    // No `Request` can have this method, Host or header.
    return UNREADABLE;
  }
  if (translated === null) {
    arrival.onUnknownPath?.();
    return UNREADABLE;
  }
  try {
    const address = request.socket ? unpolluted(request.socket, 'remoteAddress') : undefined;
    const answer = await api(translated, { ...arrival, address });
    return await whole(answer, isLast(request, translated, answer, heard));
  } catch {
    return FAILED;
  }
}

/** Whether to close the connection: the rest of a body that is, or may be, too large is not waited for. */
function isLast(
  { httpVersionMajor }: NodeRequest,
  { body, bodyUsed }: Request,
  { status }: Response,
  heard: HeadersOfNode,
): boolean {
  return httpVersionMajor === 1 && (status === 413 || (body !== null && !bodyUsed && leavesMuch(heard)));
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
    // Read before anything is sent, so that a broken body never gives half an answer.
    body: new Uint8Array(await answer.arrayBuffer()),
  };
}

/** Whether the body is of unknown or too large size. On HTTP/1 the next request waits behind it. */
function leavesMuch(request: HeadersOfNode): boolean {
  const isUnknown = nodeHeader(request, 'transfer-encoding') !== undefined;
  return isUnknown || Number(nodeHeader(request, 'content-length') ?? 0) > MAX_BODY;
}
