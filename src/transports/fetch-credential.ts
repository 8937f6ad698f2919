import { type Presented, readBearer, readProof, readRawToken } from './credential.js';

/**
 * The credential of a fetch `Request`. `Headers` joins duplicates with a comma, so they read as a list.
 *
 * @param header the header that holds the raw token, in lower case, or `null` for `Authorization`
 */
export function readFetchCredential(
  { headers, url }: Pick<Request, 'headers' | 'url'>,
  header: string | null,
): Presented {
  return readHeaders(headers, () => targetOf(url), header);
}

/** @param target of the request: its path, with its query */
export function readHeaders(headers: Headers, target: () => string, header: string | null): Presented {
  const authorization = headers.get('authorization') ?? undefined;
  return header === null
    ? readBearer(authorization, () => readProof(headers.get('dpop') ?? undefined, target()))
    : readRawToken(headers.get(header) ?? undefined, authorization !== undefined);
}

/** The URL without its origin, as Node has it, so that fetch and Node guards see the same proof. */
function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path < 0 ? url : url.slice(path);
}
