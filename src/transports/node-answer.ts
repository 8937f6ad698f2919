import type { HttpAnswer } from './problem.js';

/** What is needed of a response of `node:http`. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

export function sendAnswer(response: NodeResponse, answer: HttpAnswer): void {
  response.statusCode = answer.status;
  for (const name of Object.keys(answer.headers)) response.setHeader(name, answer.headers[name] as string);
  response.end(answer.body);
}
