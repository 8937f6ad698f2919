import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startProgram } from '../support/programs.js';

/** An example in its own process with piped output. */
export interface Example {
  /** Resolves once the output matches, and rejects if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended. */
  readonly ended: Promise<Ended>;
}

export interface Ended {
  /** `null` after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const running = new Set<ChildProcess>();

export function startExample(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string | undefined>> = {},
): Example {
  const child = startProgram(`examples/${file}`, args, {
    // Node warns that its own SQLite is experimental.
    flags: ['--disable-warning=ExperimentalWarning'],
    env: { PORT: undefined, ...env },
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child);
    return { code: code as number | null, stdout, stderr };
  });
  return {
    ended,
    signal: (signal) => void child.kill(signal),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout);
          if (match === null) return;
          child.stdout?.off('data', look);
          resolve(match);
        };
        child.stdout?.on('data', look);
        look();
        void ended.then(() => reject(new Error(`it ended without ${pattern}:\n${stdout}\n${stderr}`)));
      }),
  };
}

export function runExample(...start: Parameters<typeof startExample>): Promise<Ended> {
  return startExample(...start).ended;
}

/** Ends the processes that a failed test left. */
export async function endExamples(): Promise<void> {
  await Promise.all(
    [...running].map((child) => {
      child.kill('SIGKILL');
      return once(child, 'close');
    }),
  );
}
