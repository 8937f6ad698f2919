import type { ChildProcess } from 'node:child_process';
import { startProgram } from '../support/programs.js';
import type { Database } from './databases.js';

/** Starts a TypeScript file, named from this folder, in a Node process of its own, with a channel for messages. */
export function startChild(script: string, parameters: readonly string[]): ChildProcess {
  return startProgram(`test/stores/${script}`, parameters, { stderr: 'inherit' });
}

/** Another process at the same store. */
export function startPeer(database: Database) {
  const child = startChild('./peer.ts', [JSON.stringify(database)]);
  return {
    child,
    tell: <T = unknown>(command: string, argument?: unknown) => askChild<T>(child, { command, argument }),
  };
}

/** Asks a child, and waits for its answer. Rejects with what the child rejected with, or when it ends instead. */
export function askChild<T>(child: ChildProcess, message: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`the child process ended (${code}) instead of answering`));
    child.once('exit', ended);
    child.once('message', (answer: { readonly value?: T; readonly error?: string }) => {
      child.off('exit', ended);
      if (answer.error === undefined) resolve(answer.value as T);
      else reject(new Error(answer.error));
    });
    child.send(message as object);
  });
}
