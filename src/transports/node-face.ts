import type { NodeRequest } from './node-request.js';
import type { HttpAnswer } from './problem.js';
import type { SocketRequest } from './zones.js';

/** A request of Node as a gateway reads it. */
export interface NodeAsked extends NodeRequest {
  readonly method?: string | undefined;
  readonly socket: (SocketRequest['socket'] & { readonly encrypted?: boolean }) | null;
}

/** Answers a request of Node without making a fetch `Request` of it. Never rejects. */
export type NodeFace = (request: NodeAsked) => Promise<HttpAnswer>;

const FACES = new WeakMap<object, NodeFace>();

/** Gives a fetch handler a second form, with the same answers, for `toNodeHandler`. */
export function setNodeFace(handler: object, face: NodeFace): void {
  FACES.set(handler, face);
}

export function nodeFaceOf(handler: object): NodeFace | undefined {
  return FACES.get(handler);
}
