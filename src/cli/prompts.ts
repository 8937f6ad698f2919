import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { EXIT } from './exit-codes.js';
import { CliError } from './failure.js';
import type { Host } from './host.js';
import { visible } from './output/print.js';

/** Asks for a token. Nothing of it is shown, not even how long it is. */
export async function askSecret(host: Host, message: string): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await line(host, `${message}: `, hidden);
  } finally {
    // The end of the line, too, was not shown.
    host.stderr.write('\n');
  }
}

/** Asks whether to go on. Only a yes is one. */
export async function askConfirmation(host: Host, message: string): Promise<boolean> {
  const answer = await line(host, `${message} [y/N] `, host.stderr as unknown as Writable);
  return /^\s*y(es)?\s*$/i.test(answer);
}

/** One line, typed. Prompts go to stderr: stdout may be redirected, and is for what was asked for. */
function line(host: Host, prompt: string, output: Writable): Promise<string> {
  const input = host.stdin as unknown as Readable;
  const reader = createInterface({ input, output, terminal: true, historySize: 0 });
  // Only now: from here on the terminal itself shows nothing of what is typed.
  host.stderr.write(visible(prompt));
  return new Promise<string>((resolve, reject) => {
    reader.once('line', resolve);
    // Ctrl-C and Ctrl-D. After a line has come, this changes nothing any more.
    for (const end of ['SIGINT', 'close']) {
      reader.once(end, () => reject(new CliError('cancelled: nothing was changed', EXIT.interrupted)));
    }
  }).finally(() => reader.close());
}
