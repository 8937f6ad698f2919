import type { Metadata } from '@grpc/grpc-js';
import { type Presented, readBearer, readRawToken } from '../credential.js';

const AUTHORIZATION = 'authorization';

/**
 * The credential of a call. Node has dropped a second `authorization` before anyone can see it; a comma list, and repeated
 * custom metadata (which Node joins with a comma), are malformed.
 *
 * @param header the key that holds the raw token, in lower case, or `null` for `authorization`
 */
export function readGrpcCredential(metadata: Metadata, header: string | null): Presented {
  const authorization = metadata.get(AUTHORIZATION);
  if (header === null) return readBearer(authorization[0]?.toString(), authorization.length > 1);
  const raw = metadata.get(header);
  return readRawToken(raw[0]?.toString(), raw.length > 1, authorization.length > 0);
}
