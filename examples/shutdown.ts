/**
 * How each of the examples ends, on Ctrl-C and on the SIGTERM of a process manager: `close` first ends the server, which
 * takes no new call and lets those under way finish, and then postern, which writes what waits and closes its store.
 * After that nothing is left open, and the process ends by itself with exit code 0.
 */
export function onShutdown(close: () => Promise<void>): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Both may come, and each more than once.
      if (closing) return;
      closing = true;
      void close();
    });
  }
}
