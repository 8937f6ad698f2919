import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of its own that answers questions: what a worker script hands to {@link answer}. */
export interface Worker {
  readonly process: ChildProcess;
  /** Rejects with what the worker's function threw, or when the worker has ended. */
  ask<T>(question: string, argument?: unknown): Promise<T>;
  /** Lets it end by itself. */
  end(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `test/figures/workers/<script>.ts`. Resolves once it answers. */
export async function startWorker(script: string, parameters: readonly string[]): Promise<Worker> {
  const path = fileURLToPath(new URL(`../workers/${script}.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', path, ...parameters], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  running.add(child);
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  child.on('message', (answer: Answer | 'ready') => {
    if (answer === 'ready') return isReady();
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.once('exit', (code, signal) => {
    running.delete(child);
    for (const [id, give] of waiting) give({ id, error: `the worker ended (${code ?? signal})` });
  });
  await Promise.race([
    ready,
    once(child, 'exit').then(() => {
      throw new Error(`the worker ${script} ended before it was ready`);
    }),
  ]);
  return {
    process: child,
    ask: <T>(question: string, argument?: unknown) =>
      new Promise<T>((resolve, reject) => {
        const id = ++last;
        waiting.set(id, ({ value, error }) =>
          error === undefined ? resolve(value as T) : reject(new Error(`${script}, ${question}: ${error}`)),
        );
        child.send({ id, question, argument });
      }),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** In a worker: answers by these functions, and says that it is ready. `end` is called when the other side lets go. */
export function answer(functions: Record<string, (argument: never) => unknown>, end: () => Promise<void>): void {
  process.on('message', async ({ id, question, argument }: { id: number; question: string; argument: never }) => {
    try {
      const work = functions[question];
      if (work === undefined) throw new Error('there is no such question');
      process.send?.({ id, value: await work(argument) });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', async () => {
    await end();
    process.exit();
  });
  process.send?.('ready');
}
