import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CliError } from '../failure.js';

/** Milliseconds that open requests have to end when the server is stopped. */
const FAREWELL = 10_000;

/** The options of a command that name an address: two, or one for both parts. */
interface AddressOptions {
  readonly host: string;
  readonly port: string;
}

export interface Listening {
  readonly url: string;
  /** Takes no more connections, waits for open requests, and after a time cuts them off. */
  close(): Promise<void>;
}

/**
 * @param options the options that name the address, for the message
 * @throws CliError if it can't listen on the address
 */
export async function listen(
  listener: RequestListener,
  host: string,
  port: number,
  options: AddressOptions = { host: '--host', port: '--port' },
): Promise<Listening> {
  const pending = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    pending.add(response.on('close', () => pending.delete(response)));
    if (!server.listening) isLast(response);
    listener(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refused(error, host, port, options)));
    server.listen({ host, port }, resolve);
  });
  const { address, family, port: taken } = server.address() as AddressInfo;
  const name = host === 'localhost' ? host : family === 'IPv6' ? `[${address}]` : address;
  return { url: `http://${name}:${taken}`, close: () => close(server, pending) };
}

async function close(server: Server, pending: ReadonlySet<ServerResponse>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const response of pending) isLast(response);
  server.closeIdleConnections();
  const late = setTimeout(() => server.closeAllConnections(), FAREWELL);
  await closed;
  clearTimeout(late);
}

/** Closes the connection after this response. */
function isLast(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

function refused(error: NodeJS.ErrnoException, host: string, port: number, options: AddressOptions): CliError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} of ${host} is in use. Stop the program that listens there, or give another ${options.port} (${options.port === options.host ? 'port ' : ''}0 takes a free one)`,
    EACCES: `port ${port} may not be used by this user. Give one above 1023 in ${options.port}`,
    EADDRNOTAVAIL: `${host} is no address of this machine. Give 127.0.0.1 in ${options.host}, or 0.0.0.0 for all of its addresses`,
    ENOTFOUND: `${host} is no known address. Give 127.0.0.1 in ${options.host}`,
  };
  return new CliError(
    why[error.code ?? ''] ??
      `the server can't listen (${error.code ?? error.message}). Check ${[...new Set([options.host, options.port])].join(' and ')}`,
    undefined,
    {
      cause: error,
    },
  );
}
