import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Serves until the test ends. Returns the port. */
/** @param maxHeadersCount of the server; default Node's own */
export async function serve(listener: RequestListener, maxHeadersCount: number | null = null): Promise<number> {
  const server = createServer(listener);
  server.maxHeadersCount = maxHeadersCount;
  await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}
