/**
 * Ends each example on Ctrl-C and on the SIGTERM of a process manager. `close` first ends the server, which takes no new calls
 * and lets open ones finish. Then it closes postern, which writes pending counts and closes its store. After that nothing is
 * left open, and the process ends by itself with exit code 0.
 */
export function onShutdown(close: () => Promise<void>): void {
  let closing = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Both signals may come, each more than once.
      if (closing) return;
      closing = true;
      void close();
    });
  }
}
