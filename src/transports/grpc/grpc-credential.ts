import type { Metadata } from '@grpc/grpc-js';
import { type Places, type Presented, readPlaces } from '../credential.js';

/**
 * The credential of a call. Node drops a second `authorization` before anyone can see it. A comma list is malformed, and so is
 * repeated custom metadata, which Node joins with a comma.
 */
export function readGrpcCredential(metadata: Metadata, places: Places): Presented {
  return readPlaces(places, (key) => textOf(metadata, key));
}

function textOf(metadata: Metadata, key: string): string | undefined {
  const values = metadata.get(key);
  const [value] = values;
  return value === undefined ? undefined : values.length === 1 ? String(value) : values.join(', ');
}
