import { unpolluted } from '../base/check.js';

/** The part of a request of `node:http`, `node:http2` or a serverless adapter that is read here. */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, as they were received. Not every runtime has them. */
  readonly rawHeaders?: readonly string[] | undefined;
  readonly url?: string | undefined;
  /** `url` as it was before a router cut off its mount path. */
  readonly originalUrl?: string | undefined;
}

/**
 * A header of a Node request, as every guard and the management API read it. Changes by middleware count, deletions too. Node
 * silently keeps only the first of several `Authorization` headers. If the runtime has the raw headers, several become a list,
 * as in `Headers`.
 *
 * @param name in lower case
 */
export function nodeHeader(request: NodeRequest, name: string, headers = request.headers): string | undefined {
  const value: unknown = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined || value === null) return undefined;
  const text = trimmed(Array.isArray(value) ? value.join(', ') : String(value));
  // Cookies are joined with a semicolon.
  if (name === 'cookie' || text.indexOf(',') >= 0) return text;
  const dropped = secondValue(unpolluted(request, 'rawHeaders') ?? [], name);
  return dropped === undefined ? text : `${text}, ${dropped}`;
}

/** The names that {@link nodeHeader} reads: only those in lower case, and no pseudo-headers. */
export function nodeHeaderNames({ headers }: NodeRequest): string[] {
  return Object.keys(headers).filter(
    (name) =>
      !name.startsWith(':') && name === name.toLowerCase() && headers[name] !== undefined && headers[name] !== null,
  );
}

/** The most headers of a request that Node reads, unless its server says otherwise (`maxHeadersCount`). Their sizes are not counted. */
const MOST_HEADERS = 1_000;

/**
 * Whether Node may have left out headers of a request, in silence: it reads so many, and drops those behind them. So a caller with
 * many short ones hides what a proxy has written behind them.
 */
export function isCut(
  request: Pick<NodeRequest, 'rawHeaders'> & { readonly socket?: object | null | undefined },
): boolean {
  const socket = unpolluted(request, 'socket');
  const server = socket ? (unpolluted(socket as { server?: { maxHeadersCount?: unknown } }, 'server') ?? null) : null;
  const set = server?.maxHeadersCount;
  const most = typeof set === 'number' ? set : MOST_HEADERS;
  return most > 0 && (unpolluted(request, 'rawHeaders') ?? []).length >= 2 * most;
}

/** The request with the headers that its framework gives it: those that a hook of Fastify has set count. */
export function withHeaders(request: NodeRequest, headers: NodeRequest['headers']): NodeRequest {
  if (headers === request.headers) return request;
  return { headers, rawHeaders: unpolluted(request, 'rawHeaders'), url: nodeTarget(request) };
}

/** The original target of the request: its path with its query. */
export function nodeTarget(request: NodeRequest): string {
  return unpolluted(request, 'originalUrl') ?? request.url ?? '';
}

function secondValue(rawHeaders: readonly string[], name: string): string | undefined {
  let found = false;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const each = rawHeaders[i] as string;
    if (each.length !== name.length || each.toLowerCase() !== name) continue;
    if (found) return rawHeaders[i + 1] as string;
    found = true;
  }
  return undefined;
}

/**
 * Trims the white space of RFC 9110 section 5.5, as `Headers` does. An expression for its end would take a time that grows with the
 * square of the blanks in the middle.
 */
export function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
