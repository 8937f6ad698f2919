#!/usr/bin/env node
import { processHost } from './host.js';
import { run } from './run.js';

// A token that was given as an argument is no longer there for `ps` to show (on Linux and macOS the title takes the place of
// the arguments), nor is a store's password.
const host = processHost();
process.title = 'postern';
// Who reads our output may stop reading (`| head`): that is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
// Set, not called: what is still on its way to a pipe gets there.
process.exitCode = await run(host);
