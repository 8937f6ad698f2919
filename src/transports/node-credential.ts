import { type Presented, readBearer, readProof, readRawToken } from './credential.js';
import { type NodeRequest, nodeHeader, nodeTarget } from './node-request.js';

const AUTHORIZATION = 'authorization';

/**
 * The credential of a Node request.
 *
 * @param header the header that holds the raw token, in lower case, or `null` for `Authorization`
 */
export function readNodeCredential(request: NodeRequest, header: string | null): Presented {
  const authorization = nodeHeader(request, AUTHORIZATION);
  return header === null
    ? readBearer(authorization, () => readProof(nodeHeader(request, 'dpop'), nodeTarget(request)))
    : readRawToken(nodeHeader(request, header), authorization !== undefined);
}
