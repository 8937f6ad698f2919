#!/usr/bin/env node
import { processHost } from './host.js';
import { run } from './run.js';

// Hides a token or a store's password in the arguments from `ps`: on Linux and macOS the title replaces the arguments.
const host = processHost();
process.title = 'postern';
// The reader of our output may stop reading (`| head`). That is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
// `process.exit()` would cut off output that is still on its way to a pipe.
process.exitCode = await run(host);
