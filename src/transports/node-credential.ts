import { type Places, type Presented, readPlaces, readProof } from './credential.js';
import { type NodeRequest, nodeHeader, nodeTarget } from './node-request.js';

/** The credential of a Node request. */
export function readNodeCredential(request: NodeRequest, places: Places): Presented {
  return readPlaces(
    places,
    (name) => nodeHeader(request, name),
    () => readProof(nodeHeader(request, 'dpop'), nodeTarget(request)),
  );
}
