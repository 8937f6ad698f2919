import { type Presented, readBearer, readProof, readRawToken } from './credential.js';

/** What is read of a request of `node:http` or `node:http2`. */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
  readonly url?: string | undefined;
  /** What `url` was before a router took its own part away. */
  readonly originalUrl?: string | undefined;
}

const AUTHORIZATION = 'authorization';

/**
 * The credential of a Node request. Node keeps the first of several `Authorization` headers and drops the rest without a
 * word, so duplicates are counted in the raw headers.
 *
 * @param header the header that holds the raw token, in lower case, or `null` for `Authorization`
 */
export function readNodeCredential(request: NodeRequest, header: string | null): Presented {
  const authorization = single(request.headers[AUTHORIZATION]);
  if (header === null) {
    if (authorization === undefined) return readBearer(undefined, false);
    return readBearer(authorization, comesTwice(request.rawHeaders, AUTHORIZATION), () =>
      // Its own property only: what a polluted prototype adds is no address that anyone asked for.
      readProof(
        single(request.headers.dpop),
        (Object.hasOwn(request, 'originalUrl') ? request.originalUrl : request.url) ?? '',
      ),
    );
  }
  const raw = single(request.headers[header]);
  const duplicated = raw !== undefined && comesTwice(request.rawHeaders, header);
  return readRawToken(raw, duplicated, authorization !== undefined);
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function comesTwice(rawHeaders: readonly string[], name: string): boolean {
  let times = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i] as string;
    if (each.length === name.length && each.toLowerCase() === name && ++times > 1) return true;
  }
  return false;
}
