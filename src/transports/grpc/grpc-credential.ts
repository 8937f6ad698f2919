import type { Metadata } from '@grpc/grpc-js';
import { type Presented, readBearer, readRawToken } from '../credential.js';

const AUTHORIZATION = 'authorization';

/**
 * The credential of a call. Node drops a second `authorization` before anyone can see it. A comma list is malformed, and so is
 * repeated custom metadata, which Node joins with a comma.
 *
 * @param header the key that holds the raw token, in lower case, or `null` for `authorization`
 */
export function readGrpcCredential(metadata: Metadata, header: string | null): Presented {
  const authorization = textOf(metadata, AUTHORIZATION);
  return header === null
    ? readBearer(authorization)
    : readRawToken(textOf(metadata, header), authorization !== undefined);
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  return values.length === 0 ? undefined : values.join(', ');
}
