#!/usr/bin/env node
import { processHost } from './host.js';
import { run } from './run.js';

// Hides a token or a store's password in the arguments from `ps`: on Linux and macOS the title replaces the arguments.
const host = processHost();
process.title = 'postern';
// Node's own fetch knows no proxy before version 24. The code for one is loaded by those alone who name one.
if (['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].some((name) => host.env[name])) {
  const { proxiedFetch } = await import('./proxy/proxied-fetch.js');
  globalThis.fetch = proxiedFetch(host.env, globalThis.fetch);
}
// The reader of our output may stop reading (`| head`). That is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
// `process.exit()` would cut off output that is still on its way to a pipe.
process.exitCode = await run(host);
// The application's configuration may have opened connections that only the application would close.
setTimeout(() => {
  process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}, 200).unref();
