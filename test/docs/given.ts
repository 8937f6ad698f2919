import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the hidden parts of the pages' programs use, as `docs`. */

/** The status of an answer, and the code of its problem: `200`, `403 scope_missing`. */
export async function outcome(answer: Response): Promise<string> {
  const isProblem = answer.headers.get('content-type') === 'application/problem+json';
  return isProblem ? `${answer.status} ${((await answer.json()) as { code: string }).code}` : String(answer.status);
}

export function bearer(token: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Bearer ${token}` } };
}

/** Serves on a free port while `ask` makes calls by path. */
export async function served<T>(
  server: Server,
  ask: (call: (target: string, token?: string) => Promise<string>, url: string) => Promise<T>,
): Promise<T> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const call = async (target: string, token?: string) => {
    const [method = '', path = ''] = target.split(' ');
    return outcome(await fetch(`${url}${path}`, { method, ...(token !== undefined && bearer(token)) }));
  };
  try {
    return await ask(call, url);
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}
