import { createInterface } from 'node:readline';
import { type Readable, Writable } from 'node:stream';
import { CliError, cancelled } from './failure.js';
import type { Host } from './host.js';
import { note, visible } from './output/print.js';

/** Asks for a token. Nothing is shown, not even its length. */
export async function askSecret(host: Host, message: string): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const secret = await line(host, `${message}: `, hidden);
  // The typed line end was not shown either.
  host.stderr.write('\n');
  return secret;
}

/** Asks for a confirmation. Anything but yes is a no, unless an empty answer is `usual`. */
export async function askConfirmation(host: Host, message: string, usual = false): Promise<boolean> {
  const answer = await line(host, `${message} ${usual ? '[Y/n]' : '[y/N]'} `, host.stderr as unknown as Writable);
  return /^\s*y(es)?\s*$/i.test(answer) || (usual && answer.trim() === '');
}

/** Whether there is a person to ask: not in a pipe, and not in a CI system. */
export function isInteractive({ stdin, stderr, env }: Host): boolean {
  return Boolean(stdin.isTTY && stderr.isTTY && !env.CI);
}

/**
 * Asks until an answer can be read.
 *
 * @param read gets the answer without spaces around it; it throws a CliError to ask again, with its message
 */
export async function ask<T>(host: Host, question: string, read: (answer: string) => T): Promise<T> {
  for (;;) {
    const answer = await line(host, `${question}: `, host.stderr as unknown as Writable);
    try {
      return read(answer.trim());
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      note(host, error.message);
    }
  }
}

/** Reads one typed line. The prompt goes to stderr, because stdout may be redirected and is for results. */
function line(host: Host, prompt: string, output: Writable): Promise<string> {
  const input = host.stdin as unknown as Readable;
  const reader = createInterface({ input, output, terminal: true, historySize: 0 });
  // After `createInterface`, which turns the terminal's own echo off.
  host.stderr.write(visible(prompt));
  return new Promise<string>((resolve, reject) => {
    reader.once('line', resolve);
    // Ctrl-C and Ctrl-D. Without effect once a line was read.
    for (const end of ['SIGINT', 'close']) {
      reader.once(end, () => reject(cancelled('Nothing was changed.')));
    }
  })
    .catch((error) => {
      // The cursor still stands behind the prompt.
      host.stderr.write('\n');
      throw error;
    })
    .finally(() => reader.close());
}
