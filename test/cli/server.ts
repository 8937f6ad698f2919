import type { theCommandHere } from './here.js';

type Command = Pick<ReturnType<typeof theCommandHere>, 'start'>;

export interface Served {
  readonly url: string;
  /** The bootstrap token. */
  readonly token: string;
  readonly process: ReturnType<Command['start']>;
  /** The environment for commands against it. */
  readonly env: Readonly<Record<string, string>>;
  /** One call of its API. */
  call(method: string, path: string, options?: { token?: string; body?: unknown }): Promise<Response>;
}

/** Starts `postern serve` on a free port with a new database. It ends with the test. */
export async function served(postern: Command, database: string, words: readonly string[] = []): Promise<Served> {
  const process = postern.start(['serve', '--port', '0', '--database', database, ...words]);
  const [, url = ''] = await process.until(/^Listening on (\S+)\n/);
  const [, token = ''] = await process.until(/\nBootstrap token: (\S+)\n/);
  return {
    url,
    token,
    process,
    env: { POSTERN_ENDPOINT: url, POSTERN_API_TOKEN: token },
    call: (method, path, { token: credential = token, body } = {}) =>
      fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${credential}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}
