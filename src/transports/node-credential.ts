import { type Places, type Presented, readPlaces, readProof } from './credential.js';
import { type NodeRequest, nodeHeader, nodeTarget } from './node-request.js';

/**
 * The credential of a Node request.
 *
 * @param headers the headers as the framework gives them: those that a hook of Fastify has set count
 */
export function readNodeCredential(request: NodeRequest, places: Places, headers = request.headers): Presented {
  return readPlaces(
    places,
    (name) => nodeHeader(request, name, headers),
    () => readProof(nodeHeader(request, 'dpop', headers), nodeTarget(request)),
  );
}
