import { type Presented, readBearer, readProof, readRawToken } from './credential.js';

/**
 * The credential of a fetch `Request`. `Headers` joins duplicates with a comma, so they read as a list.
 *
 * @param header the header that holds the raw token, in lower case, or `null` for `Authorization`
 */
export function readFetchCredential({ headers, url }: Request, header: string | null): Presented {
  const authorization = headers.get('authorization') ?? undefined;
  return header === null
    ? readBearer(authorization, () => readProof(headers.get('dpop') ?? undefined, targetOf(url)))
    : readRawToken(headers.get(header) ?? undefined, authorization !== undefined);
}

/** The URL without its origin, as Node has it, so that fetch and Node guards see the same proof. */
function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path < 0 ? url : url.slice(path);
}
