import { type Places, type Presented, readPlaces, readProof } from './credential.js';

/**
 * The credential of a fetch `Request`. `Headers` joins duplicates with a comma, so they read as a list.
 */
export function readFetchCredential({ headers, url }: Pick<Request, 'headers' | 'url'>, places: Places): Presented {
  return readHeaders(headers, () => targetOf(url), places);
}

/** @param target of the request: its path, with its query */
export function readHeaders(headers: Pick<Headers, 'get'>, target: () => string, places: Places): Presented {
  return readPlaces(
    places,
    (name) => headers.get(name) ?? undefined,
    () => readProof(headers.get('dpop') ?? undefined, target()),
  );
}

/** The URL without its origin, as Node has it, so that fetch and Node guards see the same proof. */
function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path < 0 ? url : url.slice(path);
}
