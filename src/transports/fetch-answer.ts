import type { HttpAnswer } from './problem.js';

export function toResponse(answer: HttpAnswer): Response {
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

/**
 * Copies the response, because some headers (of `fetch`, of `Response.redirect`) can't be changed. A protocol switch, a
 * network error and a body that is read already can't be copied: they are returned as they are.
 */
export function withHeaders(response: Response, more: Readonly<Record<string, string>>): Response {
  if (!response || response.status < 200 || response.bodyUsed || response.body?.locked) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
