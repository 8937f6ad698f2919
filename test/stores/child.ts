import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts a TypeScript file of the tests in a Node process of its own, with a channel for messages. */
export function startChild(script: string, parameters: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL(script, import.meta.url)), ...parameters], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
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
