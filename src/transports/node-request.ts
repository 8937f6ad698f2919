import { unpolluted } from '../base/check.js';

/** What is read of a request of `node:http`, `node:http2`, or of what stands in for them (serverless adapters). */
export interface NodeRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn, as they came. Not every runtime has them. */
  readonly rawHeaders?: readonly string[] | undefined;
  readonly url?: string | undefined;
  /** What `url` was before a router took its own part away. */
  readonly originalUrl?: string | undefined;
}

/**
 * A header of a Node request, as every guard and the management API read it. What middleware changed or deleted counts. Node
 * keeps the first of several `Authorization` headers and drops the rest without a word: where the runtime has the raw headers,
 * several become a list, as in `Headers`.
 *
 * @param name in lower case
 */
export function nodeHeader(request: NodeRequest, name: string): string | undefined {
  const { headers } = request;
  const value: unknown = Object.hasOwn(headers, name) ? headers[name] : undefined;
  if (value === undefined || value === null) return undefined;
  const text = trimmed(Array.isArray(value) ? value.join(', ') : String(value));
  // Cookies are joined with a semicolon.
  if (name === 'cookie' || text.indexOf(',') >= 0) return text;
  const dropped = secondValue(unpolluted(request, 'rawHeaders') ?? [], name);
  return dropped === undefined ? text : `${text}, ${dropped}`;
}

/** A request with the headers that its framework tells of: what a hook of Fastify sets counts. */
export function withHeaders(request: NodeRequest, headers: NodeRequest['headers']): NodeRequest {
  if (headers === request.headers) return request;
  return { headers, rawHeaders: unpolluted(request, 'rawHeaders'), url: nodeTarget(request) };
}

/** The target of the request as it came: its path, with its query. */
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

/** Without the white space around it (RFC 9110 section 5.5), as `Headers` has it. */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}
