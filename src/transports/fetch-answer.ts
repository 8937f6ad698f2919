import type { HttpAnswer } from './problem.js';

export function toResponse(answer: HttpAnswer): Response {
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

/**
 * A copy, because the headers of some responses (of `fetch`, of `Response.redirect`) can't be changed. There is none of a
 * switch of protocols, of a network error, or of what was or is being read: these go as they are.
 */
export function withHeaders(response: Response, more: Readonly<Record<string, string>>): Response {
  if (!response || response.status < 200 || response.bodyUsed || response.body?.locked) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
